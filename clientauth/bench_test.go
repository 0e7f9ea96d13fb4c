package clientauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"
	"time"

	"example.com/authcode/clientauth"
	"example.com/authcode/test/measure"
)

// The benchmarks compare the whole authentication of a request with the bare
// signature of a digest, by CPU time and in turns. They report the ratio of the
// medians.

func BenchmarkAssertionRatioES256(b *testing.B) { benchAssertion(b, ecKey, "ES256", crypto.SHA256) }

func BenchmarkAssertionRatioRS256(b *testing.B) { benchAssertion(b, rsaKey, "RS256", crypto.SHA256) }

func BenchmarkAssertionRatioPS256(b *testing.B) {
	benchAssertion(b, rsaKey, "PS256", &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

func BenchmarkAssertionRatioEdDSA(b *testing.B) { benchAssertion(b, edKey, "EdDSA", crypto.Hash(0)) }

func benchAssertion(b *testing.B, key crypto.Signer, alg string, opts crypto.SignerOpts) {
	digest := sha256.Sum256([]byte("an assertion"))
	text := digest[:]
	if opts.HashFunc() == 0 { // Ed25519 hashes by itself, and twice: it gets what it signs for an assertion
		text = []byte(authenticate(b, clientauth.PrivateKeyJWT(clientauth.Key{Signer: key, ID: "k1"})).Get("client_assertion"))
		text = text[:bytes.LastIndexByte(text, '.')]
	}
	a, req := clientauth.PrivateKeyJWT(clientauth.Key{Signer: key, Algorithm: alg, ID: "k1"}), newRequest()
	got := measure.Medians(b.N, func() time.Duration {
		return roundCost(b, func() error { return a.Authenticate(context.Background(), req) })
	}, func() time.Duration {
		return roundCost(b, func() error {
			_, err := key.Sign(rand.Reader, text, opts)
			return err
		})
	})
	b.ReportMetric(got[0]/got[1], "assertion/signature")
	b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
}

// roundCost returns the CPU time of 50 calls.
func roundCost(b *testing.B, do func() error) time.Duration {
	return measure.CPU(func() {
		for range 50 {
			if err := do(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
