package jws_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/testkey"
	"github.com/go-jose/go-jose/v4"
)

// opaque is a key in a KMS or HSM: nothing but a crypto.Signer.
type opaque struct{ crypto.Signer }

// fake has the public key and the signatures that a test wants.
type fake struct {
	public    crypto.PublicKey
	signature []byte
	err       error
}

func (f fake) Public() crypto.PublicKey { return f.public }

func (f fake) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return f.signature, f.err }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var (
	rsaKey = testkey.RSA()
	ecKey  = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	edKey  = ed25519.NewKeyFromSeed(make([]byte, 32))
)

var (
	weakKey = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2046), E: 65537}
	p384Key = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
)

// checks are keys and algorithms with the one that signs.
var checks = []struct {
	claim string
	key   crypto.Signer
	alg   string
	want  string // "": an error
}{
	{"RSA signs PS256 by itself", rsaKey, "", jws.PS256},
	{"RSA signs RS256 where that is asked for", rsaKey, jws.RS256, jws.RS256},
	{"RSA signs PS256 where that is asked for", rsaKey, jws.PS256, jws.PS256},
	{"P-256 signs ES256", ecKey, "", jws.ES256},
	{"P-256 signs ES256 by name", ecKey, jws.ES256, jws.ES256},
	{"Ed25519 signs EdDSA", edKey, "", jws.EdDSA},
	{"a pointer to an Ed25519 key too", &edKey, jws.EdDSA, jws.EdDSA},
	{"Ed25519 signs under its new name", edKey, jws.Ed25519, jws.Ed25519},
	{"RSA has no such name", rsaKey, jws.Ed25519, ""},
	{"so does a key that is only a crypto.Signer", opaque{rsaKey}, "", jws.PS256},
	{"no key", nil, "", ""},
	{"a nil RSA key", (*rsa.PrivateKey)(nil), "", ""},
	{"a nil P-256 key", (*ecdsa.PrivateKey)(nil), "", ""},
	{"a nil Ed25519 key", ed25519.PrivateKey(nil), "", ""},
	{"half an Ed25519 key", edKey[:32], "", ""},
	{"an empty RSA key", &rsa.PrivateKey{}, "", ""},
	{"an empty ECDSA key", &ecdsa.PrivateKey{}, "", ""},
	{"a nil public RSA key", fake{public: (*rsa.PublicKey)(nil)}, "", ""},
	{"a nil public ECDSA key", fake{public: (*ecdsa.PublicKey)(nil)}, "", ""},
	{"no public key", fake{}, "", ""},
	{"RSA of 2047 bits", fake{public: weakKey}, "", ""},
	{"P-384", p384Key, "", ""},
	{"P-384 for ES256", p384Key, jws.ES256, ""},
	{"RSA for ES256", rsaKey, jws.ES256, ""},
	{"P-256 for PS256", ecKey, jws.PS256, ""},
	{"Ed25519 for ES256", edKey, jws.ES256, ""},
	{"HMAC", rsaKey, "HS256", ""},
	{"no signature at all", rsaKey, "none", ""},
}

// TestCheck: which key goes with which algorithm.
func TestCheck(t *testing.T) {
	for _, row := range checks {
		t.Run(row.claim, func(t *testing.T) {
			got, err := jws.Check(row.key, row.alg)
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("Check: %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

// TestSignatures has go-jose verify what each kind of key signs.
func TestSignatures(t *testing.T) {
	rows := []struct {
		alg string
		key crypto.Signer
	}{
		{jws.RS256, rsaKey}, {jws.PS256, rsaKey}, {jws.ES256, ecKey}, {jws.EdDSA, edKey},
		{jws.RS256, opaque{rsaKey}}, {jws.PS256, opaque{rsaKey}}, {jws.ES256, opaque{ecKey}}, {jws.EdDSA, opaque{edKey}},
	}
	for _, row := range rows {
		t.Run(row.alg, func(t *testing.T) {
			signer := must(jws.New(row.key, row.alg, map[string]any{"typ": "test+jwt", "kid": `k"1`}))
			text := must(signer.Sign([]byte(`{"a":1}`)))
			parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(row.alg)})
			if err != nil {
				t.Fatal(err)
			}
			payload, err := parsed.Verify(row.key.Public())
			if err != nil || string(payload) != `{"a":1}` {
				t.Errorf("payload %s, %v", payload, err)
			}
			header := parsed.Signatures[0].Protected
			if header.KeyID != `k"1` || header.ExtraHeaders[jose.HeaderType] != "test+jwt" {
				t.Errorf("header %+v", header)
			}
		})
	}
}

// TestPS256Salt: RFC 7518 section 3.5: the salt is as long as the hash.
func TestPS256Salt(t *testing.T) {
	for _, key := range []crypto.Signer{rsaKey, opaque{rsaKey}} {
		input, signature := split(t, must(must(jws.New(key, jws.PS256, nil)).Sign([]byte(`{}`))))
		digest := sha256.Sum256([]byte(input))
		opts := &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		if err := rsa.VerifyPSS(&rsaKey.PublicKey, crypto.SHA256, digest[:], signature, opts); err != nil {
			t.Error(err)
		}
	}
}

// TestES256Length: R and S have 32 bytes each, also where a leading byte is zero (RFC 7518 section 3.4),
// which one in 128 signatures has.
func TestES256Length(t *testing.T) {
	signer := must(jws.New(ecKey, jws.ES256, nil))
	short := 0
	for n := 0; n < 2000 || short == 0; n++ {
		input, signature := split(t, must(signer.Sign([]byte(`{}`))))
		if len(signature) != 64 {
			t.Fatalf("a signature of %d bytes", len(signature))
		}
		if signature[0] == 0 || signature[32] == 0 {
			short++
		}
		digest := sha256.Sum256([]byte(input))
		if !ecdsa.Verify(&ecKey.PublicKey, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
			t.Fatalf("signature %x does not verify", signature)
		}
	}
}

// pair is an ECDSA signature in ASN.1.
type pair struct{ R, S *big.Int }

// padding is what a signer answers, in ASN.1.
type padding struct {
	claim string
	der   []byte
	want  string // hexadecimal digits are too long to read: R and S, decimal
}

func paddings() []padding {
	der := func(r, s *big.Int) []byte { return must(asn1.Marshal(pair{r, s})) }
	one, long := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256)
	full := new(big.Int).Sub(long, one)
	return []padding{
		{"one byte each", der(one, big.NewInt(2)), "1 2"},
		{"32 bytes each", der(full, full), full.String() + " " + full.String()},
		{"33 bytes", der(long, one), ""},
		{"33 bytes in S", der(one, long), ""},
		{"zero", der(big.NewInt(0), one), ""},
		{"zero in S", der(one, big.NewInt(0)), ""},
		{"negative", der(one, big.NewInt(-1)), ""},
		{"something behind", append(der(one, one), 0), ""},
		{"something inside", []byte{0x30, 8, 2, 1, 1, 2, 1, 1, 5, 0}, ""},
		{"one integer", []byte{0x30, 3, 2, 1, 1}, ""},
		{"an integer without bytes", []byte{0x30, 5, 2, 0, 2, 1, 1}, ""},
		{"cut short", der(full, full)[:40], ""},
		{"cut behind a tag", []byte{0x30, 1, 2}, ""},
		{"a length beyond the end", []byte{0x30, 6, 2, 9, 1, 2, 1, 1}, ""},
		{"a long length", append([]byte{0x30, 0x81}, der(one, one)[1:]...), ""},
		{"another tag", []byte{0x31, 6, 2, 1, 1, 2, 1, 1}, ""},
		{"another tag inside", []byte{0x30, 6, 3, 1, 1, 2, 1, 1}, ""},
		{"raw", make([]byte, 64), ""},
		{"nothing", nil, ""},
	}
}

// TestES256Padding: a signature from ASN.1, short integers included.
func TestES256Padding(t *testing.T) {
	for _, row := range paddings() {
		t.Run(row.claim, func(t *testing.T) {
			text, err := must(jws.New(fake{signature: row.der}, jws.ES256, nil)).Sign([]byte(`{}`))
			if row.want == "" {
				if err == nil {
					t.Errorf("signed: %s", text)
				}
				return
			}
			_, signature := split(t, text)
			r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
			if got := r.String() + " " + s.String(); err != nil || len(signature) != 64 || got != row.want {
				t.Errorf("%d bytes, %s, %v; want %s", len(signature), got, err, row.want)
			}
		})
	}
}

// FuzzDER: whatever a key returns, there is no panic, and what is accepted is what encoding/asn1 reads.
func FuzzDER(f *testing.F) {
	f.Add(must(ecKey.Sign(rand.Reader, make([]byte, 32), crypto.SHA256)))
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, der []byte) {
		text, err := must(jws.New(fake{signature: der}, jws.ES256, nil)).Sign([]byte(`{}`))
		var want pair
		_, bad := asn1.Unmarshal(der, &want)
		if err != nil {
			if bad == nil && want.R.Sign() > 0 && want.S.Sign() > 0 && want.R.BitLen() <= 256 && want.S.BitLen() <= 256 &&
				bytes.Equal(must(asn1.Marshal(want)), der) { // encoding/asn1 passes over what stands behind S
				t.Errorf("%x is refused", der)
			}
			return
		}
		_, signature := split(t, text)
		r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
		if bad == nil && (r.Cmp(want.R) != 0 || s.Cmp(want.S) != 0) {
			t.Errorf("%x became %x", der, signature)
		}
	})
}

// TestSignReports the key's own error, and header members that are no JSON.
func TestSignReports(t *testing.T) {
	broken := errors.New("no session")
	for _, alg := range []string{jws.RS256, jws.PS256, jws.ES256, jws.EdDSA} {
		if text, err := must(jws.New(fake{err: broken}, alg, nil)).Sign([]byte(`{}`)); !errors.Is(err, broken) || text != "" {
			t.Errorf("%s: %q, %v", alg, text, err)
		}
	}
	if _, err := jws.New(edKey, jws.EdDSA, map[string]any{"x": func() {}}); err == nil {
		t.Error("a function in the header is no error")
	}
}

// split returns the signing input and the signature.
func split(t *testing.T, text string) (string, []byte) {
	t.Helper()
	dot := strings.LastIndexByte(text, '.')
	signature, err := base64.RawURLEncoding.DecodeString(text[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	return text[:dot], signature
}
