package dpop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"net/http/httptest"
	"net/url"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// newProofKey stands for loading a key from a file or a KMS.
func newProofKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// An app whose tokens are bound to a key. The authorization request already
// names the key (dpop_jkt), so that a stolen code is of no use either.
func Example() {
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name: "bank",
			Endpoints: authcode.Endpoints{
				AuthURL:  "https://bank.example/authorize",
				TokenURL: "https://bank.example/token",
			},
		},
		ClientID:    "the-app",
		ClientAuth:  authcode.Secret("the client secret"),
		Binding:     dpop.New(newProofKey()),
		RedirectURL: "https://app.example/auth/bank/callback",
		CookieKeys:  [][]byte{[]byte("32 random bytes, kept by the app")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	request := httptest.NewRequest("GET", "https://app.example/login", nil)
	client.LoginHandler().ServeHTTP(answer, request)
	to, err := url.Parse(answer.Header().Get("Location"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to.Host, to.Query().Has("dpop_jkt"))
	// Output: bank.example true
}
