package clientauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// newSigner stands for loading a private key from a file or a KMS. Any
// crypto.Signer will do.
func newSigner() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// An app that authenticates with a private key in place of a secret. The
// provider has only the public half of the key.
func Example() {
	key := clientauth.Key{Signer: newSigner(), ID: "2026-11"}
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name:   "bank",
			Issuer: "https://bank.example",
			Endpoints: authcode.Endpoints{
				AuthURL:  "https://bank.example/authorize",
				TokenURL: "https://bank.example/token",
			},
		},
		ClientID:    "the-app",
		ClientAuth:  clientauth.PrivateKeyJWT(key),
		RedirectURL: "https://app.example/auth/bank/callback",
		CookieKeys:  [][]byte{[]byte("32 random bytes, kept by the app")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// This is what to register at the provider, or to serve at a jwks_uri.
	jwks, err := clientauth.PublicJWKS(key)
	if err != nil {
		fmt.Println(err)
		return
	}
	var set struct {
		Keys []struct{ Kid, Alg, Use, D string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", set.Keys[0])
	// Output: {Kid:2026-11 Alg:ES256 Use:sig D:}
}
