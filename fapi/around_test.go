package fapi_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// TestWaysAround: what would get round the switch is refused as well.
func TestWaysAround(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		want   string
	}{
		"an issuer over http":    {func(c *authcode.Config) { c.Provider = oidc.Provider("http://127.0.0.1:1") }, "Provider.Issuer must be https"},
		"a login page over http": {func(c *authcode.Config) { c.LoginURL = "http://localhost/login" }, "Config.LoginURL must be https"},
		"a home page over http":  {func(c *authcode.Config) { c.HomeURL = "http://localhost/" }, "Config.HomeURL must be https"},
		"TLS of the app's own":   {func(c *authcode.Config) { c.Transport = &http.Transport{DialTLSContext: dial} }, "DialTLSContext"},
		"a certificate, unverified": {func(c *authcode.Config) {
			shows(certificate(), false, true)(c)
			c.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}}
		}, "InsecureSkipVerify"},
		"no issuer":            {func(c *authcode.Config) { c.Provider = oidc.Provider("") }, "the issuer must be"},
		"an assertion's fault": {func(c *authcode.Config) { c.ClientAuth = clientauth.PrivateKeyJWT(nil) }, "there is no key"},
		"a binding's fault":    {func(c *authcode.Config) { c.Binding = dpop.New(nil) }, "dpop.New: key 0"},
		"a signer's fault":     {func(c *authcode.Config) { c.MessageSigning = clientauth.SignRequests(nil) }, "there is no key"},
		"nothing but a name": {func(c *authcode.Config) {
			c.ClientAuth = authcode.ClientAuth{Method: "private_key_jwt", Audience: "issuer"}
		}, "Config.ClientAuth is empty"},
	} {
		t.Run(claim, func(t *testing.T) {
			c, err := fapi.New(fapi.Security, good(row.change))
			if c != nil || err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want one with %q", err, row.want)
			}
		})
	}
	for _, profile := range []fapi.Profile{-1, 2, 7} {
		if _, err := fapi.New(profile, good()); err == nil || !strings.Contains(err.Error(), "neither Security nor MessageSigning") {
			t.Errorf("profile %d: %v", profile, err)
		}
	}
}

// TestMetadataOverHTTP: where the document is loaded from is not the app's word alone.
func TestMetadataOverHTTP(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the metadata was loaded over http") }))
	defer plain.Close()
	c, err := fapi.New(fapi.Security, good(func(c *authcode.Config) {
		c.Provider = oidc.Provider("https://op.example", oidc.MetadataURL(plain.URL))
	}))
	if err != nil {
		return // told at once
	}
	_, err = c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
	if !errors.Is(err, authcode.Configuration) {
		t.Errorf("got %v", err)
	}
}

// TestNoHTTPForAPIs: a token goes over https only, whatever origins the app names.
func TestNoHTTPForAPIs(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the API was called") }))
	defer api.Close()
	for _, change := range []func(*authcode.Config){func(*authcode.Config) {}, shows(certificate(), false, true)} {
		c, err := fapi.New(fapi.Security, good(change))
		if err != nil {
			t.Fatal(err)
		}
		source := c.TokenSource(&oauth2.Token{AccessToken: "at"}, nil)
		if _, err := source.APIClient(api.URL); err == nil || !strings.Contains(err.Error(), "api.origin") {
			t.Errorf("got %v", err)
		}
		client, err := source.APIClient("https://api.example") // others get no token, and no request over http
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Get(api.URL); err == nil || !strings.Contains(err.Error(), "fapi.http") {
			t.Errorf("got %v", err)
		}
	}
}

// TestSharedTransport: clients that are given one transport, also one in use, all work, with HTTP/2 if it has that.
func TestSharedTransport(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(201)
		io.WriteString(w, `{"request_uri":"urn:x:1","expires_in":60}`)
	}))
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	roots := srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	shared := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	used := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	if resp, err := (&http.Client{Transport: used}).Get(srv.URL); err != nil || resp.Body.Close() != nil {
		t.Fatal(err)
	}
	for n, transport := range []*http.Transport{shared, shared, used, used, shared} {
		c, err := fapi.New(fapi.Security, good(endpoints, func(c *authcode.Config) {
			c.Provider.PARURL, c.MessageSigning = srv.URL, authcode.MessageSigning{}
			c.Transport = transport
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil)); err != nil {
			t.Errorf("client %d: %v", n, err)
		}
	}
}
