// Package jws signs the JWTs of a client: client assertions, DPoP proofs and
// request objects. JWTs from others are read with go-jose, not with this
// package.
//
// The package exists for two reasons. RFC 7518 section 3.5 demands that the
// salt of PS256 is as long as the hash, and strict servers check that, whereas
// the cryptosigner of go-jose uses the longest salt. And here the header is
// encoded once for each key instead of once for each JWT.
package jws

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
)

// The signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864
// section 2.2).
const (
	RS256   = "RS256"
	PS256   = "PS256"
	ES256   = "ES256"
	EdDSA   = "EdDSA"
	Ed25519 = "Ed25519" // the new name of EdDSA with an Ed25519 key
)

// Allows reports whether names has the algorithm alg, under either name if it
// is that of an Ed25519 key.
func Allows(names []string, alg string) bool {
	// RFC 9864 section 2.2 gives a second name to the same signatures. Servers
	// change from one to the other without notice.
	return slices.Contains(names, alg) ||
		alg == Ed25519 && slices.Contains(names, EdDSA) ||
		alg == EdDSA && slices.Contains(names, Ed25519)
}

// PrefersEd25519 reports whether a server expects the name Ed25519, not EdDSA,
// in what a client signs. lists are the algorithms that it supports, a list for
// each kind of message.
func PrefersEd25519(lists ...[]string) bool {
	fresh := false
	for _, list := range lists {
		hasOld, hasNew := slices.Contains(list, EdDSA), slices.Contains(list, Ed25519)
		// All clients know the old name, so it stays where any list demands it.
		if hasOld && !hasNew {
			return false
		}
		fresh = fresh || hasNew && !hasOld
	}
	return fresh
}

// Check returns the algorithm that key signs with. That is alg or, if alg is
// empty, PS256 for RSA, ES256 for P-256 and EdDSA for Ed25519. RS256 must be
// asked for, since FAPI 2.0 forbids it. Check refuses a key that is weak or
// does not fit alg. Its errors quote neither the key nor alg.
func Check(key crypto.Signer, alg string) (string, error) {
	if IsNil(key) {
		return "", errors.New("the private key is nil: check the error from loading it")
	}
	// The public key decides, because the private one may be in a KMS or HSM.
	switch public := publicOf(key).(type) {
	case nil:
		return "", errors.New("the private key is nil: check the error from loading it")
	case *rsa.PublicKey:
		// RFC 7518 section 3.3: 2048 bits or more.
		if public == nil || public.N == nil || public.N.BitLen() < 2048 {
			return "", errors.New("the RSA key has fewer than 2048 bits: use a longer one")
		}
		if alg == "" {
			alg = PS256
		}
		if alg == PS256 || alg == RS256 {
			return alg, nil
		}
	case *ecdsa.PublicKey:
		// RFC 7518 section 3.4: each ES algorithm belongs to one curve.
		if public != nil && public.Curve == elliptic.P256() && (alg == "" || alg == ES256) {
			return ES256, nil
		}
	case ed25519.PublicKey:
		if alg == "" {
			alg = EdDSA
		}
		if alg == EdDSA || alg == Ed25519 {
			return alg, nil
		}
	}
	return "", errors.New("the key does not fit the algorithm, or cannot be used: " +
		"want an RSA key for PS256 or RS256, P-256 for ES256, or Ed25519 for EdDSA or Ed25519")
}

// IsNil reports whether key is nil, a nil pointer in the interface, or an empty
// Ed25519 key. A loading function returns such a key beside its error. If the
// app ignores the error, calling a method of the key would panic.
func IsNil(key crypto.Signer) bool {
	if k, ok := key.(ed25519.PrivateKey); ok {
		return len(k) != ed25519.PrivateKeySize
	}
	v := reflect.ValueOf(key)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// publicOf returns key's public key, nil if there is none.
func publicOf(key crypto.Signer) (public crypto.PublicKey) {
	// The app's own type may embed a crypto.Signer, which may be nil. Then the
	// call panics.
	defer func() {
		if recover() != nil {
			public = nil
		}
	}()
	return key.Public()
}

// Signer signs JWTs with one key. It is safe for concurrent use if the key is.
type Signer struct {
	key    crypto.Signer
	alg    string
	header string // encoded, with the dot behind it

	renamed *Signer // the same under the name Ed25519; nil unless alg is EdDSA
}

// New returns a signer with alg and header, to which it adds alg. Its arguments
// have passed Check.
func New(key crypto.Signer, alg string, header map[string]any) (*Signer, error) {
	s := &Signer{key: key, alg: alg}
	all := map[string]any{"alg": alg}
	for name, value := range header {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, errors.New("the header of the JWT cannot be encoded as JSON")
	}
	s.header = base64.RawURLEncoding.EncodeToString(text) + "."
	if alg == EdDSA {
		// The server decides between the names (RFC 9864), and one key may sign
		// for several servers.
		s.renamed, _ = New(key, Ed25519, header) // this header can be encoded, too
	}
	return s, nil
}

// Renamed returns a signer that writes Ed25519 where s writes EdDSA. Where s
// writes another name, that is s.
func (s *Signer) Renamed() *Signer {
	return cmp.Or(s.renamed, s)
}

// Sign returns claims, a JSON object, as a JWT in compact form (RFC 7515
// section 3.1).
func (s *Signer) Sign(claims []byte) (string, error) {
	enc := base64.RawURLEncoding
	// One buffer for the whole JWT: 256 bytes are the signature of RSA 2048.
	text := make([]byte, 0, len(s.header)+enc.EncodedLen(len(claims))+1+enc.EncodedLen(256))
	text = enc.AppendEncode(append(text, s.header...), claims)
	signature, err := s.sign(text)
	if err != nil {
		return "", err
	}
	return string(enc.AppendEncode(append(text, '.'), signature)), nil
}

func (s *Signer) sign(text []byte) ([]byte, error) {
	// RFC 8032: Ed25519 hashes the message itself.
	if s.alg == EdDSA || s.alg == Ed25519 {
		return s.key.Sign(rand.Reader, text, crypto.Hash(0))
	}
	digest := sha256.Sum256(text)
	switch s.alg {
	case RS256:
		return s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	case PS256:
		// RFC 7518 section 3.5: the salt is as long as the hash.
		return s.key.Sign(rand.Reader, digest[:],
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	// A crypto.Signer returns ASN.1 for ECDSA, whereas a JWT has R and S alone.
	der, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return joseSignature(der)
}

// joseSignature turns an ECDSA signature from ASN.1, as crypto.Signer returns
// it, into R and S of 32 bytes each (RFC 7518 section 3.4). It parses by hand,
// because encoding/asn1 would take longer than the rest of a JWT. The bytes may
// come from a KMS, so it checks all of them.
func joseSignature(der []byte) ([]byte, error) {
	out := make([]byte, 64)
	body, rest := cutASN1(der, 0x30) // SEQUENCE
	r, body := cutASN1(body, 0x02)   // INTEGER
	s, body := cutASN1(body, 0x02)
	if len(rest) > 0 || len(body) > 0 || !putInteger(out[:32], r) || !putInteger(out[32:], s) {
		return nil, errors.New("the key's Sign did not return an ECDSA signature in ASN.1")
	}
	return out, nil
}

// cutASN1 takes the element with this tag off the front of der. It returns
// nothing if there is no such element. A P-256 signature is shorter than 128
// bytes, so every length in it is a single byte.
func cutASN1(der []byte, tag byte) (value, rest []byte) {
	if len(der) < 2 || der[0] != tag || int(der[1]) > len(der)-2 {
		return nil, nil
	}
	return der[2 : 2+int(der[1])], der[2+int(der[1]):]
}

// putInteger writes a positive ASN.1 integer to out, aligned to the right.
func putInteger(out, integer []byte) bool {
	if len(integer) == 0 || integer[0] >= 0x80 { // missing, or negative
		return false
	}
	// ASN.1 puts a zero before a number whose first bit is set.
	integer = bytes.TrimLeft(integer, "\x00")
	if len(integer) == 0 || len(integer) > len(out) {
		return false
	}
	copy(out[len(out)-len(integer):], integer)
	return true
}
