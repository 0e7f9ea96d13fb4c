package oidc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
)

// TestFaultsAtNew: authcode.New lists what is wrong with the arguments of oidc.New, in words, once.
func TestFaultsAtNew(t *testing.T) {
	for claim, row := range map[string]struct {
		issuer string
		opts   []oidc.Option
		want   string
	}{
		"no issuer":            {"", nil, "the issuer must be an absolute https URL"},
		"no scheme":            {"id.example", nil, "the issuer must be an absolute https URL"},
		"http":                 {"http://id.example", nil, "the issuer must be an absolute https URL"},
		"no host":              {"https://", nil, "the issuer must be an absolute https URL"},
		"a template alone":     {"https://id.example/{tenantid}", nil, "an issuer with {tenantid} needs one"},
		"no algorithm":         {memIssuer, []oidc.Option{oidc.Algorithms("none")}, "none and HMAC never are"},
		"no tenant":            {memIssuer, []oidc.Option{oidc.Tenants()}, "at least one tenant id"},
		"a domain with an at":  {memIssuer, []oidc.Option{oidc.HostedDomain("@corp.example")}, "bare domains"},
		"a domain with spaces": {memIssuer, []oidc.Option{oidc.HostedDomain(" corp.example")}, "bare domains"},
		"a domain as URL":      {memIssuer, []oidc.Option{oidc.HostedDomain("https://corp.example")}, "bare domains"},
		"a domain with a dot":  {memIssuer, []oidc.Option{oidc.HostedDomain(".corp.example")}, "bare domains"},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.New(authcode.Config{
				Provider: oidc.Provider(row.issuer, row.opts...), ClientID: memClient, ClientAuth: authcode.Public(),
				RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte(strings.Repeat("0123456789", 4))},
			})
			if err == nil || strings.Count(err.Error(), row.want) != 1 || strings.Contains(err.Error(), "config.") {
				t.Errorf("got %v, want one with %q", err, row.want)
			}
		})
	}
}

// TestUpperCase: how a domain or a tenant is written does not decide who is admitted.
func TestUpperCase(t *testing.T) {
	p := newMemOP("ES256")
	wantIdentity(t, oidc.New(memIssuer, oidc.HostedDomain("Corp.Example")), p.login(p.token(members{"hd": "corp.example"})))
	wantIdentity(t, oidc.New(memIssuer, oidc.Tenants(strings.ToUpper(msTenant))), p.login(p.token(members{"tid": msTenant})))
}

func TestIssuerOf(t *testing.T) {
	own := oidc.New(memIssuer)
	if got, ok := oidc.IssuerOf(own.Provider()); !ok || got != own {
		t.Errorf("of a provider: %p, %t", got, ok)
	}
	p := own.Provider()
	p.Metadata = nil
	if got, ok := oidc.IssuerOf(p); !ok || got != own {
		t.Errorf("with endpoints of its own: %p, %t", got, ok)
	}
	for name, p := range map[string]authcode.Provider{"Apple": provider.Apple(), "Microsoft": provider.MicrosoftAnyTenant(), "Google": provider.Google()} {
		if _, ok := oidc.IssuerOf(p); !ok {
			t.Errorf("%s has none", name)
		}
	}
	if _, ok := oidc.IssuerOf(provider.GitHub()); ok {
		t.Error("GitHub has one")
	}
}

// TestCausesOfDocuments: who cannot load a document learns why, and may test for it.
func TestCausesOfDocuments(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // a client refuses the certificate
	srv.StartTLS()
	defer srv.Close()
	i := oidc.New(srv.URL)
	_, err := i.Load(t.Context(), &http.Client{Transport: &http.Transport{}})
	wantError(t, err, authcode.Unreachable, "discovery.unreachable")
	if !errors.As(err, new(*tls.CertificateVerificationError)) || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("a private CA: %v", err)
	}
	_, err = oidc.New("https://id.invalid").Load(t.Context(), &http.Client{Transport: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "canary", Name: "canary", IsNotFound: true}
		}}})
	if !errors.As(err, new(*net.DNSError)) || !strings.Contains(err.Error(), "could not be resolved") || strings.Contains(err.Error(), "canary") {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestHighSecurityMetadata: PAR and the aliases of mutual TLS come from the metadata; an alias that is
// unusable counts as none.
func TestHighSecurityMetadata(t *testing.T) {
	p := newMemOP("ES256")
	p.metadata["pushed_authorization_request_endpoint"] = "https://op.example/par"
	p.metadata["require_pushed_authorization_requests"] = true
	aliases := members{
		"token_endpoint": "https://mtls.op.example/token", "revocation_endpoint": "http://127.0.0.1/revoke",
		"pushed_authorization_request_endpoint": "https://mtls.op.example/par", "userinfo_endpoint": "https://mtls.op.example/userinfo",
	}
	p.metadata["mtls_endpoint_aliases"] = aliases
	found, err := oidc.New(memIssuer).Load(t.Context(), p.client())
	want := authcode.Aliases{TokenURL: "https://mtls.op.example/token", PARURL: "https://mtls.op.example/par"}
	if err != nil || found.PARURL != "https://op.example/par" || !found.RequirePAR || found.MTLS != want {
		t.Errorf("got %+v, %v", found, err)
	}
	a := p.login(p.token(nil))
	a.MTLS = true
	hosts := ""
	p.answer(memUserInfo, func(r *http.Request) (*http.Response, error) {
		hosts += r.URL.Host + " "
		return reply(200, "application/json", `{"sub":"alice"}`), nil
	})
	wantIdentity(t, oidc.New(memIssuer, oidc.UserInfo()), a)
	a.MTLS = false
	wantIdentity(t, oidc.New(memIssuer, oidc.UserInfo()), a)
	if hosts != "mtls.op.example op.example " {
		t.Errorf("userinfo was asked at %s", hosts)
	}
	i := oidc.New(memIssuer, oidc.HTTPClient(p.client()))
	alias, err := i.UserInfoAlias(t.Context())
	if plain, e := i.UserInfoURL(t.Context()); err != nil || e != nil || alias != "https://mtls.op.example/userinfo" || plain != "https://op.example/userinfo" {
		t.Errorf("got %s and %s, %v %v", alias, plain, err, e)
	}
	for _, bad := range []any{"x", []string{}, members{"token_endpoint": 7}} {
		p.metadata["mtls_endpoint_aliases"] = bad
		_, err := oidc.New(memIssuer).Load(t.Context(), p.client())
		wantError(t, err, authcode.BadAnswer, "discovery.form")
	}
}

// TestWithoutKeys: a server that issues no ID tokens needs no JWKS (RFC 8414 section 2); one that does cannot do without.
func TestWithoutKeys(t *testing.T) {
	p := newMemOP("ES256")
	delete(p.metadata, "jwks_uri")
	_, err := oidc.New(memIssuer).Load(t.Context(), p.client())
	wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
	delete(p.metadata, "id_token_signing_alg_values_supported")
	if _, err := oidc.New(memIssuer).Load(t.Context(), p.client()); err != nil {
		t.Error(err)
	}
	_, err = oidc.New(memIssuer, oidc.Algorithms("ES256")).Identify(t.Context(), p.login(p.token(nil)))
	wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
}

// TestNotify: what no person is shown reaches the operator.
func TestNotify(t *testing.T) {
	p := newMemOP("ES256")
	delete(p.metadata, "end_session_endpoint")
	var seen []string
	i := oidc.New(memIssuer, oidc.HTTPClient(p.client()), oidc.Notify(func(_ *http.Request, err *authcode.Error) {
		seen = append(seen, err.Check)
	}))
	ended := func(context.Context, oidc.LogoutToken) error { return nil }
	fails := func(context.Context, oidc.LogoutToken) error { return errors.New("canary") }
	leave := func(http.ResponseWriter, *http.Request) (oidc.Logout, error) { return oidc.Logout{}, nil }
	frame := "https://app.example/frame?sid=1&iss=" + url.QueryEscape(memIssuer)
	for _, row := range []struct {
		handler http.Handler
		request *http.Request
		status  int
		check   string // empty: nothing to say
	}{
		{i.BackChannelLogoutHandler(memClient, ended), form("logout_token=x"), 400, "logout_token.form"},
		{i.BackChannelLogoutHandler(memClient, ended), form(""), 400, "logout_token.missing"},
		{i.BackChannelLogoutHandler(memClient, ended), httptest.NewRequest("GET", "https://app.example/", nil), 400, "logout_token.method"},
		{i.FrontChannelLogoutHandler(ended), httptest.NewRequest("GET", frame+"x", nil), 400, "logout.sid"},
		{i.FrontChannelLogoutHandler(fails), httptest.NewRequest("GET", frame, nil), 500, "logout.end"},
		{i.FrontChannelLogoutHandler(ended), httptest.NewRequest("GET", frame, nil), 200, ""},
		{i.LogoutHandler(leave), httptest.NewRequest("POST", "https://app.example/", nil), 303, "logout.endpoint"},
	} {
		seen = nil
		rec := httptest.NewRecorder()
		row.handler.ServeHTTP(rec, row.request)
		if got := strings.Join(seen, " "); rec.Code != row.status || got != row.check {
			t.Errorf("status %d and notified of %q, want %d and %q", rec.Code, got, row.status, row.check)
		}
	}
}
