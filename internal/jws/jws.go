// Package jws signs the JWTs of a client: assertions, proofs and request objects. Whoever reads JWTs uses
// go-jose. For signing, its cryptosigner gives PS256 the longest salt, where RFC 7518 section 3.5 asks
// for the hash's length and strict servers for nothing else; and here the header is encoded once for each key.
package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
)

// The signature algorithms (RFC 7518 section 3.1, RFC 8037 section 3.1).
const (
	RS256 = "RS256"
	PS256 = "PS256"
	ES256 = "ES256"
	EdDSA = "EdDSA"
)

// Check returns the algorithm that key signs with: alg, or if that is empty PS256 for RSA, ES256 for P-256
// and EdDSA for Ed25519. It refuses a key that is weak, or of another kind than alg.
func Check(key crypto.Signer, alg string) (string, error) {
	if key == nil {
		return "", errors.New("the key is nil")
	}
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return "", errors.New("the RSA key has fewer than 2048 bits")
		}
		if alg == "" {
			alg = PS256
		}
		if alg == PS256 || alg == RS256 {
			return alg, nil
		}
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() && (alg == "" || alg == ES256) {
			return ES256, nil
		}
	case ed25519.PublicKey:
		if alg == "" || alg == EdDSA {
			return EdDSA, nil
		}
	}
	return "", errors.New("want an RSA key for RS256 or PS256, P-256 for ES256, or Ed25519 for EdDSA")
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

// fixed turns an ECDSA signature from ASN.1 into R and S of 32 bytes each (RFC 7518 section 3.4).
func fixed(der []byte) ([]byte, error) {
	var signature struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &signature)
	if err != nil || len(rest) > 0 || signature.R.Sign() <= 0 || signature.S.Sign() <= 0 ||
		signature.R.BitLen() > 256 || signature.S.BitLen() > 256 {
		return nil, errors.New("the key made no ECDSA signature")
	}
	out := make([]byte, 64)
	signature.R.FillBytes(out[:32])
	signature.S.FillBytes(out[32:])
	return out, nil
}
