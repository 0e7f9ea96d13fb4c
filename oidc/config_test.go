package oidc_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// newMemLogin is a client of the root package at p.
func newMemLogin(t testing.TB, p http.RoundTripper, i authcode.Provider, changes ...func(*authcode.Config)) *authcode.Client {
	t.Helper()
	cfg := memConfig(p, i)
	for _, change := range changes {
		change(&cfg)
	}
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func memConfig(p http.RoundTripper, i authcode.Provider) authcode.Config {
	return authcode.Config{
		Provider: i, ClientID: memClient, ClientAuth: authcode.Public(),
		RedirectURL: "https://app.example/callback",
		Wrap:        func(http.RoundTripper) http.RoundTripper { return p },
		CookieKeys:  [][]byte{bytes.Repeat([]byte("0123456789"), 4)}, LoginURL: "/auth/op",
	}
}

// TestFaultsAtNew: authcode.New lists what is wrong with the arguments of oidc.Provider, in words, once.
func TestFaultsAtNew(t *testing.T) {
	for claim, row := range map[string]struct {
		issuer string
		opts   []oidc.Option
		algs   []string
		want   string
	}{
		"no issuer":            {"", nil, nil, "the issuer must be an absolute https URL"},
		"no scheme":            {"id.example", nil, nil, "the issuer must be an absolute https URL"},
		"http":                 {"http://id.example", nil, nil, "the issuer must be an absolute https URL"},
		"no host":              {"https://", nil, nil, "the issuer must be an absolute https URL"},
		"a template alone":     {"https://id.example/{tenantid}", nil, nil, "an issuer with {tenantid} needs one"},
		"two tenants in it":    {"https://id.example/{tenantid}/{tenantid}", []oidc.Option{oidc.MetadataURL("https://id.example/m")}, nil, "the issuer must be an absolute https URL"},
		"no algorithm":         {memIssuer, nil, []string{"none"}, "Provider.Algorithms"},
		"HMAC":                 {memIssuer, nil, []string{"RS256", "HS256"}, "Provider.Algorithms"},
		"an empty list":        {memIssuer, nil, []string{}, "Provider.Algorithms"},
		"no tenant":            {memIssuer, []oidc.Option{oidc.Tenants()}, nil, "at least one tenant id"},
		"a domain with an at":  {memIssuer, []oidc.Option{oidc.HostedDomain("@corp.example")}, nil, "bare domains"},
		"a domain with spaces": {memIssuer, []oidc.Option{oidc.HostedDomain(" corp.example")}, nil, "bare domains"},
		"a domain as URL":      {memIssuer, []oidc.Option{oidc.HostedDomain("https://corp.example")}, nil, "bare domains"},
		"a domain with a dot":  {memIssuer, []oidc.Option{oidc.HostedDomain(".corp.example")}, nil, "bare domains"},
	} {
		t.Run(claim, func(t *testing.T) {
			cfg := memConfig(newMemOP("RS256"), oidc.Provider(row.issuer, row.opts...))
			cfg.Provider.Algorithms = row.algs
			_, err := authcode.New(cfg)
			if err == nil || strings.Count(err.Error(), row.want) != 1 || strings.Contains(err.Error(), "config.") {
				t.Errorf("got %v, want one with %q", err, row.want)
			}
		})
	}
}

// TestAllFaults: a value with three bad arguments names all three, each once, and New lists them beside its own.
func TestAllFaults(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider("//id.example", oidc.Tenants(), oidc.HostedDomain("@corp"), oidc.HostedDomain(""), nil)
	var e *authcode.Error
	if !errors.As(i.Err, &e) || e.Reason != authcode.Configuration || e.Check != "config" || len(e.Faults) != 3 {
		t.Fatalf("got %#v", i.Err)
	}
	words := []string{"the issuer must be an absolute https URL", "at least one tenant id", "bare domains"}
	for n, want := range words {
		if !strings.Contains(e.Faults[n], want) {
			t.Errorf("fault %d is %q, want one with %q", n, e.Faults[n], want)
		}
	}
	cfg := memConfig(p, i)
	cfg.ClientID = ""
	_, err := authcode.New(cfg)
	if !errors.As(err, &e) || len(e.Faults) != 4 {
		t.Fatalf("New says %v", err)
	}
	for _, want := range append(words, "Config.ClientID is empty") {
		if !slices.ContainsFunc(e.Faults, func(fault string) bool { return strings.Contains(fault, want) }) ||
			strings.Count(err.Error(), want) != 1 {
			t.Errorf("New does not say once that %s: %v", want, err)
		}
	}
	_, metadata := endpoints(t.Context(), i, p)
	_, identity := i.Identity(t.Context(), p.login(p.token(nil)))
	_, jwt := i.Verify(t.Context(), p.conn(i), "oauth-authz-resp+jwt", signedResponse(p, nil))
	for name, err := range map[string]error{"Metadata": metadata, "Identity": identity, "Verify": jwt} {
		if !errors.As(err, &e) || len(e.Faults) != 3 || len(p.seen) > 0 {
			t.Errorf("%s says %v, after %d requests", name, err, len(p.seen))
		}
	}
	if _, err := authcode.New(memConfig(p, oidc.Provider(memIssuer, nil, oidc.UserInfo()))); err != nil {
		t.Errorf("a nil option: %v", err)
	}
}

// TestUpperCase: how a domain or a tenant is written does not decide who is admitted.
func TestUpperCase(t *testing.T) {
	p := newMemOP("RS256")
	wantIdentity(t, oidc.Provider(memIssuer, oidc.HostedDomain("Corp.Example")), p.login(p.token(members{"hd": "corp.example"})))
	wantIdentity(t, oidc.Provider(memIssuer, oidc.Tenants(strings.ToUpper(msTenant))), p.login(p.token(members{"tid": msTenant})))
}

// TestCausesOfDocuments: who cannot load a document learns why, and may test for it.
func TestCausesOfDocuments(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // a client refuses the certificate
	srv.StartTLS()
	defer srv.Close()
	load := func(issuer string, transport *http.Transport) error {
		i := oidc.Provider(issuer)
		_, err := i.Metadata(t.Context(), &authcode.Connection{Config: authcode.Config{Provider: i}, Transport: transport})
		return err
	}
	err := load(srv.URL, &http.Transport{})
	wantError(t, err, authcode.Unreachable, "discovery.unreachable")
	if !errors.As(err, new(*tls.CertificateVerificationError)) || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("a private CA: %v", err)
	}
	err = load("https://id.invalid", &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "canary", Name: "canary", IsNotFound: true}
		}})
	if !errors.As(err, new(*net.DNSError)) || !strings.Contains(err.Error(), "could not be resolved") || strings.Contains(err.Error(), "canary") {
		t.Errorf("an unknown name: %v", err)
	}
}

// TestHighSecurityMetadata: PAR and the aliases of mutual TLS come from the metadata; an alias that is
// unusable counts as none.
func TestHighSecurityMetadata(t *testing.T) {
	p := newMemOP("RS256")
	p.metadata["pushed_authorization_request_endpoint"] = "https://op.example/par"
	p.metadata["require_pushed_authorization_requests"] = true
	p.metadata["introspection_endpoint"] = "https://op.example/introspect"
	p.metadata["mtls_endpoint_aliases"] = members{
		"token_endpoint": "https://mtls.op.example/token", "revocation_endpoint": "http://127.0.0.1/revoke",
		"pushed_authorization_request_endpoint": "https://mtls.op.example/par", "userinfo_endpoint": "https://mtls.op.example/userinfo",
		"introspection_endpoint": "https://mtls.op.example/introspect",
	}
	found, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
	want := authcode.Endpoints{
		TokenURL: "https://mtls.op.example/token", PARURL: "https://mtls.op.example/par",
		UserInfoURL: "https://mtls.op.example/userinfo", IntrospectionURL: "https://mtls.op.example/introspect",
	}
	if err != nil || found.PARURL != "https://op.example/par" || !found.RequirePAR || found.IntrospectionURL != "https://op.example/introspect" ||
		found.MTLS == nil || *found.MTLS != want {
		t.Errorf("got %+v, %v", found, err)
	}
	delete(p.metadata, "mtls_endpoint_aliases")
	if found, err := endpoints(t.Context(), oidc.Provider(memIssuer), p); err != nil || found.MTLS != nil {
		t.Errorf("without aliases: got %+v, %v", found, err)
	}
	// An app without certificate does not fail because of them.
	for _, bad := range []any{"x", []string{}, members{"token_endpoint": 7}} {
		p.metadata["mtls_endpoint_aliases"] = bad
		found, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
		if err != nil || found.MTLS != nil && *found.MTLS != (authcode.Endpoints{}) {
			t.Errorf("aliases %v: got %+v, %v", bad, found, err)
		}
	}
}

// TestUserInfoAlias: userinfo is asked at the endpoint of the Connection, in which the root package has put the
// alias where the token is bound to a certificate; without one there, at the metadata's.
func TestUserInfoAlias(t *testing.T) {
	p := newMemOP("RS256")
	p.metadata["mtls_endpoint_aliases"] = members{"userinfo_endpoint": "https://mtls.op.example/userinfo"}
	hosts := ""
	p.answer(memUserInfo, func(r *http.Request) (*http.Response, error) {
		hosts += r.URL.Host + " "
		return reply(200, "application/json", `{"sub":"alice"}`), nil
	})
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	for _, row := range []struct {
		endpoint string
		bound    bool
		want     string
	}{
		{"https://op.example/userinfo", false, "op.example "},
		{"https://mtls.op.example/userinfo", true, "mtls.op.example "},
		{"https://cache.app.example/userinfo", false, "cache.app.example "},
		{"", false, "op.example "},
		{"", true, "mtls.op.example "},
	} {
		hosts = ""
		a := p.login(p.token(nil))
		a.Config.Provider, a.Config.Binding.Certificate = i, row.bound
		a.Endpoints.UserInfoURL = row.endpoint
		if _, err := i.Identity(t.Context(), a); err != nil || hosts != row.want {
			t.Errorf("endpoint %q, bound %t: userinfo was asked at %s, %v", row.endpoint, row.bound, hosts, err)
		}
	}
}

// TestWithoutKeys: only what the provider signs needs a JWKS (RFC 8414 section 2), whatever algorithms the metadata lists.
func TestWithoutKeys(t *testing.T) {
	p := newMemOP("RS256")
	delete(p.metadata, "jwks_uri")
	i := oidc.Provider(memIssuer)
	i.Identity, i.Scopes = nil, []string{"read"}
	c := newMemLogin(t, p, i)
	if login := p.finish(t, c, begin(t, c)); login.Token.AccessToken != memAccess || login.Identity != nil {
		t.Errorf("got %+v", login)
	}
	i = oidc.Provider(memIssuer)
	_, err := identify(t.Context(), i, p.login(p.token(nil)))
	wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
	for typ, text := range map[string]string{responseType: signedResponse(p, nil), "logout+jwt": p.logoutToken(nil)} {
		_, err := verify(t.Context(), i, p, typ, text)
		wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
	}
	// An app that knows the URL gives it to the Metadata function.
	standard := i.Metadata
	i.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		found, err := standard(ctx, conn)
		found.JWKSURL = "https://op.example" + memJWKS
		return found, err
	}
	wantIdentity(t, i, p.login(p.token(nil)))
}
