package oidc_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// TestProvider: the description needs no request, and its fields are for the app to change.
func TestProvider(t *testing.T) {
	p := oidc.Provider(memIssuer)
	if p.Name != "oidc" || p.Issuer != memIssuer || p.IsIssuer != nil || p.Err != nil ||
		p.Metadata == nil || p.Identity == nil || p.Verify == nil ||
		!slices.Equal(p.Scopes, []string{"openid", "profile", "email"}) {
		t.Errorf("got %+v", p)
	}
	if hd := oidc.Provider(memIssuer, oidc.HostedDomain("a.example")).AuthParams["hd"]; hd != "a.example" {
		t.Errorf("hd is %q", hd)
	}
	if hd := oidc.Provider(memIssuer, oidc.HostedDomain("a.example", "b.example")).AuthParams["hd"]; hd != "*" {
		t.Errorf("hd is %q", hd)
	}
}

// faultyArguments are arguments of Provider that it refuses.
var faultyArguments = []struct {
	issuer string
	opts   []oidc.Option
	check  string
}{
	{"", nil, "config.issuer"},
	{"op.example", nil, "config.issuer"},
	{"http://op.example", nil, "config.issuer"},
	{"ftp://op.example", nil, "config.issuer"},
	{"https://", nil, "config.issuer"},
	{"https://u:p@op.example", nil, "config.issuer"},
	{"https://op.example?x=1", nil, "config.issuer"},
	{"https://op.example?", nil, "config.issuer"},
	{"https://op.example#", nil, "config.issuer"},
	{"https://op.example/\x00", nil, "config.issuer"},
	{"https:op.example", nil, "config.issuer"},
	{"https://[::1", nil, "config.issuer"},
	{"http://localhost.evil.example", nil, "config.issuer"},
	{"https://{tenantid}.example/{tenantid}", []oidc.Option{oidc.MetadataURL("https://op.example/m")}, "config.issuer"},
	{"https://login.example/{tenantid}/v2.0", nil, "config.metadata_url"},
	{memIssuer, []oidc.Option{oidc.MetadataURL("op.example/m")}, "config.metadata_url"},
	{memIssuer, []oidc.Option{oidc.Tenants()}, "config.tenants"},
	{memIssuer, []oidc.Option{oidc.Tenants("a/b")}, "config.tenants"},
	{memIssuer, []oidc.Option{oidc.HostedDomain()}, "config.hosted_domain"},
	{memIssuer, []oidc.Option{oidc.HostedDomain("")}, "config.hosted_domain"},
}

// TestFaultyArguments: whatever string comes, Provider does not panic. Its value says what is wrong, and so
// does each of its functions.
func TestFaultyArguments(t *testing.T) {
	for _, row := range faultyArguments {
		t.Run(row.check+" "+row.issuer, func(t *testing.T) {
			op := newMemOP("RS256")
			i := oidc.Provider(row.issuer, row.opts...)
			wantError(t, i.Err, authcode.Configuration, row.check)
			_, err := endpoints(t.Context(), i, op)
			wantError(t, err, authcode.Configuration, row.check)
			a := op.login(op.token(nil))
			_, err = i.Identity(t.Context(), a)
			wantError(t, err, authcode.Configuration, row.check)
			a.Previous = tokenWith("")
			_, err = i.Identity(t.Context(), a)
			wantError(t, err, authcode.Configuration, row.check)
			_, err = i.Verify(t.Context(), op.conn(i), "logout+jwt", op.logoutToken(nil))
			wantError(t, err, authcode.Configuration, row.check)
			if i.IsIssuer != nil && i.IsIssuer(strings.ReplaceAll(row.issuer, "{tenantid}", "a")) {
				t.Error("an issuer is accepted")
			}
			if len(op.seen) > 0 {
				t.Error("a request was made")
			}
		})
	}
}

// asPublished are the endpoints that a good document names.
var asPublished = authcode.Endpoints{
	AuthURL: "https://op.example/authorize", TokenURL: "https://op.example/token",
	RevocationURL: "https://op.example/revoke", UserInfoURL: "https://op.example" + memUserInfo,
	EndSessionURL: "https://op.example/logout", JWKSURL: "https://op.example" + memJWKS, RequireIss: true,
	DPoPAlgorithms: "none",
}

// published are these endpoints, changed.
func published(change func(*authcode.Endpoints)) authcode.Endpoints {
	e := asPublished
	change(&e)
	return e
}

// publishedStyle are these endpoints with a style of client authentication.
func publishedStyle(s oauth2.AuthStyle) authcode.Endpoints {
	return published(func(e *authcode.Endpoints) { e.AuthStyle = s })
}

const (
	methodsMember = "token_endpoint_auth_methods_supported"
	pkceMember    = "code_challenge_methods_supported"
	issMember     = "authorization_response_iss_parameter_supported"
	proofsMember  = "dpop_signing_alg_values_supported"
)

// signsWith are the algorithms that the provider takes in assertions, request objects and proofs.
func signsWith(assertions, objects, proofs string) members {
	m := members{}
	for name, list := range map[string]string{
		"token_endpoint_auth_signing_alg_values_supported": assertions,
		"request_object_signing_alg_values_supported":      objects, proofsMember: proofs,
	} {
		if list != "" {
			m[name] = strings.Fields(list)
		}
	}
	return m
}

var renamed = renamedProofs("none")

// renamedProofs is renamed with these algorithms for proofs.
func renamedProofs(algorithms string) authcode.Endpoints {
	return published(func(e *authcode.Endpoints) { e.Ed25519, e.DPoPAlgorithms = true, algorithms })
}

// documents are changes of a good document, and what is read.
var documents = []struct {
	claim  string
	change members
	want   authcode.Endpoints
	check  string
}{
	{claim: "a good document is read", want: asPublished},
	{claim: "no revocation endpoint is fine", change: members{"revocation_endpoint": nil},
		want: published(func(e *authcode.Endpoints) { e.RevocationURL = "" })},
	{claim: "iss is required only where it is promised", change: members{issMember: nil},
		want: published(func(e *authcode.Endpoints) { e.RequireIss = false })},
	{claim: "a text is no promise", change: members{issMember: "true"}, want: published(func(e *authcode.Endpoints) { e.RequireIss = false })},
	{claim: "Basic goes first", change: members{methodsMember: []string{"client_secret_post", "client_secret_basic"}}, want: publishedStyle(oauth2.AuthStyleInHeader)},
	{claim: "the body where there is no Basic", change: members{methodsMember: []string{"private_key_jwt", "client_secret_post"}}, want: publishedStyle(oauth2.AuthStyleInParams)},
	{claim: "neither leaves it open", change: members{methodsMember: []string{"private_key_jwt"}}, want: asPublished},
	{claim: "a revocation endpoint over http is as none", change: members{"revocation_endpoint": "http://op.example/revoke"},
		want: published(func(e *authcode.Endpoints) { e.RevocationURL = "" })},
	{claim: "a revocation endpoint on the app's host is as none", change: members{"revocation_endpoint": "http://127.0.0.1/revoke"},
		want: published(func(e *authcode.Endpoints) { e.RevocationURL = "" })},
	{claim: "a token endpoint on the app's host is refused", change: members{"token_endpoint": "http://localhost/token"}, check: "discovery.endpoints"},
	{claim: "keys on the app's host are as none", change: members{"jwks_uri": "http://[::1]:6379/"},
		want: published(func(e *authcode.Endpoints) { e.JWKSURL = "" })},
	{claim: "ID token algorithms without keys are fine", change: members{"jwks_uri": nil},
		want: published(func(e *authcode.Endpoints) { e.JWKSURL = "" })},
	{claim: "Ed25519 is a name beside others", change: signsWith("Ed25519 ES256", "", ""), want: renamed},
	{claim: "in any of the lists", change: signsWith("", "Ed25519", "ES256"), want: renamedProofs("ES256")},
	{claim: "in the last one", change: signsWith("ES256", "", "Ed25519"), want: renamedProofs("EdDSA Ed25519")},
	{claim: "a list with both leaves it open", change: signsWith("EdDSA Ed25519", "", ""), want: asPublished},
	{claim: "so another decides", change: signsWith("EdDSA Ed25519", "Ed25519", "Ed25519 EdDSA"), want: renamedProofs("EdDSA Ed25519")},
	{claim: "EdDSA stays where one demands it", change: signsWith("Ed25519", "EdDSA", ""), want: asPublished},
	{claim: "in whichever order", change: signsWith("EdDSA", "Ed25519", ""), want: asPublished},
	{claim: "a text in place of a list says nothing", change: members{proofsMember: "Ed25519"}, want: asPublished},
	{claim: "S256 alone is fine", change: members{pkceMember: []string{"S256"}}, want: asPublished},
	{claim: "nothing about PKCE is fine", change: members{pkceMember: nil}, want: asPublished},
	{claim: "DPoP is offered by its algorithms", change: members{proofsMember: []string{"ES256", "none", "HS256", "ES256K", "PS256"}},
		want: published(func(e *authcode.Endpoints) { e.DPoPAlgorithms = "ES256 PS256" })},
	{claim: "DPoP by unknown algorithms is as none", change: members{proofsMember: []string{"ES256K"}}, want: asPublished},
	{claim: "DPoP by a text is as none", change: members{proofsMember: "ES256"}, want: asPublished},
	{claim: "only plain is refused", change: members{pkceMember: []string{"plain"}}, check: "discovery.pkce"},
	{claim: "another issuer is refused", change: members{"issuer": "https://evil.example"}, check: "discovery.issuer"},
	{claim: "the issuer with a slash more is refused", change: members{"issuer": memIssuer + "/"}, check: "discovery.issuer"},
	{claim: "the issuer with its port is refused", change: members{"issuer": "https://op.example:443/realm"}, check: "discovery.issuer"},
	{claim: "no issuer is refused", change: members{"issuer": nil}, check: "discovery.issuer"},
	{claim: "an issuer in a list is refused", change: members{"issuer": []string{memIssuer}}, check: "discovery.issuer"},
	{claim: "a token endpoint that is a number is refused", change: members{"token_endpoint": 1}, check: "discovery.endpoints"},
	{claim: "so is an authorization endpoint", change: members{"authorization_endpoint": []string{"https://op.example/authorize"}}, check: "discovery.endpoints"},
	{claim: "what only some apps need may be malformed", change: members{"revocation_endpoint": 1, "end_session_endpoint": true,
		"jwks_uri": members{}, methodsMember: "client_secret_post", "mtls_endpoint_aliases": []string{"https://m.example"}},
		want: published(func(e *authcode.Endpoints) { e.RevocationURL, e.EndSessionURL, e.JWKSURL = "", "", "" })},
	{claim: "a list of methods that is null is none", change: members{pkceMember: (*string)(nil)}, want: asPublished},
	{claim: "methods in a text are refused", change: members{pkceMember: "S256"}, check: "discovery.form"},
	{claim: "members in two spellings are refused", change: members{"Issuer": memIssuer}, check: "discovery.form"},
}

func TestMetadata(t *testing.T) {
	for _, row := range documents {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			p.metadata = changed(p.metadata, row.change)
			got, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
			if row.check != "" {
				wantError(t, err, authcode.BadAnswer, row.check)
			} else if err != nil || got != row.want {
				t.Errorf("got %+v, %v\nwant %+v", got, err, row.want)
			}
		})
	}
}

// TestPromisesBesideMetadata: an app may demand what the metadata does not promise, but set no URL.
func TestPromisesBesideMetadata(t *testing.T) {
	p := oidc.Provider(memIssuer)
	p.AuthStyle, p.RequireIss, p.RequirePAR, p.Ed25519 = oauth2.AuthStyleInParams, true, true, true
	if _, err := endpoints(t.Context(), p, newMemOP("RS256")); err != nil {
		t.Error(err)
	}
	p.JWKSURL = "https://op.example/keys"
	_, err := endpoints(t.Context(), p, newMemOP("RS256"))
	wantError(t, err, authcode.Configuration, "discovery.unused")
}

func TestMetadataAnswers(t *testing.T) {
	rows := []struct {
		claim  string
		answer func(*http.Request) (*http.Response, error)
		reason authcode.Reason
		check  string
	}{
		{"a web page is refused", always(200, "text/html", "<html>"), authcode.BadAnswer, "discovery.form"},
		{"a list is refused", always(200, "", "[]"), authcode.BadAnswer, "discovery.form"},
		{"an empty answer is refused", always(200, "", ""), authcode.BadAnswer, "discovery.form"},
		{"more than 256 KiB is refused", always(200, "", `{"issuer":"`+strings.Repeat("x", 256<<10)+`"}`), authcode.BadAnswer, "discovery.size"},
		{"an error is reported", always(500, "", ""), authcode.BadAnswer, "discovery.status"},
		{"an empty success is reported", always(204, "", ""), authcode.BadAnswer, "discovery.status"},
		{"a busy server is reported", always(429, "", ""), authcode.Overloaded, "discovery.status"},
		{"a redirect is not followed", redirectTo("https://op.example" + memOAuth), authcode.BadAnswer, "discovery.redirect"},
		{"no connection is reported", down, authcode.Unreachable, "discovery.unreachable"},
		{"no response is reported", func(*http.Request) (*http.Response, error) { return nil, nil }, authcode.Unreachable, "discovery.unreachable"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			p.answer(memMetadata, row.answer)
			_, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
			wantError(t, err, row.reason, row.check)
			p.wantRequests(t, memOAuth, 0)
		})
	}
}

// TestMetadataPlaces: OpenID Connect Discovery section 4, then RFC 8414 section 3, or where the app says.
func TestMetadataPlaces(t *testing.T) {
	const oidcPath, oauthPath = "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"
	rows := []struct {
		issuer string
		at     string // the only path with a document
		opts   []oidc.Option
		asked  []string
	}{
		{"https://op.example", oidcPath, nil, []string{oidcPath}},
		{"https://op.example/", oidcPath, nil, []string{oidcPath}},
		{"https://op.example/a/b", "/a/b" + oidcPath, nil, []string{"/a/b" + oidcPath}},
		{"https://op.example/a/", "/a" + oidcPath, nil, []string{"/a" + oidcPath}},
		{"https://op.example", oauthPath, nil, []string{oidcPath, oauthPath}},
		{"https://op.example/a/b", oauthPath + "/a/b", nil, []string{"/a/b" + oidcPath, oauthPath + "/a/b"}},
		{"https://op.example/a/", oauthPath + "/a", nil, []string{"/a" + oidcPath, oauthPath + "/a"}},
		{"https://op.example/a", "/m", []oidc.Option{oidc.MetadataURL("https://op.example/m")}, []string{"/m"}},
	}
	for _, row := range rows {
		t.Run(row.issuer+" "+row.at, func(t *testing.T) {
			p := newMemOP("RS256")
			p.metadata["issuer"] = row.issuer
			p.answer(row.at, always(200, "", string(must(json.Marshal(p.metadata)))))
			if _, err := endpoints(t.Context(), oidc.Provider(row.issuer, row.opts...), p); err != nil {
				t.Error(err)
			}
			for _, path := range row.asked {
				p.wantRequests(t, path, 1)
			}
			if len(p.seen) != len(row.asked) {
				t.Errorf("asked for %v, want %v", p.seen, row.asked)
			}
		})
	}
}
