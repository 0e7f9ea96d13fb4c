package oidc_test

import (
	"crypto"
	"testing"

	"example.com/authcode/oidc"
	"github.com/go-jose/go-jose/v4"
)

// benchClaims is an ID token as large services send them.
func benchClaims() members {
	return members{
		"name": "Alice Example", "given_name": "Alice", "family_name": "Example", "locale": "en",
		"email": "alice@example.com", "email_verified": true, "picture": "https://example.com/alice.png",
		"auth_time": 1700000000, "sid": "0b8d7e3c", "acr": "1", "amr": []string{"pwd", "otp"},
		"at_hash": leftHash(crypto.SHA256, memAccess),
	}
}

// BenchmarkSignature is the check of an ID token's signature alone: go-jose parses and verifies it.
// BenchmarkIdentity is to stay within 1.3 times of it, in the same run.
func BenchmarkSignature(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) { benchSignature(b, alg) })
	}
}

func benchSignature(b *testing.B, alg string) {
	p := newMemOP(alg)
	text := p.token(benchClaims())
	b.ReportAllocs()
	for b.Loop() {
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := signed.Verify(p.key.signer.Public()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdentity is all that a finished login costs here, with cached metadata and keys.
func BenchmarkIdentity(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) { benchIdentity(b, alg) })
	}
}

func benchIdentity(b *testing.B, alg string) {
	p := newMemOP(alg)
	p.keys = append(p.keys, newKey(alg, "k2").jwk(nil), newKey("ES256", "k3").jwk(nil))
	i := oidc.Provider(memIssuer)
	a := p.login(p.token(benchClaims()))
	wantIdentity(b, i, a)
	b.ReportAllocs()
	a.Config.Provider = i
	a.Endpoints = must(endpoints(b.Context(), i, p)) // as the root package has done before
	for b.Loop() {
		if _, err := i.Identity(b.Context(), a); err != nil {
			b.Fatal(err)
		}
	}
}
