package clientauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"example.com/authcode/clientauth"
)

// The benchmarks compare the bare signature of a digest ("signature") with the whole authentication of a
// request ("assertion"), which is to stay within 1.2 times of it, in the same run.

func BenchmarkAssertionES256(b *testing.B) { benchAssertion(b, ecKey, "ES256", crypto.SHA256) }

func BenchmarkAssertionRS256(b *testing.B) { benchAssertion(b, rsaKey, "RS256", crypto.SHA256) }

func BenchmarkAssertionPS256(b *testing.B) {
	benchAssertion(b, rsaKey, "PS256", &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

func BenchmarkAssertionEdDSA(b *testing.B) { benchAssertion(b, edKey, "EdDSA", crypto.Hash(0)) }

func benchAssertion(b *testing.B, key crypto.Signer, alg string, opts crypto.SignerOpts) {
	digest := sha256.Sum256([]byte("an assertion"))
	text := digest[:]
	if opts.HashFunc() == 0 { // Ed25519 hashes by itself, and twice: it gets what it signs for an assertion
		text = []byte(authenticate(b, clientauth.PrivateKeyJWT(clientauth.Key{Signer: key, ID: "k1"})).Get("client_assertion"))
		text = text[:bytes.LastIndexByte(text, '.')]
	}
	b.Run("signature", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := key.Sign(rand.Reader, text, opts); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("assertion", func(b *testing.B) {
		a := clientauth.PrivateKeyJWT(clientauth.Key{Signer: key, Algorithm: alg, ID: "k1"})
		req := newRequest()
		b.ReportAllocs()
		for b.Loop() {
			if err := a.Authenticate(context.Background(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
}
