package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const (
	memIssuer = "https://op.example/realm"
	memClient = "client-1"
	memNonce  = "n-0S6_WzA2Mj"
	memAccess = "access-1"

	memMetadata = "/realm/.well-known/openid-configuration"
	memOAuth    = "/.well-known/oauth-authorization-server/realm"
	memJWKS     = "/keys"
	memUserInfo = "/userinfo"
)

// memOP is an OpenID provider in memory: an http.RoundTripper that opens no socket, so that it runs
// inside a testing/synctest bubble too.
type memOP struct {
	key      *memKey
	metadata members
	keys     []members
	info     members

	mu      sync.Mutex
	seen    map[string]int // requests by path
	answers map[string]func(*http.Request) (*http.Response, error)
}

func newMemOP(alg string) *memOP {
	key := newKey(alg, "k1")
	return &memOP{
		key:  key,
		keys: []members{key.jwk(nil)},
		info: members{"sub": "alice", "name": "Alice", "zoneinfo": "Europe/Paris"},
		metadata: members{
			"issuer":                                         memIssuer,
			"authorization_endpoint":                         "https://op.example/authorize",
			"token_endpoint":                                 "https://op.example/token",
			"revocation_endpoint":                            "https://op.example/revoke",
			"userinfo_endpoint":                              "https://op.example" + memUserInfo,
			"jwks_uri":                                       "https://op.example" + memJWKS,
			"end_session_endpoint":                           "https://op.example/logout",
			"id_token_signing_alg_values_supported":          []string{alg},
			"code_challenge_methods_supported":               []string{"plain", "S256"},
			"authorization_response_iss_parameter_supported": true,
		},
		seen:    map[string]int{},
		answers: map[string]func(*http.Request) (*http.Response, error){},
	}
}

// RoundTrip implements http.RoundTripper.
func (p *memOP) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.seen[r.URL.Path]++
	answer := p.answers[r.URL.Path]
	body := map[string]any{
		memMetadata: maps.Clone(p.metadata), memJWKS: members{"keys": p.keys}, memUserInfo: maps.Clone(p.info),
	}[r.URL.Path]
	p.mu.Unlock()
	switch {
	case answer != nil:
		return answer(r)
	case body == nil:
		return reply(404, "text/plain", "not here"), nil
	}
	return reply(200, "application/json", string(must(json.Marshal(body)))), nil
}

func reply(status int, kind, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)),
	}
}

// answer makes path answer otherwise from now on; nil heals it.
func (p *memOP) answer(path string, f func(*http.Request) (*http.Response, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[path] = f
}

func always(status int, kind, body string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) { return reply(status, kind, body), nil }
}

func down(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// rotate replaces the provider's key.
func (p *memOP) rotate(key *memKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.key, p.keys = key, []members{key.jwk(nil)}
}

// requests returns how often path was asked for.
func (p *memOP) requests(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[path]
}

func (p *memOP) wantRequests(t testing.TB, path string, n int) {
	t.Helper()
	if got := p.requests(path); got != n {
		t.Errorf("%s was asked for %d times, want %d", path, got, n)
	}
}

// conn is what the root package hands to the functions of a provider, before it has looked the
// endpoints up.
func (p *memOP) conn(i authcode.Provider) *authcode.Connection {
	return &authcode.Connection{Config: authcode.Config{Provider: i, ClientID: memClient}, Transport: p}
}

// claims are those of a good ID token.
func (p *memOP) claims() members {
	now := time.Now().Unix()
	return members{
		"iss": memIssuer, "sub": "alice", "aud": memClient, "nonce": memNonce,
		"iat": now, "exp": now + 3600,
	}
}

// token is a good ID token, changed.
func (p *memOP) token(changes members) string { return p.key.sign(payload(p.claims(), changes), nil) }

func payload(m, changes members) []byte { return must(json.Marshal(changed(m, changes))) }

// endpoints looks them up as the root package does.
func endpoints(ctx context.Context, i authcode.Provider, p *memOP) (authcode.Endpoints, error) {
	return i.Metadata(ctx, p.conn(i))
}

// login is what the root package hands to Identity after a login that brought this ID token: see identify.
func (p *memOP) login(idToken string) *authcode.TokenResponse {
	return &authcode.TokenResponse{
		Connection: p.conn(authcode.Provider{}), Token: tokenWith(idToken), Nonce: memNonce, MaxAge: -1, Do: p.do,
	}
}

// do sends a request with the token of a login.
func (p *memOP) do(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+memAccess)
	return p.RoundTrip(r)
}

// identify does what the root package does with a token response: it looks the endpoints up, and asks who
// signed in.
func identify(ctx context.Context, i authcode.Provider, a *authcode.TokenResponse) (*authcode.Identity, error) {
	conn := *a.Connection
	conn.Config.Provider = i
	var err error
	if conn.Endpoints, err = i.Metadata(ctx, &conn); err != nil {
		return nil, err
	}
	resp := *a
	resp.Connection = &conn
	return i.Identity(ctx, &resp)
}

// verify opens a JWT of a media type as the root package does.
func verify(ctx context.Context, i authcode.Provider, p *memOP, typ, text string) (map[string]any, error) {
	conn := p.conn(i)
	var err error
	if conn.Endpoints, err = i.Metadata(ctx, conn); err != nil {
		return nil, err
	}
	return i.Verify(ctx, conn, typ, text)
}

// pinned is a provider whose algorithms the app has chosen.
func pinned(i authcode.Provider, algorithms ...string) authcode.Provider {
	i.Algorithms = algorithms
	return i
}

func tokenWith(idToken string) *oauth2.Token {
	t := &oauth2.Token{AccessToken: memAccess, TokenType: "Bearer"}
	if idToken == "" {
		return t
	}
	return t.WithExtra(map[string]any{"id_token": idToken})
}

// wantError checks that err is an *authcode.Error with this reason and check.
func wantError(t testing.TB, err error, reason authcode.Reason, check string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %s (%s)", err, reason, check)
	}
	if e.Reason != reason || e.Check != check {
		t.Errorf("got %s (%s), want %s (%s)", e.Reason, e.Check, reason, check)
	}
}

// wantIdentity checks that the login succeeds.
func wantIdentity(t testing.TB, i authcode.Provider, a *authcode.TokenResponse) *authcode.Identity {
	t.Helper()
	id, err := identify(t.Context(), i, a)
	if err != nil {
		t.Fatal(err)
	}
	return id
}
