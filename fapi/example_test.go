package fapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
)

// newKey stands for loading a key from a file or a KMS.
func newKey() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// A client for a bank. fapi.New makes no request, so every fault in the
// configuration shows when the app starts.
func Example() {
	config := authcode.Config{
		Provider:    oidc.Provider("https://bank.example"),
		ClientID:    "the-app",
		ClientAuth:  clientauth.PrivateKeyJWT(clientauth.Key{Signer: newKey(), ID: "2026-11"}),
		Binding:     dpop.New(newKey()),
		RedirectURL: "https://app.example/auth/bank/callback",
		CookieKeys:  [][]byte{[]byte("32 random bytes, kept by the app")},
	}
	_, err := fapi.New(fapi.Security, config)
	fmt.Println("with a key:", err)

	config.ClientAuth = authcode.Secret("a secret from the bank")
	_, err = fapi.New(fapi.Security, config)
	fmt.Println("with a secret:", err)
	// Output:
	// with a key: <nil>
	// with a secret: authcode: FAPI 2.0: Config.ClientAuth must be clientauth.PrivateKeyJWT or clientauth.MutualTLS
}
