package clientauth_test

import (
	"context"
	"crypto"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// method names the client authentication that a request to the provider carries, and demands that there is
// only one.
func method(t *testing.T, s seen) string {
	t.Helper()
	var found []string
	if s.header.Get("Authorization") != "" {
		found = append(found, "Authorization header")
	}
	if s.form.Has("client_secret") {
		found = append(found, "client_secret")
	}
	if s.form.Has("client_assertion") || s.form.Has("client_assertion_type") {
		found = append(found, "assertion")
	}
	if len(found) > 1 || len(s.form["client_id"]) != 1 || s.form.Get("client_id") != clientID {
		t.Errorf("%s: methods %q, client_id %q", s.path, found, s.form["client_id"])
	}
	if len(found) == 0 {
		return "none"
	}
	return found[0]
}

// back are the endpoints that the app authenticates at.
var back = []string{"/token", "/par", "/revoke", "/introspect"}

// combination is a way to authenticate together with a way to bind tokens.
type combination struct {
	claim   string
	auth    authcode.ClientAuth
	binding authcode.Binding
	cert    bool   // there is a certificate
	method  string // of requests to back
	host    string // where they go
	bound   bool   // API requests are under the certificate
	alg     string
	key     any
}

func combinations() []combination {
	assertion := clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey, ID: "k"})
	plain, bound, m := authcode.Binding{}, clientauth.CertificateBound(), clientauth.MutualTLS()
	twice := tagged()
	twice.Certificate = true
	return []combination{
		{"private_key_jwt", assertion, plain, false, "assertion", "main", false, "ES256", ecKey.Public()},
		{"private_key_jwt with rotating keys", clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: rsaKey})), plain,
			false, "assertion", "main", false, "PS256", crypto.PublicKey(&rsaKey.PublicKey)},
		{"client_secret_jwt", clientauth.SecretJWT(secret32), plain, false, "assertion", "main", false, "HS256", []byte(secret32)},
		{"private_key_jwt with another binding", assertion, tagged(), false, "assertion", "main", false, "ES256", ecKey.Public()},
		{"mutual TLS", m, plain, true, "none", "mtls", false, "", nil},
		{"mutual TLS for both", m, bound, true, "none", "mtls", true, "", nil},
		{"mutual TLS with another binding", m, tagged(), true, "none", "mtls", false, "", nil},
		{"private_key_jwt, bound by mutual TLS", assertion, bound, true, "assertion", "mtls", true, "ES256", ecKey.Public()},
		{"private_key_jwt, bound by mutual TLS and something else", assertion, twice, true, "assertion", "mtls", true, "ES256", ecKey.Public()},
		{"client_secret_jwt, bound by mutual TLS", clientauth.SecretJWT(secret32), bound, true, "assertion", "mtls", true, "HS256", []byte(secret32)},
	}
}

// TestWholeLogins takes every combination through a whole life: discovery, pushed request, code, keys, userinfo,
// refresh, API, introspection, revocation. Each request has the one method it should have, at the host where it should be,
// and the certificate is seen nowhere else.
func TestWholeLogins(t *testing.T) {
	cert := clientCert("tls")
	for _, row := range combinations() {
		t.Run(row.claim, func(t *testing.T) { row.live(t, cert.Certificate[0], clientauth.Certificate(cert)) })
	}
}

// wantKeys checks which certificate and which proof a request shows.
func (row combination) wantKeys(t *testing.T, s seen, der []byte, tokenType string) {
	isBack, isResource := slices.Contains(back, s.path), s.path == "/userinfo" || s.host == "api"
	shows := isBack && row.cert || row.bound && isResource
	if want := map[bool]string{true: thumbprint(der)}[shows]; s.cert != want {
		t.Errorf("%s at %s: certificate %q, want %q", s.path, s.host, s.cert, want)
	}
	if s.path == "/userinfo" && (s.host == "mtls") != row.bound {
		t.Errorf("userinfo was asked at %s", s.host)
	}
	if proven := s.header.Get("DPoP") != ""; proven != (tokenType == "DPoP" &&
		(isResource || s.path == "/token" || s.path == "/par")) {
		t.Errorf("%s at %s: proven %t", s.path, s.host, proven)
	}
}

// live has a Client with this combination go through its life.
func (row combination) live(t *testing.T, der []byte, cert certificateFunc) {
	p := newOP(t)
	if row.binding.TokenType != "" {
		p.tokenType = row.binding.TokenType
	}
	c := p.client(t, row.auth, func(cfg *authcode.Config) {
		cfg.Binding = row.binding
		if row.cert {
			cfg.Certificate = cert
		}
	})
	jtis := make(map[string]bool)
	paths := live(t, p, c, func(s seen) {
		row.wantKeys(t, s, der, p.tokenType)
		if !slices.Contains(back, s.path) {
			return
		}
		if got := method(t, s); got != row.method || s.host != row.host {
			t.Errorf("%s: %s at %s, want %s at %s", s.path, got, s.host, row.method, row.host)
		}
		if row.alg != "" {
			j := verify(t, s.form.Get("client_assertion"), row.alg, row.key)
			if j.claims["aud"] != p.main.URL {
				t.Errorf("%s: aud %v, want the issuer", s.path, j.claims["aud"])
			}
			jtis[j.text("jti")] = true
		}
	})
	want := []string{"/.well-known/openid-configuration", "/api", "/introspect", "/jwks", "/par", "/revoke", "/token", "/userinfo"}
	if !slices.Equal(paths, want) {
		t.Errorf("paths %q, want %q", paths, want)
	}
	if row.alg != "" && len(jtis) != 5 {
		t.Errorf("%d different jti in 5 requests", len(jtis))
	}
}

// live signs in, calls an API, refreshes, calls it again, introspects and revokes, hands each request to check, and
// returns the paths.
func live(t *testing.T, p *op, c *authcode.Client, check func(seen)) (paths []string) {
	t.Helper()
	login, _ := p.login(t, c)
	if login.Identity.Subject != "alice" {
		t.Errorf("identity %v", login.Identity)
	}
	fresh, err := c.Refresh(context.Background(), login.Token)
	if err != nil || fresh.AccessToken == login.Token.AccessToken {
		t.Fatalf("refresh: %v", err)
	}
	resp, err := must(c.TokenSource(fresh, nil).APIClient(p.api.URL)).Get(p.api.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	conn := must(c.Connection(context.Background()))
	resp, err = c.PostForm(context.Background(), conn.Endpoints.IntrospectionURL, "application/json", url.Values{"token": {fresh.AccessToken}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if err := c.Revoke(context.Background(), fresh); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.requests() {
		check(s)
		paths = append(paths, s.path)
		if s.path == "/api" && s.header.Get("Authorization") != p.tokenType+" "+fresh.AccessToken {
			t.Errorf("the API got %q", s.header.Get("Authorization"))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// TestRepeatedRequest: one that is made again, because the provider demands a nonce, has an assertion of its own.
func TestRepeatedRequest(t *testing.T) {
	p := newOP(t)
	p.tokenType, p.demand = "DPoP", true
	c := p.client(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), func(cfg *authcode.Config) { cfg.Binding = tagged() })
	p.login(t, c)
	jtis, pushed := make(map[string]bool), 0
	for _, s := range p.requests() {
		if s.form.Has("client_assertion") {
			jtis[verify(t, s.form.Get("client_assertion"), "ES256", ecKey.Public()).text("jti")] = true
			if pushed++; len(s.form["client_assertion"]) != 1 {
				t.Errorf("assertions %q", s.form["client_assertion"])
			}
		}
	}
	if pushed != 3 || len(jtis) != 3 {
		t.Errorf("%d requests with %d different jti, want PAR twice and token once", pushed, len(jtis))
	}
}

// TestSignedRequests: the request object is pushed with only the client id beside it, or goes by the browser with
// response_type and scope as well. Everything is inside.
func TestSignedRequests(t *testing.T) {
	for _, disablePAR := range []bool{false, true} {
		p := newOP(t)
		c := p.client(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), func(cfg *authcode.Config) {
			cfg.Provider.Identity, cfg.Provider.Scopes = nil, []string{"a", "b"}
			cfg.MessageSigning, cfg.DisablePAR = clientauth.SignRequests(clientauth.Key{Signer: ecKey}), disablePAR
		})
		_, u := p.login(t, c, authcode.Param("max_age", "60"), authcode.Param("resource", "https://a.example", "https://b.example"),
			authcode.Param("authorization_details", `[{"type":"payment"}]`))
		beside, object := u.Query(), u.Query().Get("request")
		if disablePAR != (object != "") {
			t.Errorf("the browser carries %v", u.Query())
		}
		for _, s := range p.requests() {
			if s.path == "/par" {
				beside, object = s.form, s.form.Get("request")
				if len(u.Query()) != 2 || method(t, s) != "assertion" {
					t.Errorf("the browser carries %v", u.Query())
				}
				beside.Del("client_assertion")
				beside.Del("client_assertion_type")
			}
		}
		want := 2
		if disablePAR && beside.Get("response_type") == "code" && beside.Get("scope") == "a b" {
			want = 4
		}
		if len(beside) != want || beside.Get("client_id") != clientID || disablePAR && want == 2 {
			t.Errorf("beside the request: %v", beside)
		}
		j := verify(t, object, "ES256", ecKey.Public())
		resources, _ := j.claims["resource"].([]any)
		details, _ := j.claims["authorization_details"].([]any)
		if j.text("aud") != p.main.URL || j.text("iss") != clientID || j.text("client_id") != clientID || j.seconds("max_age") != 60 ||
			j.text("scope") != "a b" || j.text("code_challenge_method") != "S256" || len(resources) != 2 || len(details) != 1 {
			t.Errorf("claims %s", j.raw)
		}
	}
}

// TestNewListsFaults: authcode.New lists every fault of this package's values, one line each.
func TestNewListsFaults(t *testing.T) {
	bad := clientauth.Key{Signer: weakRSA}
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "op", Issuer: issuer, Endpoints: authcode.Endpoints{AuthURL: issuer + "/authorize", TokenURL: tokenURL}},
		ClientID: clientID, ClientAuth: clientauth.PrivateKeyJWT(bad), Binding: clientauth.CertificateBound(), MessageSigning: clientauth.SignRequests(bad),
		Certificate: clientauth.Certificate(clientCert("tls")),
		Transport:   trusting(func(b *http.Transport) { b.TLSClientConfig.InsecureSkipVerify = true }),
		RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
	})
	if err == nil {
		t.Fatal("New accepts it")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, begins := range []string{"authcode: PrivateKeyJWT: ", "authcode: SignRequests: ", "authcode: Config.Transport has InsecureSkipVerify"} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], begins) {
			t.Errorf("line %d of %q, want %q", i, lines, begins)
		}
	}
}

// TestFailuresReachTheApp: what fails in a login keeps its Check.
func TestFailuresReachTheApp(t *testing.T) {
	p := newOP(t)
	c := p.client(t, clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: weakRSA})))
	_, err := c.Refresh(context.Background(), must(authcode.UnmarshalToken([]byte(`{"access_token":"a","refresh_token":"r"}`))))
	wantCheck(t, err, "client_auth.key")
	for _, s := range p.requests() {
		if s.path == "/token" {
			t.Error("the token endpoint was called without authentication")
		}
	}
}
