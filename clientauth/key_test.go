package clientauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// wrongKeys are Keys that cannot sign, with what Err says.
var wrongKeys = []struct {
	claim string
	keys  clientauth.Keys
	says  string
}{
	{"no keys", nil, "there is no key"},
	{"no function", clientauth.RotatingKeys(nil), "there is no key"},
	{"a nil pointer", (*clientauth.Key)(nil), "there is no key"},
	{"nil Keys in a struct", struct{ clientauth.Keys }{}, "there is no key"},
	{"a nil Key in a struct", &struct{ *clientauth.Key }{}, "there is no key"},
	{"nil function in a struct", struct{ clientauth.Keys }{clientauth.RotatingKeys(nil)}, "there is no key"},
	{"a nil signer in a struct", clientauth.Key{Signer: struct{ crypto.Signer }{}}, "Key.Signer: the private key is nil"},
	{"an empty Key", clientauth.Key{}, "the private key is nil"},
	{"a nil RSA key", clientauth.Key{Signer: (*rsa.PrivateKey)(nil)}, "the private key is nil"},
	{"a nil Ed25519 key", clientauth.Key{Signer: ed25519.PrivateKey(nil)}, "the private key is nil"},
	{"a weak RSA key", clientauth.Key{Signer: weakRSA}, "fewer than 2048 bits"},
	{"P-384", clientauth.Key{Signer: must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))},
		"want an RSA key"},
	{"RSA for ES256", clientauth.Key{Signer: rsaKey, Algorithm: "ES256"}, "want an RSA key"},
	{"P-256 for RS256", clientauth.Key{Signer: ecKey, Algorithm: "RS256"}, "want an RSA key"},
	{"none", clientauth.Key{Signer: ecKey, Algorithm: "none"}, "want an RSA key"},
	{"HS256", clientauth.Key{Signer: rsaKey, Algorithm: "HS256"}, "want an RSA key"},
}

// TestWrongKeys: Err explains each, and nothing is signed with it.
func TestWrongKeys(t *testing.T) {
	for _, row := range wrongKeys {
		t.Run(row.claim, func(t *testing.T) {
			a, s := clientauth.PrivateKeyJWT(row.keys), clientauth.SignRequests(row.keys)
			wantFault(t, a.Err, "PrivateKeyJWT: ", row.says)
			wantFault(t, s.Err, "SignRequests: ", row.says)
			if a.Algorithms != nil || s.Algorithms != nil {
				t.Errorf("Algorithms %q and %q", a.Algorithms, s.Algorithms)
			}
			req := newRequest()
			e := wantCheck(t, a.Authenticate(context.Background(), req), "client_auth.key")
			if !strings.Contains(e.Error(), row.says) || req.Form.Has("client_assertion") {
				t.Errorf("error %q, form %v", e, req.Form)
			}
			text, err := s.SignRequest(context.Background(), newConnection(), url.Values{"client_id": {clientID}})
			wantCheck(t, err, "messages.key")
			if text != "" {
				t.Error("signed")
			}
			if key, ok := row.keys.(clientauth.Key); ok {
				rotating := clientauth.PrivateKeyJWT(rotate(key))
				if rotating.Err != nil || rotating.Algorithms != nil {
					t.Errorf("a rotating key was looked at: %v, %q", rotating.Err, rotating.Algorithms)
				}
				wantCheck(t, rotating.Authenticate(context.Background(), newRequest()), "client_auth.key")
			}
		})
	}
}

func rotate(keys ...clientauth.Key) clientauth.Keys {
	return clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) {
		key := keys[0]
		if len(keys) > 1 {
			keys = keys[1:]
		}
		return key, nil
	})
}

func wantFault(t *testing.T, err error, prefix, says string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), prefix) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "\n") {
		t.Errorf("fault %v: want one line %q … %q", err, prefix, says)
	}
}

// TestWrongSecrets is the same for SecretJWT.
func TestWrongSecrets(t *testing.T) {
	for secret, says := range map[string]string{
		"":                     "fewer than 32 bytes",
		secret32[:31]:          "fewer than 32 bytes",
		secret32 + "\n":        "control character",
		"\x00" + secret32:      "control character",
		secret32 + "\x7f more": "control character",
	} {
		a := clientauth.SecretJWT(secret)
		wantFault(t, a.Err, "SecretJWT: ", says)
		req := newRequest()
		wantCheck(t, a.Authenticate(context.Background(), req), "client_auth.key")
		if req.Form.Has("client_assertion") {
			t.Errorf("signed with %q", secret)
		}
	}
}

// TestRotation: every request has the key of its time, with its kid and algorithm, whatever stays the same.
func TestRotation(t *testing.T) {
	other := newEC()
	otherEd := ed25519.NewKeyFromSeed(make([]byte, 32))
	steps := []struct {
		claim string
		key   clientauth.Key
		alg   string
	}{
		{"the first", clientauth.Key{Signer: ecKey, ID: "a"}, "ES256"},
		{"the same again", clientauth.Key{Signer: ecKey, ID: "a"}, "ES256"},
		{"another of its kind under the same name", clientauth.Key{Signer: other, ID: "a"}, "ES256"},
		{"under another name", clientauth.Key{Signer: other, ID: "b"}, "ES256"},
		{"of another kind", clientauth.Key{Signer: edKey, ID: "b"}, "EdDSA"},
		{"the same again, of a type without ==", clientauth.Key{Signer: edKey, ID: "b"}, "EdDSA"},
		{"another of that type", clientauth.Key{Signer: otherEd, ID: "b"}, "EdDSA"},
		{"of a type of the app's without ==", clientauth.Key{Signer: slicy{edKey}, ID: "b"}, "EdDSA"},
		{"the same again", clientauth.Key{Signer: slicy{edKey}, ID: "b"}, "EdDSA"},
		{"RSA", clientauth.Key{Signer: rsaKey}, "PS256"},
		{"with another algorithm", clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}, "RS256"},
		{"and back", clientauth.Key{Signer: ecKey, ID: "a"}, "ES256"},
	}
	n := -1
	a := clientauth.PrivateKeyJWT(clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) {
		n++
		return steps[n].key, nil
	}))
	for _, step := range steps {
		t.Run(step.claim, func(t *testing.T) {
			j := verify(t, authenticate(t, a).Get("client_assertion"), step.alg, step.key.Signer.Public())
			if j.header.KeyID != step.key.ID {
				t.Errorf("kid %q, want %q", j.header.KeyID, step.key.ID)
			}
		})
	}
}

// slicy is a signer that cannot be compared.
type slicy []ed25519.PrivateKey

func (s slicy) Public() crypto.PublicKey { return s[0].Public() }

func (s slicy) Sign(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s[0].Sign(r, msg, opts)
}

// TestKeyFailures: the app's own code fails, and its text is not kept.
func TestKeyFailures(t *testing.T) {
	outage := errors.New("canary: the KMS said so")
	own := authcode.NewError(authcode.Overloaded, "kms.busy", "the KMS is busy", nil)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	failing := func(err error) clientauth.Keys {
		return clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) { return clientauth.Key{}, err })
	}
	broken := clientauth.Key{Signer: &opaque{signer: ecKey, err: outage}}
	for check, keys := range map[string]clientauth.Keys{"client_auth.keys": failing(outage), "client_auth.sign": broken} {
		a := clientauth.PrivateKeyJWT(keys)
		req := newRequest()
		e := wantCheck(t, a.Authenticate(context.Background(), req), check)
		if strings.Contains(e.Error(), "canary") || req.Form.Has("client_assertion") {
			t.Errorf("error %q, form %v", e, req.Form)
		}
		if err := a.Authenticate(ended, newRequest()); !errors.Is(err, outage) {
			t.Errorf("after the context's end: %v, want the error as it is", err)
		}
	}
	if err := clientauth.PrivateKeyJWT(failing(own)).Authenticate(context.Background(), newRequest()); !errors.Is(err, authcode.Overloaded) {
		t.Errorf("an *authcode.Error became %v", err)
	}
}

// TestPreparedOnce: a key is prepared once, and its public half is not asked for at each request.
func TestPreparedOnce(t *testing.T) {
	key := &countingKey{opaque: opaque{signer: ecKey}}
	for _, keys := range []clientauth.Keys{clientauth.Key{Signer: key}, rotate(clientauth.Key{Signer: key})} {
		key.publics = 0
		a := clientauth.PrivateKeyJWT(keys)
		for range 5 {
			authenticate(t, a)
		}
		if key.publics != 1 {
			t.Errorf("Public was called %d times", key.publics)
		}
	}
	if key.signs != 10 {
		t.Errorf("%d signatures for 10 requests", key.signs)
	}
}

type countingKey struct {
	opaque
	publics int
}

func (c *countingKey) Public() crypto.PublicKey {
	c.publics++
	return c.opaque.Public()
}
