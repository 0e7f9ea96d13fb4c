package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"sync/atomic"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// config is what an app has before it chooses how to authenticate.
func config() authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{
			Name: "bank", Issuer: "https://bank.example",
			Endpoints: authcode.Endpoints{AuthURL: "https://bank.example/authorize", TokenURL: "https://bank.example/token"},
		},
		ClientID: "app", RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte("32 random bytes, from a vault …")},
	}
}

// A private key that never leaves the app, or its KMS: any crypto.Signer will do.
func ExamplePrivateKeyJWT() {
	privateKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)

	cfg := config()
	cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: privateKey, ID: "2026-11"})
	_, err := authcode.New(cfg)
	fmt.Println(cfg.ClientAuth.Method, cfg.ClientAuth.Algorithms, err)
	// Output: private_key_jwt [ES256] <nil>
}

// A provider that takes its token endpoint's URL for the audience, and RS256 only.
func ExampleTokenURLAudience() {
	key := clientauth.Key{Signer: rsaKey, Algorithm: "RS256", ID: "2026-11"}

	cfg := config()
	cfg.ClientAuth = clientauth.PrivateKeyJWT(key, clientauth.TokenURLAudience())
	_, err := authcode.New(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// A key that is replaced while the app runs.
func ExampleRotatingKeys() {
	var current atomic.Pointer[clientauth.Key]
	first, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	current.Store(&clientauth.Key{Signer: first, ID: "2026-11"})

	cfg := config()
	cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) {
		return *current.Load(), nil
	}))
	_, err := authcode.New(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// A client secret that signs and is not sent. The fault is found at once.
func ExampleSecretJWT() {
	cfg := config()
	cfg.ClientAuth = clientauth.SecretJWT("too short")
	_, err := authcode.New(cfg)
	fmt.Println(err)
	// Output: authcode: SecretJWT: the secret has fewer than 32 bytes, which is too short for HS256: ask the provider for a longer one, or use authcode.Secret
}

// A certificate authenticates the app, and binds its tokens.
func ExampleMutualTLS() {
	cert := newCertificate() // or tls.LoadX509KeyPair("client.crt", "client.key")

	cfg := config()
	cfg.Certificate = clientauth.Certificate(cert)
	cfg.ClientAuth, cfg.Binding = clientauth.MutualTLS(), clientauth.CertificateBound()
	_, err := authcode.New(cfg)
	fmt.Println(cfg.ClientAuth.Method, err)
	// Output: tls_client_auth <nil>
}

// A certificate that is renewed while the app runs binds the tokens; a key authenticates the app.
func ExampleCertificateBound() {
	var current atomic.Pointer[tls.Certificate]
	cert := newCertificate()
	current.Store(&cert)

	cfg := config()
	cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: edKey})
	cfg.Binding = clientauth.CertificateBound()
	cfg.Certificate = func(context.Context) (*tls.Certificate, error) { return current.Load(), nil }
	_, err := authcode.New(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// The authorization request as a signed JWT.
func ExampleSignRequests() {
	key := clientauth.Key{Signer: edKey, ID: "2026-11"}

	cfg := config()
	cfg.ClientAuth = clientauth.PrivateKeyJWT(key)
	cfg.MessageSigning = clientauth.SignRequests(key)
	_, err := authcode.New(cfg)
	fmt.Println(err)
	// Output: <nil>
}

// newCertificate makes a self-signed one, for self_signed_tls_client_auth.
func newCertificate() tls.Certificate {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
