package wire

import (
	"encoding/base64"
	"strings"
)

// The bounds of a JWT in compact form, in bytes. An honest header has some
// hundred bytes, or a few thousand with a certificate chain (x5c).
const (
	maxJWT       = 128 << 10
	maxJWTHeader = 8 << 10 // decoded
)

// IsCompactJWS reports whether text has the form of a signed JWT (RFC 7515
// section 3.1): three parts of base64url, within bounds. It decodes nothing.
func IsCompactJWS(text string) bool {
	// Anybody can post a logout token or send a response to the callback. A
	// JSON decoder that looks for repeated members takes 31 ms for a header of
	// 54 kB, so bound it before anything parses it.
	if len(text) > maxJWT {
		return false
	}
	header, rest, _ := strings.Cut(text, ".")
	if len(header) > base64.RawURLEncoding.EncodedLen(maxJWTHeader) {
		return false
	}
	// Five parts are an encrypted token (RFC 7516 section 7.1), for which the
	// app has no key.
	claims, signature, signed := strings.Cut(rest, ".")
	return signed && isBase64URL(header) && isBase64URL(claims) && isBase64URL(signature)
}

// isBase64URL reports whether text has characters of base64url only (RFC 4648
// section 5). Go's decoder would skip newlines.
func isBase64URL(text string) bool {
	// The characters of a JWT come in no order. A comparison for each range
	// would take ten times as long, because no processor can predict it.
	for n := range len(text) {
		if !inBase64URL[text[n]] {
			return false
		}
	}
	return true
}

var inBase64URL = func() (in [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		in[c] = true
	}
	return in
}()

// AlgorithmName returns alg if it is a registered name (IANA, JSON Web Signature
// and Encryption Algorithms), for an error's text. Any other is the sender's
// word, which may hold anything.
func AlgorithmName(alg string) string {
	switch alg {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "ES256K",
		"EdDSA", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87",
		"HS256", "HS384", "HS512", "none":
		return alg
	}
	return "an unregistered algorithm"
}

// ClaimName returns name if it is a registered or widely used claim, for an
// error's text. Any other is the sender's word, which may hold anything.
func ClaimName(name string) string {
	switch name {
	case "iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "azp", "auth_time", "acr", "amr",
		"at_hash", "c_hash", "s_hash", "sid", "events", "email", "email_verified", "name",
		"preferred_username", "picture", "groups", "roles", "scope", "client_id", "tid", "hd",
		"code", "state", "error", "error_description", "error_uri", "session_state",
		"token_introspection":
		return name
	}
	return "a claim with another name"
}
