package logincost_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID = "client"
	secret   = "a client secret of thirty-two ..."
	returnTo = "/orders/2026?page=2#open"
	person   = "248289761001"
)

var scopes = []string{"openid", "profile", "email"}

// site is where a login takes place.
type site struct {
	issuer, redirectURL string
	through             http.RoundTripper // to the provider; nil: what the subject takes
}

// provider is an OpenID Provider, in memory or behind a socket. Every subject
// asks the same one, so that the ratios are not about the provider.
type provider struct {
	issuer    string
	signer    jose.Signer
	documents map[string][]byte // by path
	answer    []byte            // of the token endpoint, for the next login in memory
	answers   sync.Map          // of the token endpoint over sockets, by code
}

func newProvider(issuer string) *provider {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"},
	}, nil)
	check(err)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	check(err)
	return &provider{issuer: issuer, signer: signer, documents: map[string][]byte{
		"/.well-known/openid-configuration": encode(map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/authorize",
			"token_endpoint": issuer + "/token", "jwks_uri": issuer + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
			"response_types_supported":              []string{"code"},
			"subject_types_supported":               []string{"public"},
			"code_challenge_methods_supported":      []string{"S256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
		}),
		"/keys": encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"},
			{Key: other.Public(), KeyID: "k2", Algorithm: "RS256", Use: "sig"},
		}}),
	}}
}

// RoundTrip implements [http.RoundTripper].
func (p *provider) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		r.Body.Close()
	}
	body := p.bodyFor(r)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"application/json"}, "Cache-Control": {"max-age=3600"},
		},
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}, nil
}

// ServeHTTP implements [http.Handler].
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := p.bodyFor(r)
	if r.Method == http.MethodPost {
		found, _ := p.answers.LoadAndDelete(r.FormValue("code"))
		body, _ = found.([]byte)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "max-age=3600")
	w.Write(body)
}

func (p *provider) bodyFor(r *http.Request) []byte {
	if r.Method == http.MethodPost {
		return p.answer
	}
	return p.documents[r.URL.Path]
}

// answerTo returns the answer to a login with this nonce. Its ID token is as
// large services send them.
func (p *provider) answerTo(nonce string) []byte {
	now := time.Now().Unix()
	// A login without a nonce gets a token of the same size.
	name := "nonce"
	if nonce == "" {
		name, nonce = "other", strings.Repeat("n", 43)
	}
	signed, err := p.signer.Sign(encode(map[string]any{
		"iss": p.issuer, "sub": person, "aud": clientID, "exp": now + 3600, "iat": now,
		name: nonce, "name": "Alice Example", "given_name": "Alice", "family_name": "Example",
		"email": "alice@example.com", "email_verified": true, "locale": "en",
		"picture": "https://example.com/alice.png", "sid": "0b8d7e3c", "auth_time": now,
	}))
	check(err)
	text, err := signed.CompactSerialize()
	check(err)
	return encode(map[string]any{
		"access_token": strings.Repeat("a", 180), "token_type": "Bearer", "expires_in": 3600,
		"refresh_token": strings.Repeat("r", 120), "scope": strings.Join(scopes, " "),
		"id_token": text,
	})
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	check(err)
	return b
}

// check panics: the preparation of a benchmark cannot go on.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
