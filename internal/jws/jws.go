// Package jws signs the JWTs of a client: assertions, proofs and request objects. Whoever reads JWTs uses
// go-jose. For signing, its cryptosigner gives PS256 the longest salt, where RFC 7518 section 3.5 asks
// for the hash's length and strict servers for nothing else; and here the header is encoded once for each key.
package jws

import (
	"bytes"
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
)

// The signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1).
const (
	RS256 = "RS256"
	PS256 = "PS256"
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// Check returns the algorithm that key signs with: alg, or if that is empty PS256 for RSA, ES256 for P-256
// and EdDSA for Ed25519. It refuses a key that is weak, or of another kind than alg. The words of its
// errors are its own: they quote neither key nor alg.
func Check(key crypto.Signer, alg string) (string, error) {
	if IsNil(key) {
		return "", errors.New("the private key is nil: was the error of loading it looked at?")
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
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
		if public != nil && public.Curve == elliptic.P256() && (alg == "" || alg == ES256) {
			return ES256, nil
		}
	case ed25519.PublicKey:
		if alg == "" || alg == EdDSA {
			return EdDSA, nil
		}
	}
	return "", errors.New("want an RSA key for RS256 or PS256, P-256 for ES256, or Ed25519 for EdDSA")
}

// IsNil knows a nil key of a type too, which a loader returns beside an error that nobody looked at:
// its methods would panic.
func IsNil(key crypto.Signer) bool {
	if k, ok := key.(ed25519.PrivateKey); ok {
		return len(k) != ed25519.PrivateKeySize
	}
	v := reflect.ValueOf(key)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// Signer signs with one key. It is safe for concurrent use if the key is.
type Signer struct {
	key    crypto.Signer
	alg    string
	header string // encoded, with the dot behind it
}

// New returns a signer with alg and header, to which it adds alg. Its arguments have passed Check.
func New(key crypto.Signer, alg string, header map[string]any) (*Signer, error) {
	all := map[string]any{"alg": alg}
	for name, value := range header {
		all[name] = value
	}
	text, err := json.Marshal(all)
	if err != nil {
		return nil, errors.New("the header is no JSON")
	}
	return &Signer{key, alg, base64.RawURLEncoding.EncodeToString(text) + "."}, nil
}

// Sign returns claims, a JSON object, as a JWT in compact form (RFC 7515 section 3.1).
func (s *Signer) Sign(claims []byte) (string, error) {
	enc := base64.RawURLEncoding
	text := make([]byte, 0, len(s.header)+enc.EncodedLen(len(claims))+1+enc.EncodedLen(256))
	text = enc.AppendEncode(append(text, s.header...), claims)
	signature, err := s.sign(text)
	if err != nil {
		return "", err
	}
	return string(enc.AppendEncode(append(text, '.'), signature)), nil
}

func (s *Signer) sign(text []byte) ([]byte, error) {
	if s.alg == EdDSA {
		return s.key.Sign(rand.Reader, text, crypto.Hash(0))
	}
	digest := sha256.Sum256(text)
	switch s.alg {
	case RS256:
		return s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	case PS256:
		return s.key.Sign(rand.Reader, digest[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	}
	der, err := s.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return fixed(der)
}

// fixed turns an ECDSA signature from ASN.1 into R and S of 32 bytes each (RFC 7518 section 3.4). By hand:
// encoding/asn1 would cost more than all else about a JWT.
func fixed(der []byte) ([]byte, error) {
	out := make([]byte, 64)
	body, rest := element(der, 0x30)
	r, body := element(body, 0x02)
	s, body := element(body, 0x02)
	if len(rest) > 0 || len(body) > 0 || !unsigned(out[:32], r) || !unsigned(out[32:], s) {
		return nil, errors.New("the key made no ECDSA signature")
	}
	return out, nil
}

// element takes what is tagged off the front of der, or returns nothing. All of a P-256 signature is shorter
// than 128 bytes, so a length is one byte.
func element(der []byte, tag byte) (value, rest []byte) {
	if len(der) < 2 || der[0] != tag || int(der[1]) > len(der)-2 {
		return nil, nil
	}
	return der[2 : 2+int(der[1])], der[2+int(der[1]):]
}

// unsigned writes a positive ASN.1 integer to out, right-aligned.
func unsigned(out, integer []byte) bool {
	if len(integer) == 0 || integer[0] >= 0x80 { // nothing, or negative
		return false
	}
	integer = bytes.TrimLeft(integer, "\x00")
	if len(integer) == 0 || len(integer) > len(out) {
		return false
	}
	copy(out[len(out)-len(integer):], integer)
	return true
}
