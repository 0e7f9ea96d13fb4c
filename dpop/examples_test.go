package dpop_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"golang.org/x/oauth2"
)

// config is what an app has before it chooses how to bind its tokens.
func config() authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{
			Name:      "bank",
			Endpoints: authcode.Endpoints{AuthURL: "https://bank.example/authorize", TokenURL: "https://bank.example/token"},
		},
		ClientID:    "app",
		ClientAuth:  authcode.Secret("a client secret"),
		RedirectURL: "https://app.example/callback",
		CookieKeys:  [][]byte{[]byte("32 or more random bytes, kept by the app")},
	}
}

// A Client whose tokens are bound to a key.
func ExampleNew() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // an app loads one that it keeps
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := config()
	cfg.Binding = dpop.New(key)
	_, err = authcode.New(cfg)
	fmt.Println(cfg.Binding.TokenType, cfg.Binding.Algorithms, err)
	// Output: DPoP [ES256] <nil>
}

// Requests with a bound token go through [authcode.TokenSource.APIClient]. The server of this example demands a nonce, so
// it sees two requests.
func ExamplePerSession() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("DPoP-Nonce", "of-the-day")
		proof, err := parseProof(r.Header.Get("DPoP"))
		if err != nil || proof.Nonce != "of-the-day" {
			w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
		fmt.Printf("%s, nonce %q\n", r.Header.Get("Authorization"), proof.Nonce)
	}))
	defer api.Close()

	cfg := config()
	cfg.Binding = dpop.PerSession([]byte("32 or more random bytes, kept by the app"))
	cfg.RedirectURL = "http://localhost:8080/callback" // like the API: an app on https needs https
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	// A login does this, and keeps the name of the key with the token.
	key, _, _ := cfg.Binding.Begin(context.Background())
	token := (&oauth2.Token{AccessToken: "the-token"}).WithExtra(map[string]any{"authcode.key": key})
	apiClient, err := client.TokenSource(token, nil).APIClient(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := apiClient.Get(api.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// DPoP the-token, nonce ""
	// DPoP the-token, nonce "of-the-day"
	// 200 OK
}

// What is wrong with keys shows before the first login.
func ExampleNew_faults() {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, binding := range []authcode.Binding{dpop.New(p384, nil), dpop.PerSession(make([]byte, 32))} {
		cfg := config()
		cfg.Binding = binding
		_, err := authcode.New(cfg)
		fmt.Println(err)
	}
	// Output:
	// authcode: dpop.New: key 0: the key does not fit the algorithm, or cannot be used: want an RSA key for PS256 or RS256, P-256 for ES256, or Ed25519 for EdDSA or Ed25519
	// authcode: dpop.New: key 1: the private key is nil: check the error from loading it
	// authcode: dpop.PerSession: secret 0: it repeats a single byte: use random bytes
}
