package test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// wantRedirectFaults: no RedirectURL but one on loopback goes with a provider
// that is plain.
func wantRedirectFaults(t *testing.T) {
	t.Helper()
	for _, redirect := range []string{"https://localhost/cb", "HTTPS://app.example/cb"} {
		_, err := authcode.New(world.Config(nil, onLoopback, func(c *config) {
			c.RedirectURL = redirect
		}))
		world.WantError(t, err, authcode.Configuration, "config")
	}
	// Only the RedirectURL is at fault: whether it means https is unknown.
	for _, redirect := range []string{"", "/callback", "localhost:8080/callback"} {
		_, err := authcode.New(world.Config(nil, onLoopback, func(c *config) {
			c.RedirectURL = redirect
		}))
		if e := world.WantError(t, err, authcode.Configuration, "config"); len(e.Faults) != 1 {
			t.Errorf("%q: %v", redirect, e)
		}
	}
}

// TestNoPlainProviderOnHTTPS: an app on https takes no URL over http, on
// loopback too, from a Config or from metadata.
func TestNoPlainProviderOnHTTPS(t *testing.T) {
	const why = "must be https: http on loopback is for an app"
	plain := world.Config(nil, onLoopback).Provider
	usual := world.Config(nil).Provider
	for name, field := range urlsOfTheProvider {
		set := func(p *authcode.Provider) { *field(p) = "http://127.0.0.1:9000/x" }
		_, err := authcode.New(world.Config(nil, func(c *config) { set(&c.Provider) }))
		e := world.WantError(t, err, authcode.Configuration, "config")
		if !strings.Contains(e.Error(), "Provider."+name+" "+why) || len(e.Faults) != 1 {
			t.Errorf("%s: %v", name, e)
		}
		found := usual
		set(&found)
		c := world.Client(t, nil, world.LookedUp(world.Finds(found.Endpoints)))
		_, _, err = world.Start(c)
		e = world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
		if !strings.Contains(e.Error(), "metadata: "+name+" "+why) {
			t.Errorf("%s in metadata: %v", name, e)
		}
	}
	for _, issuer := range []string{"http://localhost:9000", "HTTP://[::1]", plain.Issuer} {
		_, err := authcode.New(world.Config(nil, func(c *config) { c.Provider.Issuer = issuer }))
		e := world.WantError(t, err, authcode.Configuration, "config")
		if !strings.Contains(e.Error(), "Provider.Issuer "+why) {
			t.Errorf("%s: %v", issuer, e)
		}
	}
	wantRedirectFaults(t)
	_, err := world.Client(t, nil).TokenSource(validToken(), nil).APIClient("http://localhost:9000")
	world.WantError(t, err, authcode.Configuration, "api.origin")
}

// innerService is what listens on loopback beside an app: it must not be asked.
func innerService(t *testing.T) string {
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the service on loopback was asked: %s %s", r.Method, r.URL)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// TestInnerServicesAreNotAsked: where a customer names the issuer, nothing that
// an app on https does leads to a service beside it.
func TestInnerServicesAreNotAsked(t *testing.T) {
	inner := innerService(t)
	for claim, p := range map[string]authcode.Provider{
		"the metadata": oidc.Provider(world.Issuer, oidc.MetadataURL(inner)),
		"a template": oidc.Provider(inner+"/{tenantid}",
			oidc.MetadataURL(world.Issuer+"/.well-known/openid-configuration")),
		"the issuer, and the app has removed it": func() authcode.Provider {
			p := oidc.Provider(inner)
			p.Issuer = ""
			return p
		}(),
	} {
		t.Run(claim, func(t *testing.T) {
			c := world.Client(t, nil, func(c *config) { c.Provider, c.Wrap = p, nil })
			_, _, err := world.Start(c)
			world.WantError(t, err, authcode.Configuration, "discovery.http")
			_, err = c.Refresh(t.Context(), world.Expired())
			world.WantError(t, err, authcode.Configuration, "discovery.http")
			_, err = c.Connection(t.Context())
			world.WantError(t, err, authcode.Configuration, "discovery.http")
		})
	}
	p := oidc.Provider(inner)
	p.Issuer, p.Metadata = "", world.Finds(world.Endpoints()) // the keys are still there
	c := world.Client(t, world.Answering(200, `{"access_token":"at","id_token":"`+
		world.JWT(`{"alg":"RS256"}`, `{"sub":"s"}`)+`"}`), func(c *config) { c.Provider = p })
	_, err := world.Begin(t, c, nil).Exchange(c)
	world.WantError(t, err, authcode.Configuration, "discovery.http")
	_, err = authcode.New(world.Config(nil, func(c *config) { c.Provider = oidc.Provider(inner) }))
	world.WantError(t, err, authcode.Configuration, "config")
}

// TestAPlainAppsCacheServesNobodyElse: two apps share a Provider and a
// transport, and the one on http has loaded the document.
func TestAPlainAppsCacheServesNobodyElse(t *testing.T) {
	srv := authserver.NewServer()
	defer srv.Close()
	srv.SetFaults(authserver.Discovery,
		authserver.Set("authorization_response_iss_parameter_supported", "false"))
	p := oidc.Provider(srv.URL)
	p.Issuer = "" // which New would refuse
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	use := func(c *config) { c.Provider, c.Wrap, c.Transport = p, nil, transport }
	plain := world.Client(t, nil, onLoopback, use)
	if _, _, err := world.Start(plain); err != nil {
		t.Fatal(err)
	}
	before := len(srv.Requests())
	_, _, err := world.Start(world.Client(t, nil, use))
	world.WantError(t, err, authcode.Configuration, "discovery.http")
	if got := len(srv.Requests()); before == 0 || got != before {
		t.Errorf("the provider saw %d requests, then %d", before, got)
	}
}
