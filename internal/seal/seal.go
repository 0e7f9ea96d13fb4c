// Package seal seals the records of a store with a ring of keys.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"sync"
)

// Ring has the keys. The first seals, every key opens.
type Ring []key

// key is one secret, as keys for two purposes and a name.
type key struct {
	name   [4]byte // says in a sealed value which key it needs
	seal   *mac
	digest *mac
}

const minKey = 32 // bytes

// NewRing makes the ring. It returns what is wrong with the secrets, which are
// those of a field Config.Keys.
func NewRing(secrets [][]byte) (r Ring, faults []string) {
	if len(secrets) == 0 {
		faults = append(faults, "Config.Keys is empty: set one key of 32 or more random bytes")
	}
	for i, secret := range secrets {
		if len(secret) < minKey {
			faults = append(faults, fmt.Sprintf("Config.Keys[%d] has %d bytes, want 32 or more: "+
				"make one with crypto/rand and keep it as a secret", i, len(secret)))
			continue
		}
		// The purpose keeps these keys apart from those of the login cookies,
		// which an app may derive from the same secret.
		derive := func(purpose string, size int) []byte {
			b, _ := hkdf.Key(sha256.New, secret, nil, "authcode grant "+purpose, size) // cannot fail
			return b
		}
		k := key{seal: newMAC(derive("seal", 32)), digest: newMAC(derive("digest", 32))}
		copy(k.name[:], derive("name", len(k.name)))
		r = append(r, k)
	}
	return r, faults
}

const format = 1 // the first byte of a sealed value

// Record says what a sealed value is bound to.
type Record struct {
	Kind    string
	ID      [32]byte
	Version int64
}

// Seal encrypts and authenticates plain for r.
func (ring Ring) Seal(r Record, plain []byte) []byte {
	k := ring[0]
	head := append([]byte{format}, k.name[:]...)
	return k.aead(r).Seal(head, nil, plain, r.additional())
}

// Open reverses Seal. It reports whether a key of the ring has sealed the value
// for r.
func (ring Ring) Open(r Record, sealed []byte) (plain []byte, ok bool) {
	if len(sealed) < 5 || sealed[0] != format {
		return nil, false
	}
	for _, k := range ring {
		if string(k.name[:]) != string(sealed[1:5]) {
			continue
		}
		plain, err := k.aead(r).Open(nil, nil, sealed[5:], r.additional())
		if err == nil {
			return plain, true
		}
	}
	return nil, false
}

// IsOld reports whether a key other than the first has sealed the value.
func (ring Ring) IsOld(sealed []byte) bool {
	return len(sealed) < 5 || string(ring[0].name[:]) != string(sealed[1:5])
}

// aead returns the cipher for one record. Each record has a key of its own: with
// one key for all of them, random nonces could repeat after some billions of
// renewals (NIST SP 800-38D section 8.3).
func (k key) aead(r Record) cipher.AEAD {
	block, err := aes.NewCipher(k.seal.sum(r.Kind, string(r.ID[:])))
	if err != nil {
		panic(err) // a SHA-256 sum is an AES-256 key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // AES has the block size that GCM needs
	}
	return aead
}

// additional is what a sealed value is bound to: a value that was moved to
// another record, or put back under another version, does not open.
func (r Record) additional() []byte {
	b := make([]byte, 0, 8+len(r.ID)+len(r.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Version))
	return append(append(b, r.ID[:]...), r.Kind...)
}

// Digests returns a digest of parts by each key, the newest first, of 32 bytes.
// Nobody can compute one without the key, so the store does not say whom its
// records belong to.
func (ring Ring) Digests(purpose string, parts ...string) (all [][]byte) {
	for _, k := range ring {
		all = append(all, k.digest.sum(append([]string{purpose}, parts...)...))
	}
	return all
}

// mac is HMAC-SHA256 with one key. It is safe for concurrent use.
type mac struct {
	// hashes are used again: to begin with the key takes half of the time, and
	// every request needs one.
	hashes sync.Pool
}

func newMAC(key []byte) *mac {
	return &mac{sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// sum returns the sum of parts.
func (m *mac) sum(parts ...string) []byte {
	b := make([]byte, 0, 128)
	for _, part := range parts {
		// Each length goes first. Otherwise "ab"+"c" and "a"+"bc" would be
		// equal.
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	h := m.hashes.Get().(hash.Hash)
	defer m.hashes.Put(h)
	h.Reset()
	h.Write(b)
	return h.Sum(b[:0])
}
