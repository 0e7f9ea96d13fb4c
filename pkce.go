package authcode

import (
	"crypto/sha256"
	"encoding/base64"
)

// verifier is the secret of one login (RFC 7636 section 4.1): 32 random octets, on the wire
// 43 characters of base64url. It never leaves the sealed cookie until the code is redeemed.
type verifier [32]byte

func (v verifier) encode() string { return text64(v) }

// challenge is BASE64URL(SHA256(verifier)), method S256 (RFC 7636 section 4.2). There is no
// way to ask for the method plain.
func (v verifier) challenge() string {
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], v[:])
	return text64(sha256.Sum256(text[:]))
}

// nonce ties an ID token to this login (OpenID Connect Core section 3.1.2.1). It is derived, so
// that the cookie need not carry it, and tells nothing about the verifier.
func (v verifier) nonce() string {
	return text64(sha256.Sum256(append([]byte("authcode nonce\x00"), v[:]...)))
}

// text64 is the base64url of 32 bytes, 43 characters, in one allocation.
func text64(b [32]byte) string {
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], b[:])
	return string(text[:])
}
