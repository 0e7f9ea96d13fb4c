package dpop_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"net/http"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// The benchmarks compare a whole proof, from the token request to its header, with the bare signature of the same
// run. The ratio is the result: at most 1.2.

func BenchmarkProofES256(b *testing.B) { compare(b, newKey(b), crypto.SHA256) }

func BenchmarkProofPS256(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	compare(b, key, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

func BenchmarkProofEdDSA(b *testing.B) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	compare(b, key, crypto.Hash(0))
}

func compare(b *testing.B, key crypto.Signer, opts crypto.SignerOpts) {
	digest := sha256.Sum256([]byte("the signing input"))
	input := digest[:]
	if opts.HashFunc() == 0 { // Ed25519 hashes the input itself, twice: here one as long as a proof's
		input = bytes.Repeat(input, 480/len(input))
	}
	b.Run("signature", func(b *testing.B) {
		for b.Loop() {
			if _, err := key.Sign(rand.Reader, input, opts); err != nil {
				b.Fatal(err)
			}
		}
	})
	binding, done := dpop.New(key), answer(200, nil)
	base := func(*http.Request) (*http.Response, error) { return done, nil }
	b.Run("proof", func(b *testing.B) {
		for b.Loop() {
			rt, err := binding.Transport(new(authcode.Connection), roundTrip(base), "")
			if err != nil {
				b.Fatal(err)
			}
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, tokenURL, nil)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := rt.RoundTrip(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkDerivedKey is what a key that is not kept ready costs.
func BenchmarkDerivedKey(b *testing.B) {
	binding := dpop.PerSession(count(32))
	for b.Loop() {
		if _, _, err := binding.Begin(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
