package clientauth_test

import (
	"context"
	"crypto"
	"net/http"
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

// TestWholeLogins takes every combination through a whole life: discovery, pushed request, code, keys, userinfo,
// refresh, API, revocation. Each request has the one method it should have, at the host where it should be, and
// the certificate is seen nowhere else.
func TestWholeLogins(t *testing.T) {
	cert := clientCert("tls")
	thumbprint := clientauth.Thumbprint(cert)
	m := func() *clientauth.MTLS { return clientauth.MutualTLS(cert, trusting()) }
	assertion := func() authcode.ClientAuth {
		return clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey, ID: "k"})
	}
	both := m()
	rows := []struct {
		claim   string
		auth    authcode.ClientAuth
		binding authcode.Binding
		method  string // of requests to token, PAR and revocation endpoint
		host    string // where they go
		bound   bool   // API requests are under the certificate
		alg     string
		key     any
	}{
		{"private_key_jwt", assertion(), nil, "assertion", "main", false, "ES256", ecKey.Public()},
		{"private_key_jwt with rotating keys", clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: rsaKey})), nil,
			"assertion", "main", false, "PS256", crypto.PublicKey(&rsaKey.PublicKey)},
		{"client_secret_jwt", clientauth.SecretJWT(secret32), nil, "assertion", "main", false, "HS256", []byte(secret32)},
		{"private_key_jwt with another binding", assertion(), tagged{}, "assertion", "main", false, "ES256", ecKey.Public()},
		{"mutual TLS", m(), nil, "none", "mtls", false, "", nil},
		{"mutual TLS for both", both, both, "none", "mtls", true, "", nil},
		{"mutual TLS with another binding", m(), tagged{}, "none", "mtls", false, "", nil},
		{"private_key_jwt, bound by mutual TLS", assertion(), m(), "assertion", "mtls", true, "ES256", ecKey.Public()},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := newOP(t)
			if row.binding == (tagged{}) {
				p.tokenType = "DPoP"
			}
			jtis := make(map[string]bool)
			paths := live(t, p, p.client(t, row.auth, row.binding, nil), func(s seen) {
				back := slices.Contains([]string{"/token", "/par", "/revoke"}, s.path)
				shows := back && row.host == "mtls" || row.bound && (s.path == "/userinfo" || s.host == "api")
				if want := map[bool]string{true: thumbprint}[shows]; s.cert != want {
					t.Errorf("%s at %s: certificate %q, want %q", s.path, s.host, s.cert, want)
				}
				if !back {
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
			want := []string{"/.well-known/openid-configuration", "/api", "/jwks", "/par", "/revoke", "/token", "/userinfo"}
			if !slices.Equal(paths, want) {
				t.Errorf("paths %q, want %q", paths, want)
			}
			if row.alg != "" && len(jtis) != 4 {
				t.Errorf("%d different jti in 4 requests", len(jtis))
			}
		})
	}
}

// live signs in, calls an API, refreshes, calls it again and revokes, hands each request to check, and returns
// the paths.
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
	api, err := c.TokenSource(fresh, nil).APIClient(p.api.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := api.Get(p.api.URL + "/api")
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
		if s.path == "/api" && !strings.HasSuffix(s.header.Get("Authorization"), " "+fresh.AccessToken) {
			t.Errorf("the API got %q", s.header.Get("Authorization"))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// repeating is a binding that has the first request made again, as for a nonce of DPoP's.
type repeating struct {
	tagged
	answers *int
}

func (r repeating) Answered(*authcode.BackChannelRequest, *http.Response) bool {
	*r.answers++
	return *r.answers == 1
}

// TestRepeatedRequest: one that is made again has an assertion of its own.
func TestRepeatedRequest(t *testing.T) {
	p := newOP(t)
	p.tokenType = "DPoP"
	c := p.client(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), repeating{answers: new(int)}, nil)
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

// TestSignedRequests: the request object goes by the browser, or is pushed, with everything inside and only the
// client id beside it.
func TestSignedRequests(t *testing.T) {
	for _, par := range []authcode.PAR{authcode.UseIfAvailable, authcode.OnlyIfRequired} {
		p := newOP(t)
		cfg := authcode.Config{
			Provider: authcode.Provider{Name: "op", Issuer: p.main.URL, Metadata: p, Scopes: []string{"a", "b"}}, ClientID: clientID,
			ClientAuth: clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), Messages: clientauth.SignRequests(clientauth.Key{Signer: ecKey}),
			RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
			HTTPClient: &http.Client{Transport: trusting()}, PAR: par,
		}
		c, err := authcode.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		_, u := p.login(t, c, authcode.Param("max_age", "60"), authcode.Resource("https://a.example", "https://b.example"),
			authcode.AuthorizationDetails(map[string]any{"type": "payment"}))
		beside, object := u.Query(), u.Query().Get("request")
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
		if len(beside) != 2 || beside.Get("client_id") != clientID {
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

// TestNewAsks: authcode.New learns of every fault here, one line each.
func TestNewAsks(t *testing.T) {
	bad := clientauth.Key{Signer: weakRSA}
	m := clientauth.MutualTLS(clientCert("tls"), trusting(func(b *http.Transport) { b.TLSClientConfig.InsecureSkipVerify = true }))
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "op", Issuer: issuer, AuthURL: issuer + "/authorize", TokenURL: tokenURL},
		ClientID: clientID, ClientAuth: clientauth.PrivateKeyJWT(bad), Binding: m, Messages: clientauth.SignRequests(bad),
		RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
	})
	if err == nil {
		t.Fatal("New accepts it")
	}
	lines := strings.Split(err.Error(), "\n")
	for i, begins := range []string{"authcode: PrivateKeyJWT: ", "authcode: MutualTLS: ", "authcode: SignRequests: "} {
		if len(lines) != 3 || !strings.HasPrefix(lines[i], begins) {
			t.Errorf("line %d of %q, want %q", i, lines, begins)
		}
	}
}

// TestFailuresReachTheApp: what fails in a login keeps its Check.
func TestFailuresReachTheApp(t *testing.T) {
	p := newOP(t)
	c := p.client(t, clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: weakRSA})), nil, nil)
	_, err := c.Refresh(context.Background(), must(authcode.UnmarshalToken([]byte(`{"access_token":"a","refresh_token":"r"}`))))
	wantCheck(t, err, "client_auth.key")
	for _, s := range p.requests() {
		if s.path == "/token" {
			t.Error("the token endpoint was called without authentication")
		}
	}
}
