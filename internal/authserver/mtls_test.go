package authserver_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/url"
	"testing"

	"example.com/authcode/internal/authserver"
)

// tlsClients are the certificates of the clients of newTLSTester.
type tlsClients struct {
	self, issued tls.Certificate
	authority    *authserver.Authority
}

// newTLSTester has clients self and ca, which authenticate by certificates, public, and bound, which
// is public and has its tokens bound.
func newTLSTester(t *testing.T, opts ...authserver.Option) (x *tester, c tlsClients) {
	t.Helper()
	srv := authserver.NewTLSServer(opts...)
	t.Cleanup(srv.Close)
	x = &tester{t, srv, srv.Client(), srv.URL}
	x.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.authority = authserver.NewAuthority()
	c.self, c.issued = authserver.SelfSigned("self"), c.authority.Issue("app.example")
	x.register(authserver.ClientRegistration{
		ID: "self", AuthMethod: authserver.SelfSignedTLS, Certificates: []*x509.Certificate{c.self.Leaf},
	})
	x.register(authserver.ClientRegistration{
		ID: "ca", AuthMethod: authserver.TLSClientAuth, CertificateBound: true,
		CertificateAuthority: c.authority.Certificate(), CertificateSubject: "CN=app.example",
	})
	x.register(authserver.ClientRegistration{ID: "public", AuthMethod: authserver.None})
	x.register(authserver.ClientRegistration{ID: "bound", AuthMethod: authserver.None, CertificateBound: true})
	return x, c
}

// alias is x at the listener that asks for certificates; without certs, it shows none.
func (t *tester) alias(certs ...tls.Certificate) *tester {
	a := *t
	a.base = t.srv.MTLSURL
	for _, cert := range certs {
		a.http = t.srv.ClientWith(cert)
	}
	return &a
}

type certificateLogin struct {
	at   *tester
	id   string
	edit string
	want int
}

func certificateLogins(x *tester, c tlsClients) map[string]certificateLogin {
	stranger := authserver.SelfSigned("self")
	forged := authserver.NewAuthority().Issue("app.example")
	server := c.authority.Issue("other.example")
	chained := c.authority.Intermediate().Issue("app.example")
	cut := chained
	cut.Certificate = cut.Certificate[:1]
	return map[string]certificateLogin{
		"its own certificate":            {x.alias(c.self), "self", "", 200},
		"its own, without client_id":     {x.alias(c.self), "self", "-client_id", 401},
		"another self-signed one":        {x.alias(stranger), "self", "", 401},
		"an authority's":                 {x.alias(c.issued), "self", "", 401},
		"none":                           {x.alias(), "self", "", 401},
		"none at the main listener":      {x, "self", "", 401},
		"a secret beside":                {x.alias(c.self), "self", "client_secret=x", 401},
		"the authority's certificate":    {x.alias(c.issued), "ca", "", 200},
		"the authority's, other subject": {x.alias(server), "ca", "", 401},
		"a chain to the authority":       {x.alias(chained), "ca", "", 200},
		"a chain with a gap":             {x.alias(cut), "ca", "", 401},
		"another authority's":            {x.alias(forged), "ca", "", 401},
		"a self-signed one":              {x.alias(authserver.SelfSigned("app.example")), "ca", "", 401},
		"a client of another method":     {x.alias(c.self), "public", "", 200},
	}
}

func TestCertificateAuthentication(t *testing.T) {
	x, c := newTLSTester(t, authserver.MutualTLS())
	for name, row := range certificateLogins(x, c) {
		t.Run(name, func(t *testing.T) {
			form := change(url.Values{"token": {"x"}, "client_id": {row.id}})
			if row.edit != "" {
				change(form, row.edit)
			}
			if a := row.at.send("/revoke", form); a.status != row.want {
				t.Errorf("answered %d %s", a.status, a.raw)
			}
		})
	}
	// The main listener never asks, so a client that would show its certificate cannot.
	shows := x.alias(c.self)
	shows.base = x.srv.URL
	x.wantError(shows.send("/revoke", url.Values{"token": {"x"}, "client_id": {"self"}}), 401,
		"invalid_client")
	seen := x.srv.Requests(authserver.Revocation)
	if got := seen[len(seen)-1]; got.Certificate != "" || got.ClientAuth != authserver.None {
		t.Errorf("recorded %+v", got)
	}
	x.alias(c.self).send("/revoke", url.Values{"token": {"x"}, "client_id": {"self"}})
	seen = x.srv.Requests(authserver.Revocation)
	if got := seen[len(seen)-1]; got.Certificate != authserver.Thumbprint(c.self.Leaf) ||
		got.ClientAuth != authserver.SelfSignedTLS || got.ClientID != "self" {
		t.Errorf("recorded %+v", got)
	}
}

func TestAliases(t *testing.T) {
	x, c := newTLSTester(t, authserver.MutualTLS(), authserver.OfferPAR())
	doc := x.get("/.well-known/openid-configuration")
	aliases, _ := doc.body["mtls_endpoint_aliases"].(map[string]any)
	for name, path := range map[string]string{
		"token_endpoint": "/token", "revocation_endpoint": "/revoke",
		"introspection_endpoint": "/introspect", "userinfo_endpoint": "/userinfo",
		"pushed_authorization_request_endpoint": "/par",
	} {
		if aliases[name] != x.srv.MTLSURL+path {
			t.Errorf("%s is %v", name, aliases[name])
		}
		if a := x.alias(c.self).send(path, url.Values{}); a.status == 404 {
			t.Errorf("%s is not there", path)
		}
	}
	if len(aliases) != 5 || x.srv.MTLSURL == x.srv.URL {
		t.Errorf("aliases %v of %s", aliases, x.srv.URL)
	}
	for _, path := range []string{"/authorize", "/jwks", "/.well-known/openid-configuration", "/logout"} {
		if a := x.alias().get(path); a.status != 404 {
			t.Errorf("%s answers %d at the alias", path, a.status)
		}
	}
	p := x.srv.Provider()
	if p.MTLS.TokenURL != aliases["token_endpoint"] || p.MTLS.RevocationURL != aliases["revocation_endpoint"] ||
		p.MTLS.PARURL != aliases["pushed_authorization_request_endpoint"] || p.TokenURL != x.srv.URL+"/token" {
		t.Errorf("Provider has %+v", p.MTLS)
	}
}

func TestAskCertificates(t *testing.T) {
	x, c := newTLSTester(t, authserver.AskCertificates())
	if x.srv.MTLSURL != "" || x.get("/.well-known/openid-configuration").body["mtls_endpoint_aliases"] != nil {
		t.Error("there are aliases")
	}
	shows := x.alias(c.self)
	shows.base = x.srv.URL
	if a := shows.send("/revoke", url.Values{"token": {"x"}, "client_id": {"self"}}); a.status != 200 {
		t.Errorf("answered %s", a.raw)
	}
	shows.get("/jwks")
	x.get("/jwks")
	for i, want := range []string{authserver.Thumbprint(c.self.Leaf), ""} {
		if got := x.srv.Requests(authserver.JWKS)[i].Certificate; got != want {
			t.Errorf("request %d recorded %q, want %q", i, got, want)
		}
	}
}

func TestCertificateBoundTokens(t *testing.T) {
	x, c := newTLSTester(t, authserver.MutualTLS())
	other := authserver.SelfSigned("other")
	a := x.alias(c.issued).send("/token", redemption(x.code("client_id=ca"), "client_id=ca"))
	access := a.text("access_token")
	if a.status != 200 || a.text("token_type") != "Bearer" {
		t.Fatalf("answered %s", a.raw)
	}
	for _, path := range []string{"/userinfo", "/resource"} {
		for name, row := range map[string]struct {
			at   *tester
			want int
		}{
			"its certificate":       {x.alias(c.issued), 200},
			"another certificate":   {x.alias(other), 401},
			"no certificate":        {x.alias(), 401},
			"the main listener":     {x, 401},
			"as a DPoP-bound token": {x.alias(c.issued), 401},
		} {
			scheme := "Bearer "
			if name == "as a DPoP-bound token" {
				scheme = "DPoP "
			}
			b := row.at.fetch(path, "Authorization: "+scheme+access)
			if b.status != row.want || b.status == 200 && path == "/resource" && b.text("binding") != "certificate" {
				t.Errorf("%s with %s: answered %d %s", path, name, b.status, b.raw)
			}
		}
	}
	renewWithCertificates(t, x, c, a.text("refresh_token"))
}

// renewWithCertificates: a confidential client may renew with another
// certificate of its own, a public one may not.
func renewWithCertificates(t *testing.T, x *tester, c tlsClients, refresh string) {
	t.Helper()
	fresh := c.authority.Issue("app.example")
	b := x.alias(fresh).send("/token", renewal(refresh, "client_id=ca"))
	got := x.alias(fresh).fetch("/resource", "Authorization: Bearer "+b.text("access_token"))
	if got.status != 200 {
		t.Errorf("after the refresh: %s", got.raw)
	}
	other := authserver.SelfSigned("other")
	form := redemption(x.code("client_id=bound"), "client_id=bound")
	x.wantError(x.alias().send("/token", form), 400, "invalid_request")
	d := x.alias(other).send("/token", form)
	x.wantError(x.alias(fresh).send("/token", renewal(d.text("refresh_token"), "client_id=bound")), 400,
		"invalid_grant")
	e := x.alias(other).send("/token", renewal(d.text("refresh_token"), "client_id=bound"))
	if e.status != 200 {
		t.Errorf("the public client's refresh: %s", e.raw)
	}
}

func TestDPoPAndCertificateTogether(t *testing.T) {
	x, c := newTLSTester(t, authserver.MutualTLS())
	pair := newPair(t, "ES256")
	at := x.alias(c.issued)
	a := at.send("/token", redemption(x.code("client_id=ca"), "client_id=ca"),
		"DPoP: "+pair.proof(t, at.proven("/token")))
	access := a.text("access_token")
	call := func(at *tester) answer {
		return at.fetch("/resource", "Authorization: DPoP "+access,
			"DPoP: "+pair.proof(t, at.api("/resource", access)))
	}
	if b := call(at); b.text("binding") != "dpop+certificate" {
		t.Errorf("answered %s", b.raw)
	}
	if b := call(x.alias()); b.status != 401 {
		t.Errorf("without certificate: %s", b.raw)
	}
	// A proof for the alias is none for the main listener.
	wrong := "DPoP: " + pair.proof(t, x.proven("/token"))
	x.wantError(at.send("/token", redemption(x.code("client_id=ca"), "client_id=ca"), wrong), 400,
		"invalid_dpop_proof")
}
