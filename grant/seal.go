package grant

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
)

// ring has the keys. The first seals, every key opens.
type ring []ringKey

// ringKey is one key, as three keys for three purposes.
type ringKey struct {
	name   [4]byte // says in a sealed value which key it needs
	seal   []byte
	digest []byte
}

const minKey = 32 // bytes

// newRing makes the ring and adds the faults of keys.
func newRing(keys [][]byte, faults []string) (r ring, _ []string) {
	if len(keys) == 0 {
		faults = append(faults, "Config.Keys is empty: set one key of 32 or more random bytes")
	}
	for i, key := range keys {
		if len(key) < minKey {
			faults = append(faults, fmt.Sprintf("Config.Keys[%d] has %d bytes, want 32 or more: "+
				"make one with crypto/rand and keep it as a secret", i, len(key)))
			continue
		}
		// The purpose keeps these keys apart from those of the login cookies,
		// which an app may derive from the same secret.
		derive := func(purpose string, size int) []byte {
			b, _ := hkdf.Key(sha256.New, key, nil, "authcode grant "+purpose, size) // cannot fail
			return b
		}
		k := ringKey{seal: derive("seal", 32), digest: derive("digest", 32)}
		copy(k.name[:], derive("name", len(k.name)))
		r = append(r, k)
	}
	return r, faults
}

const format = 1 // the first byte of a sealed value

// seal encrypts and authenticates plain for the record with this key and
// version.
func (r ring) seal(key Key, version int64, plain []byte) []byte {
	k := r[0]
	head := append([]byte{format}, k.name[:]...)
	return k.aead(key).Seal(head, nil, plain, additional(key, version))
}

// open reverses seal. It reports whether the value was sealed by a key of the
// ring for this record and version.
func (r ring) open(key Key, version int64, sealed []byte) (plain []byte, ok bool) {
	if len(sealed) < 5 || sealed[0] != format {
		return nil, false
	}
	for _, k := range r {
		if string(k.name[:]) != string(sealed[1:5]) {
			continue
		}
		plain, err := k.aead(key).Open(nil, nil, sealed[5:], additional(key, version))
		if err == nil {
			return plain, true
		}
	}
	return nil, false
}

// isOld reports whether another key than the first has sealed the value.
func (r ring) isOld(sealed []byte) bool {
	return len(sealed) < 5 || string(r[0].name[:]) != string(sealed[1:5])
}

// aead returns the cipher for one record. Each record has a key of its own: with
// one key for all of them, random nonces could repeat after some billions of
// renewals (NIST SP 800-38D section 8.3).
func (k ringKey) aead(key Key) cipher.AEAD {
	block, err := aes.NewCipher(k.mac(k.seal, key.Kind, string(key.ID[:])))
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
func additional(key Key, version int64) []byte {
	b := make([]byte, 0, 8+len(key.ID)+len(key.Kind))
	b = binary.BigEndian.AppendUint64(b, uint64(version))
	return append(append(b, key.ID[:]...), key.Kind...)
}

// digest returns a digest of parts that nobody can compute without the key, so
// that the store does not say who its records belong to.
func (k ringKey) digestOf(purpose string, parts ...string) (d Digest) {
	copy(d[:], k.mac(k.digest, append([]string{purpose}, parts...)...))
	return d
}

// mac is HMAC-SHA256 of parts.
func (k ringKey) mac(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		// Each length goes first. Otherwise "ab"+"c" and "a"+"bc" would be
		// equal.
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:])
		io.WriteString(h, part)
	}
	return h.Sum(nil)
}
