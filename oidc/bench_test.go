package oidc_test

import (
	"crypto"
	"testing"
	"time"

	"example.com/authcode/oidc"
	"example.com/authcode/test/measure"
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
func BenchmarkSignature(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) { repeat(b, signatureCheck(b, newMemOP(alg), alg)) })
	}
}

// BenchmarkIdentity is all that a finished login costs here, with cached metadata and keys.
func BenchmarkIdentity(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) { repeat(b, identityCheck(b, newMemOP(alg), alg)) })
	}
}

// BenchmarkIdentityRatio compares the two by CPU time, for the same provider.
func BenchmarkIdentityRatio(b *testing.B) {
	for _, alg := range []string{"RS256", "ES256"} {
		b.Run(alg, func(b *testing.B) {
			p := newMemOP(alg)
			cost := func(do func()) func() time.Duration {
				return func() time.Duration {
					return measure.CPU(func() {
						for range 100 {
							do()
						}
					})
				}
			}
			got := measure.Medians(b.N, cost(identityCheck(b, p, alg)), cost(signatureCheck(b, p, alg)))
			b.ReportMetric(got[0]/got[1], "of-signature")
			b.ReportMetric(0, "ns/op") // of both, so it says nothing
		})
	}
}

func repeat(b *testing.B, do func()) {
	b.ReportAllocs()
	for b.Loop() {
		do()
	}
}

func signatureCheck(b *testing.B, p *memOP, alg string) func() {
	text := p.token(benchClaims())
	return func() {
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := signed.Verify(p.key.signer.Public()); err != nil {
			b.Fatal(err)
		}
	}
}

func identityCheck(b *testing.B, p *memOP, alg string) func() {
	p.keys = append(p.keys, newKey(alg, "k2").jwk(nil), newKey("ES256", "k3").jwk(nil))
	i := oidc.Provider(memIssuer)
	i.Algorithms = []string{alg}
	a := p.login(p.token(benchClaims()))
	wantIdentity(b, i, a)
	a.Config.Provider = i
	a.Endpoints = must(endpoints(b.Context(), i, p)) // as the root package has done before
	return func() {
		if _, err := i.Identity(b.Context(), a); err != nil {
			b.Fatal(err)
		}
	}
}
