package clientauth_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/testkey"
	"example.com/authcode/internal/testmain"
	"github.com/go-jose/go-jose/v4"
)

func TestMain(m *testing.M) { testmain.Run(m) }

const (
	issuer   = "https://op.example"
	tokenURL = "https://op.example/token"
	clientID = "client-1"
	secret32 = "a secret of 32 bytes, not a word" // exactly 32
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// The keys of these tests.
var (
	rsaKey  = testkey.RSA()
	weakRSA = weak{rsaKey}
	ecKey   = newEC()
	edKey   = ed25519.NewKeyFromSeed([]byte("canary-seed-of-the-ed25519-key!!"))
)

func newEC() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// weak is an RSA key that says it has 1024 bits.
type weak struct{ *rsa.PrivateKey }

func (w weak) Public() crypto.PublicKey {
	public := w.PrivateKey.PublicKey
	public.N = new(big.Int).Rsh(public.N, 1024)
	return &public
}

// opaque is a key in a KMS or HSM: nothing but a crypto.Signer. It counts its signatures, and fails if told.
type opaque struct {
	signer crypto.Signer
	err    error

	mu    sync.Mutex
	signs int
}

func (o *opaque) Public() crypto.PublicKey { return o.signer.Public() }

func (o *opaque) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	o.mu.Lock()
	o.signs++
	o.mu.Unlock()
	if o.err != nil {
		return nil, o.err
	}
	return o.signer.Sign(r, digest, opts)
}

// newConnection is what package authcode hands to its parts, for the provider of these tests.
func newConnection() *authcode.Connection {
	return &authcode.Connection{
		Config:    authcode.Config{ClientID: clientID, Provider: authcode.Provider{Issuer: issuer, ClientIDParam: "client_id"}},
		Endpoints: authcode.Endpoints{TokenURL: tokenURL},
	}
}

// newRequest is a request to the PAR endpoint as package authcode makes it.
func newRequest() *authcode.TokenRequest {
	return &authcode.TokenRequest{
		Connection: newConnection(), URL: "https://op.example/par",
		Form: url.Values{"grant_type": {"authorization_code"}}, Header: http.Header{},
	}
}

// jwt is what an independent parser made of a JWT whose signature it verified.
type jwt struct {
	header jose.Header
	typ    any
	claims map[string]any
	raw    []byte
}

func (j *jwt) text(name string) string {
	s, _ := j.claims[name].(string)
	return s
}

// seconds is a claim that is a whole number.
func (j *jwt) seconds(name string) int64 {
	n, _ := j.claims[name].(json.Number)
	v, err := n.Int64()
	if err != nil {
		return -1
	}
	return v
}

// verify parses a JWT with go-jose.
func verify(t testing.TB, text, alg string, key any) *jwt {
	t.Helper()
	parsed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if err != nil {
		t.Fatalf("%s is no %s JWS: %v", text, alg, err)
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		t.Fatalf("%s by %s: %v", text, alg, err)
	}
	j := &jwt{header: parsed.Signatures[0].Protected, raw: payload}
	j.typ = j.header.ExtraHeaders[jose.HeaderType]
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.UseNumber()
	if err := dec.Decode(&j.claims); err != nil {
		t.Fatalf("claims %s: %v", payload, err)
	}
	return j
}

// authenticate has a sign a fresh request and returns its form.
func authenticate(t testing.TB, a authcode.ClientAuth, change ...func(*authcode.TokenRequest)) url.Values {
	t.Helper()
	req := newRequest()
	for _, f := range change {
		f(req)
	}
	if err := a.Authenticate(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if len(req.Header) > 0 {
		t.Errorf("headers were added: %v", req.Header)
	}
	return req.Form
}

// wantCheck demands an *authcode.Error with this Check, for Configuration.
func wantCheck(t testing.TB, err error, check string) *authcode.Error {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Check != check || e.Reason != authcode.Configuration {
		t.Fatalf("error %v, want Check %s", err, check)
	}
	return e
}

// shortRSA makes a key that FIPS 140-only mode forbids.
func shortRSA() (key *rsa.PrivateKey) {
	fips140.WithoutEnforcement(func() { key = must(rsa.GenerateKey(rand.Reader, 1024)) })
	return key
}
