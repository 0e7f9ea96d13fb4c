package dpop_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"golang.org/x/oauth2"
)

// A Client whose tokens are bound to a key.
func Example() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // an app loads one that it keeps
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name: "bank", AuthURL: "https://bank.example/authorize", TokenURL: "https://bank.example/token",
		},
		ClientID:    "app",
		ClientAuth:  authcode.Secret("a client secret"),
		RedirectURL: "https://app.example/callback",
		CookieKeys:  [][]byte{[]byte("32 or more random bytes, kept by the app")},
		Binding:     dpop.New(key),
	})
	fmt.Println(client, err)
	// Output: authcode.Client{Provider: "bank", ClientID: "app", RedirectURL: "https://app.example/callback", secrets: REDACTED} <nil>
}

// Requests with a bound token go through [authcode.TokenSource.APIClient], which calls RoundTrip. The server of this
// example demands a nonce, so it sees two requests.
func ExampleBinding_RoundTrip() {
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

	binding := dpop.PerSession([]byte("32 or more random bytes, kept by the app"))
	key, _, err := binding.Begin(context.Background()) // a login does this, and keeps the name with its token
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := http.NewRequest(http.MethodGet, api.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := binding.RoundTrip(http.DefaultTransport, r, &oauth2.Token{AccessToken: "the-token"}, key)
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
func ExampleBinding_Validate() {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(dpop.New(short, nil).Validate())
	fmt.Println(dpop.PerSession(make([]byte, 32)).Validate())
	// Output:
	// dpop.New: key 0: the RSA key has fewer than 2048 bits: use a longer one
	// dpop.New: key 1: the private key is nil: was the error of loading it looked at?
	// dpop.PerSession: secret 0: it is one byte over and over: use random bytes
}
