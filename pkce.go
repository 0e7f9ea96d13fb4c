package authcode

import (
	"crypto/sha256"
	"encoding/base64"
)

// verifier is the code_verifier of one login (RFC 7636 section 4.1): 32 random
// bytes, which are 43 characters of base64url on the wire. It stays in the
// sealed cookie until the code is redeemed.
type verifier [32]byte

func (v verifier) encode() encoded { return base64URL(v) }

// challenge is the code_challenge with the method S256 (RFC 7636 section 4.2).
func (v verifier) challenge() encoded {
	// RFC 7636 section 4.2: a client that can use S256 must use it. The
	// challenge of the method "plain" is the verifier itself, which the browser
	// and its history would see.
	//
	// The RFC hashes the encoded verifier, not the 32 bytes.
	text := v.encode()
	return base64URL(sha256.Sum256(text[:]))
}

const (
	noncePrefix = "authcode nonce\x00"
	nonceAt     = len(noncePrefix)
)

// nonce ties an ID token to this login (OpenID Connect Core section 3.1.2.1).
func (v verifier) nonce() encoded {
	// A hash of the verifier is as random as the verifier and saves the cookie
	// 32 bytes. The prefix makes it differ from the challenge, and it reveals
	// nothing about the verifier.
	var b [nonceAt + len(v)]byte
	copy(b[:], noncePrefix)
	copy(b[nonceAt:], v[:])
	return base64URL(sha256.Sum256(b[:]))
}

// encoded is the base64url text of 32 bytes (RFC 4648 section 5, no padding). It
// is an array because every login makes several of them, and a string would
// have to be allocated.
type encoded [43]byte

func base64URL(b [32]byte) (text encoded) {
	base64.RawURLEncoding.Encode(text[:], b[:])
	return text
}

func (e encoded) String() string { return string(e[:]) }
