package fapi_test

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// hiding is an Identifier of the app's that has an Issuer inside.
type hiding struct{ *oidc.Issuer }

// hidden is a ResponseVerifier of the app's.
type hidden struct{}

func (hidden) VerifyResponse(context.Context, *http.Client, string, string) (url.Values, error) {
	return nil, nil
}

func (hidden) SignRequest(context.Context, string, url.Values) (string, error) { return "", nil }

func (hidden) Signed() bool { return false }

// TestWaysAround: what would get round the switch is refused as well.
func TestWaysAround(t *testing.T) {
	var noIssuer *oidc.Issuer
	var noTransport *http.Transport
	signer := clientauth.SignRequests(clientauth.Key{Signer: ecKey})
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		want   string
	}{
		"metadata over http": {func(c *authcode.Config) {
			c.Provider = oidc.Provider("https://op.example", oidc.MetadataURL("http://127.0.0.1/metadata"))
		}, "forbids http"},
		"an identity over http":  {func(c *authcode.Config) { c.Provider.Identity = oidc.New("http://127.0.0.1:1") }, "forbids http"},
		"a login page over http": {func(c *authcode.Config) { c.LoginURL = "http://localhost/login" }, "Config.LoginURL must be https"},
		"a home page over http":  {func(c *authcode.Config) { c.HomeURL = "http://localhost/" }, "Config.HomeURL must be https"},
		"TLS of the app's own": {func(c *authcode.Config) {
			c.HTTPClient = &http.Client{Transport: &http.Transport{DialTLSContext: dial}}
		}, "DialTLSContext"},
		"no transport": {func(c *authcode.Config) { c.HTTPClient = &http.Client{Transport: noTransport} }, "nil *http.Transport"},
		"a certificate, unverified": {func(c *authcode.Config) {
			c.Binding = clientauth.MutualTLS(certificate(), &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(tls.ConnectionState) error { return nil }}})
		}, "InsecureSkipVerify"},
		"an issuer inside": {func(c *authcode.Config) { c.Provider.Identity = hiding{oidc.New("https://op.example")} }, "Provider.Identity hides"},
		"an RS256 issuer inside": {func(c *authcode.Config) {
			c.Provider.Identity = hiding{oidc.New("https://op.example", oidc.Algorithms("ES256", "RS256"))}
		}, "Provider.Identity hides"},
		"a verifier of another kind": {func(c *authcode.Config) { c.Messages = signer.WithResponses(hidden{}) }, "WithResponses must have an oidc.Issuer"},
		"the wrapper as a verifier": {func(c *authcode.Config) {
			c.Messages = signer.WithResponses(oidc.New("https://op.example").SignedResponses())
		}, "WithResponses must have an oidc.Issuer"},
		"messages of another kind": {func(c *authcode.Config) { c.Messages = hidden{} }, "must be of package clientauth or oidc"},
		"no issuer as identity":    {func(c *authcode.Config) { c.Provider.Identity = noIssuer }, "the issuer must be"},
		"no issuer as metadata":    {func(c *authcode.Config) { c.Provider.Metadata = noIssuer }, "the issuer must be"},
		"no issuer as verifier":    {func(c *authcode.Config) { c.Messages = signer.WithResponses(noIssuer) }, "the issuer must be"},
		"an empty assertion":       {func(c *authcode.Config) { c.ClientAuth = &clientauth.Assertion{} }, "nil or empty"},
		"an empty certificate":     {func(c *authcode.Config) { c.ClientAuth = &clientauth.MTLS{} }, "nil or empty"},
		"an empty binding":         {func(c *authcode.Config) { c.Binding = &dpop.Binding{} }, "nil or empty"},
		"an empty signer":          {func(c *authcode.Config) { c.Messages = &clientauth.RequestSigner{} }, "nil or empty"},
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
	if _, err := fapi.New(fapi.Security, good(func(c *authcode.Config) {
		c.Provider.Identity = hiding{oidc.New("https://op.example", oidc.Algorithms("ES256"))}
	})); err != nil {
		t.Errorf("an issuer inside that is pinned: %v", err)
	}
}

// TestNoHTTPForAPIs: a token goes over https only, whatever origins the app names.
func TestNoHTTPForAPIs(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the API was called") }))
	defer api.Close()
	m := clientauth.MutualTLS(certificate(), nil)
	for _, binding := range []authcode.Binding{dpop.New(ecKey), m} {
		c, err := fapi.New(fapi.Security, good(func(c *authcode.Config) { c.Binding = binding }))
		if err != nil {
			t.Fatal(err)
		}
		client, err := c.TokenSource(&oauth2.Token{AccessToken: "at"}, nil).APIClient(api.URL)
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
			c.Provider.PARURL, c.Messages = srv.URL, nil
			c.HTTPClient = &http.Client{Transport: transport}
		}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil)); err != nil {
			t.Errorf("client %d: %v", n, err)
		}
	}
}
