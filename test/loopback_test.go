package test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// onLoopback puts the app and its provider on loopback, over http.
func onLoopback(c *config) {
	c.RedirectURL = "http://localhost:8080/auth/x/callback"
	c.Provider.Issuer = "http://localhost:9000"
	c.Provider.Endpoints = authcode.Endpoints{
		AuthURL: "http://localhost:9000/authorize", TokenURL: "http://localhost:9000/token",
	}
}

// urlsOfTheProvider are all fields that name a place at the provider.
var urlsOfTheProvider = map[string]func(*authcode.Provider) *string{
	"AuthURL":          func(p *authcode.Provider) *string { return &p.AuthURL },
	"TokenURL":         func(p *authcode.Provider) *string { return &p.TokenURL },
	"RevocationURL":    func(p *authcode.Provider) *string { return &p.RevocationURL },
	"PARURL":           func(p *authcode.Provider) *string { return &p.PARURL },
	"UserInfoURL":      func(p *authcode.Provider) *string { return &p.UserInfoURL },
	"IntrospectionURL": func(p *authcode.Provider) *string { return &p.IntrospectionURL },
	"EndSessionURL":    func(p *authcode.Provider) *string { return &p.EndSessionURL },
	"JWKSURL":          func(p *authcode.Provider) *string { return &p.JWKSURL },
	"MTLS.TokenURL": func(p *authcode.Provider) *string {
		p.MTLS = new(authcode.Endpoints)
		return &p.MTLS.TokenURL
	},
}

// notLoopback are names that look like this machine, and are asked of DNS or
// sent to a proxy.
var notLoopback = []string{
	"auth.localhost", "AUTH.LOCALHOST", "a.b.localhost", "localhost.", "localhost.example",
	"localhost.localdomain", "127.0.0.1.example", "127.1", "[::]", "0.0.0.0", "[::ffff:127.0.0.1]",
}

// TestLoopbackOfTheBackChannel: http is for hosts that no resolver and no proxy
// can move.
func TestLoopbackOfTheBackChannel(t *testing.T) {
	for name, field := range urlsOfTheProvider {
		for _, host := range notLoopback {
			_, err := authcode.New(world.Config(nil, onLoopback, func(c *config) {
				*field(&c.Provider) = "http://" + host + "/x"
			}))
			e := world.WantError(t, err, authcode.Configuration, "config")
			if !strings.Contains(e.Error(), "Provider."+name+" must be https") {
				t.Errorf("%s at %s: %v", name, host, e)
			}
		}
		for _, host := range []string{"localhost", "LOCALHOST:1", "127.0.0.1", "127.8.9.1", "[::1]:1"} {
			world.Client(t, nil, onLoopback, func(c *config) {
				*field(&c.Provider) = "http://" + host + "/x"
			})
		}
		world.Client(t, nil, func(c *config) {
			*field(&c.Provider) = "https://auth.localhost/x" // TLS says who answers
		})
	}
	source := world.Client(t, nil, onLoopback).TokenSource(validToken(), nil)
	for _, host := range notLoopback {
		_, err := source.APIClient("http://" + host)
		world.WantError(t, err, authcode.Configuration, "api.origin")
		if p := oidc.Provider("http://" + host); p.Err == nil {
			t.Errorf("the issuer http://%s is accepted", host)
		}
		if p := oidc.Provider("http://localhost", oidc.MetadataURL("http://"+host)); p.Err == nil {
			t.Errorf("metadata at http://%s is accepted", host)
		}
	}
}

// TestNothingGoesToAProxy: with a real proxy, which all names but loopback's go
// to. Metadata is the field that somebody else fills in.
func TestNothingGoesToAProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was sent %s %s with %q", r.Method, r.URL, r.Header["Authorization"])
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	found := authcode.Endpoints{
		AuthURL: "http://localhost:9000/authorize", TokenURL: "http://auth.localhost/token",
		PARURL: "http://auth.localhost/par",
	}
	transport := &http.Transport{Proxy: http.ProxyURL(at)}
	defer transport.CloseIdleConnections()
	c := world.Client(t, nil, onLoopback, world.LookedUp(world.Finds(found)), func(c *config) {
		c.Wrap, c.Transport = nil, transport
	})
	_, _, err = world.Start(c)
	world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
	_, err = c.Refresh(t.Context(), world.Expired())
	world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
	world.WantError(t, c.Revoke(t.Context(), world.Expired()), authcode.BadAnswer,
		"metadata.endpoints")
}
