package authcode

import (
	"crypto/sha256"
	"encoding/base64"
)

// verifier is the secret of one login (RFC 7636 section 4.1): 32 random octets, on the wire
// 43 characters of base64url. It never leaves the sealed cookie until the code is redeemed.
type verifier [32]byte

func (v verifier) encode() string { return base64.RawURLEncoding.EncodeToString(v[:]) }

// challenge is BASE64URL(SHA256(verifier)), method S256 (RFC 7636 section 4.2). There is no
// way to ask for the method plain.
func (v verifier) challenge() string {
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], v[:])
	sum := sha256.Sum256(text[:])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// nonce ties an ID token to this login (OpenID Connect Core section 3.1.2.1). It is derived, so
// that the cookie need not carry it, and tells nothing about the verifier.
func (v verifier) nonce() string {
	sum := sha256.Sum256(append([]byte("authcode nonce\x00"), v[:]...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
