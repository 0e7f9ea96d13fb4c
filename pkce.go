package authcode

import (
	"crypto/sha256"
	"encoding/base64"
)

// verifier is the code_verifier of one login (RFC 7636 section 4.1): 32 random
// bytes, which are 43 characters of base64url on the wire. It stays in the
// sealed cookie until the code is redeemed.
type verifier [32]byte

func (v verifier) encode() string { return base64URL(v) }

// challenge is the code_challenge with the method S256 (RFC 7636 section 4.2).
func (v verifier) challenge() string {
	// RFC 7636 section 4.2: a client that can use S256 must use it. The
	// challenge of the method "plain" is the verifier itself, which the browser
	// and its history would see.
	//
	// The RFC hashes the encoded verifier, not the 32 bytes.
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], v[:])
	return base64URL(sha256.Sum256(text[:]))
}

// nonce ties an ID token to this login (OpenID Connect Core section 3.1.2.1).
func (v verifier) nonce() string {
	// A hash of the verifier is as random as the verifier and saves the cookie
	// 32 bytes. The prefix makes it differ from the challenge, and it reveals
	// nothing about the verifier.
	return base64URL(sha256.Sum256(append([]byte("authcode nonce\x00"), v[:]...)))
}

// base64URL encodes 32 bytes as 43 characters (RFC 4648 section 5, no padding).
func base64URL(b [32]byte) string {
	// Every login encodes several of these. EncodeToString would allocate
	// twice.
	var text [43]byte
	base64.RawURLEncoding.Encode(text[:], b[:])
	return string(text[:])
}
