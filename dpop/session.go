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
)

const (
	randomLen   = 16  // bytes of a session's name that are random
	tagLen      = 8   // bytes of it that tell which secret it was made with
	maxSessions = 256 // whose keys are kept ready
)

// PerSession returns a Binding with a P-256 key of its own for each login: whoever learns one can use the
// tokens of one person, and servers cannot tell by the key that two people use the same app. Each key is derived
// from a secret of 32 or more random bytes and a random name, which is kept with the token; so all instances that have the
// secret have the keys, and nothing else needs to be stored. Keys of new logins are derived from current; those of
// tokens from whichever of the secrets made them.
//
// A token without such a name, or of a secret that is gone, cannot be used (Check "dpop.key") but can be
// refreshed, where the server lets it. Secrets rotate as keys do: see [New].
func PerSession(current []byte, former ...[]byte) *Binding {
	ring := keyring{algorithms: []string{"ES256"}}
	given := append([][]byte{current}, former...)
	var secrets []secret
	for i, s := range given {
		if err := secretFault(s, given[:i]); err != nil {
			ring.faults = append(ring.faults, fmt.Errorf("dpop.PerSession: secret %d: %w", i, err))
			continue
		}
		prk, err := hkdf.Extract(sha256.New, s, nil)
		if err != nil {
			ring.faults = append(ring.faults, fmt.Errorf("dpop.PerSession: secret %d: no key can be derived", i))
			continue
		}
		secrets = append(secrets, prk)
	}
	ready := newMemory[string, *key](maxSessions)
	ring.begin = func() (*key, error) {
		random := make([]byte, randomLen)
		rand.Read(random)
		return secrets[0].session(random, ready)
	}
	ring.find = func(name string) (*key, error) {
		if k, ok := ready.get(name); ok {
			return k, nil
		}
		// Other than 24 bytes are no name; so neither is what has line breaks, which the decoder skips.
		raw, err := base64.RawURLEncoding.DecodeString(name)
		if err != nil || len(raw) != randomLen+tagLen || len(name) != base64.RawURLEncoding.EncodedLen(len(raw)) {
			return nil, failure("dpop.key")
		}
		for _, s := range secrets {
			if hmac.Equal(raw[randomLen:], s.tag(raw[:randomLen])) {
				return s.session(raw[:randomLen], ready)
			}
		}
		return nil, failure("dpop.key")
	}
	return newBinding(ring)
}

func secretFault(s []byte, earlier [][]byte) error {
	switch {
	case len(s) < 32:
		return fmt.Errorf("it has %d bytes, want 32 or more", len(s))
	case bytes.Count(s, s[:1]) == len(s):
		return errors.New("it is one byte over and over: use random bytes")
	case slices.ContainsFunc(earlier, func(e []byte) bool { return bytes.Equal(e, s) }):
		return errors.New("it repeats an earlier secret: remove it")
	}
	return nil
}

// secret is what HKDF extracted from one (RFC 5869 section 2.2).
type secret []byte

// derive returns n bytes for a purpose. Names of purposes differ, and none begins another.
func (s secret) derive(purpose string, random []byte, n int) []byte {
	out, _ := hkdf.Expand(sha256.New, s, purpose+string(random), n) // fails beyond 8160 bytes only
	return out
}

func (s secret) tag(random []byte) []byte { return s.derive("authcode dpop tag ", random, tagLen) }

// session derives a session's key and keeps it ready.
func (s secret) session(random []byte, ready *memory[string, *key]) (*key, error) {
	private, err := firstKey(func(try byte) []byte {
		return s.derive("authcode dpop key "+string(rune('0'+try)), random, 32)
	})
	if err != nil {
		return nil, err
	}
	k, err := newKey(encode64(slices.Concat(random, s.tag(random))), private)
	if err != nil {
		return nil, failure("dpop.key")
	}
	ready.put(k.name, k)
	return k, nil
}

// firstKey makes a key of the first candidate that is one (FIPS 186-5 appendix A.2.2): but for
// one in 2^32 each is.
func firstKey(candidate func(try byte) []byte) (*ecdsa.PrivateKey, error) {
	for try := range byte(8) {
		if private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), candidate(try)); err == nil {
			return private, nil
		}
	}
	return nil, failure("dpop.key")
}
