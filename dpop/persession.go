package dpop

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

const (
	randomLen = 16  // bytes of a key's name that are random
	tagLen    = 8   // bytes of a name that tell which secret the key is derived from
	maxReady  = 256 // derived keys that are kept, so that few are derived again
)

// PerSession returns a Binding with a P-256 key for each login. A thief who
// learns a key can use the tokens of one person only, and servers cannot tell
// by the key that two people use the same app. Each key is derived from a
// secret of 32 or more random bytes and a random name, and the name is kept
// with the token. So every instance that has the secret has the keys, and
// nothing else needs to be stored. Keys of new logins are derived from current,
// those of tokens from whichever secret made them. A secret that is too short
// or not random is a fault, which [authcode.New] lists.
//
// A token without the name of a key, or with one whose secret is gone, cannot
// be used (Check "dpop.key"). It can be refreshed if the server accepts that.
// Secrets rotate as keys do: see [New].
func PerSession(current []byte, former ...[]byte) authcode.Binding {
	return newBinding(newDerived(current, former))
}

// newDerived returns a keyring that derives its keys.
func newDerived(current []byte, former [][]byte) keyring {
	ring := keyring{algorithms: []string{"ES256"}}
	d := &derivedKeys{ready: newMemory[string, *key](maxReady)}
	given := append([][]byte{current}, former...)
	for i, s := range given {
		if err := secretFault(s, given[:i]); err != nil {
			ring.faults = append(ring.faults, fmt.Sprintf("dpop.PerSession: secret %d: %v", i, err))
			continue
		}
		// RFC 5869 section 2.2: extracting here, once, spares every login the
		// work. Extract fails only for fewer than 14 bytes, in Go's FIPS mode.
		prk, _ := hkdf.Extract(sha256.New, s, nil)
		d.secrets = append(d.secrets, master{secret.Hide(prk)})
	}
	ring.begin, ring.find = d.begin, d.find
	return ring
}

// derivedKeys derives keys from secrets.
type derivedKeys struct {
	secrets []master // the current one first
	ready   *memory[string, *key]
}

// begin derives the key of a new login.
func (d *derivedKeys) begin() (*key, error) {
	random := make([]byte, randomLen)
	rand.Read(random)
	return d.secrets[0].key(random, d.ready)
}

// find derives the key with this name again. A name encodes the random bytes
// and the tag, 24 bytes together.
func (d *derivedKeys) find(name string) (*key, error) {
	// Making a P-256 key takes longer than all the rest of a proof.
	if k, ok := d.ready.get(name); ok {
		return k, nil
	}
	// The decoder skips line breaks, so the length of the text is checked too.
	// It returns fewer bytes if another character is not base64.
	raw, _ := base64.RawURLEncoding.DecodeString(name)
	if len(raw) != randomLen+tagLen || len(name) != base64.RawURLEncoding.EncodedLen(len(raw)) {
		return nil, failure("dpop.key")
	}
	// The tag says which secret the key comes from. Only the app can make a
	// tag, so a forged name never becomes a key.
	for _, s := range d.secrets {
		if hmac.Equal(raw[randomLen:], s.tag(raw[:randomLen])) {
			return s.key(raw[:randomLen], d.ready)
		}
	}
	return nil, failure("dpop.key")
}

// secretFault says what is wrong with the secret s. It cannot measure how
// random s is. It finds what is certainly not random.
func secretFault(s []byte, earlier [][]byte) error {
	switch {
	case len(s) < 32:
		return fmt.Errorf("it has %d bytes, want 32 or more random bytes", len(s))
	case bytes.Count(s, s[:1]) == len(s):
		return errors.New("it repeats a single byte: use random bytes")
	case slices.ContainsFunc(earlier, func(e []byte) bool { return bytes.Equal(e, s) }):
		return errors.New("it repeats an earlier secret: remove it")
	}
	return nil
}

// master holds the pseudorandom key that HKDF has extracted from a secret (RFC
// 5869 section 2.2).
type master struct{ prk secret.Value[[]byte] }

// derive returns n bytes for a purpose. No purpose is the beginning of another,
// so that two purposes never derive the same bytes.
func (m master) derive(purpose string, random []byte, n int) []byte {
	// Expand fails only for more than 8160 bytes.
	out, _ := hkdf.Expand(sha256.New, m.prk.Reveal(), purpose+string(random), n)
	return out
}

func (m master) tag(random []byte) []byte { return m.derive("authcode dpop tag ", random, tagLen) }

// key derives the key of one login and keeps it ready. The same secret and the
// same random bytes give the same key, in every instance of the app.
func (m master) key(random []byte, ready *memory[string, *key]) (*key, error) {
	private := firstKey(func(try byte) []byte {
		return m.derive("authcode dpop key "+string(rune('0'+try)), random, 32)
	})
	k, err := newKey(encode64(slices.Concat(random, m.tag(random))), private)
	if err == nil { // always, since every P-256 key can sign proofs
		ready.put(k.name, k)
	}
	return k, err
}

// firstKey returns the first candidate that is a private key of P-256, which is
// a number below the order of the curve (FIPS 186-5 appendix A.2.2). Only one
// in 2^32 candidates is not.
func firstKey(candidate func(try byte) []byte) *ecdsa.PrivateKey {
	for try := byte(0); ; try++ {
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), candidate(try)); err == nil {
			return private
		}
	}
}
