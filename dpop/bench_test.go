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
	"time"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/test/measure"
)

// The benchmarks compare a whole proof, from the token request to its header,
// with the bare signature, by CPU time and in turns. They report the ratio of
// the medians.

func BenchmarkProofRatioES256(b *testing.B) { compare(b, newKey(b), crypto.SHA256) }

func BenchmarkProofRatioPS256(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	compare(b, key, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
}

func BenchmarkProofRatioEdDSA(b *testing.B) {
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
	binding, done := dpop.New(key), answer(200, nil)
	base := roundTrip(func(*http.Request) (*http.Response, error) { return done, nil })
	got := measure.Medians(b.N, func() time.Duration {
		return roundCost(b, func() error { return prove(b, binding, base) })
	}, func() time.Duration {
		return roundCost(b, func() error {
			_, err := key.Sign(rand.Reader, input, opts)
			return err
		})
	})
	b.ReportMetric(got[0]/got[1], "proof/signature")
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

func prove(b *testing.B, binding authcode.Binding, base http.RoundTripper) error {
	rt, err := binding.Transport(new(authcode.Connection), base, "")
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, tokenURL, nil)
	if err != nil {
		return err
	}
	_, err = rt.RoundTrip(r)
	return err
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
