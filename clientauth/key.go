package clientauth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"reflect"

	"example.com/authcode/internal/secret"
)

type redacted = secret.Redacted

// Key is a private key that signs for the app. It prints and marshals as
// REDACTED, except in an unexported field of one of the app's structs: there
// package fmt calls no methods.
type Key struct {
	redacted

	// Signer is an *rsa.PrivateKey of 2048 bits or more, an *ecdsa.PrivateKey
	// on P-256, an ed25519.PrivateKey, or a key of one of these kinds that
	// lives in a KMS or HSM. It must be safe for concurrent use.
	Signer crypto.Signer

	// Algorithm is RS256, PS256, ES256, EdDSA or Ed25519. If empty, it is PS256
	// for RSA and ES256 for P-256. For Ed25519, it is then the name that the
	// provider expects: EdDSA, or Ed25519 (RFC 9864) if Endpoints.Ed25519 is
	// set. RS256 is never chosen by itself, since FAPI 2.0 forbids it.
	Algorithm string

	// ID is the kid that the key has in the JWKS by which the provider knows
	// the app's keys. If empty, no kid is sent, and the provider tries the
	// app's keys.
	ID string
}

// Keys is where signing keys come from: a [Key], or [RotatingKeys].
type Keys interface{ source() source }

// source is where a keyring gets its keys.
type source struct {
	current func(context.Context) (Key, error) // nil: there is none
	fixed   bool                               // current always returns the same key, and no error
}

func (k Key) source() source {
	return source{func(context.Context) (Key, error) { return k, nil }, true}
}

type rotatingKeys func(context.Context) (Key, error)

func (f rotatingKeys) source() source { return source{current: f} }

// RotatingKeys returns Keys that ask current for the key of each signature.
// current is called by many goroutines, with the context of the request that is
// signed. A key that it returns again is not prepared again. Publish a new key
// before it signs, and keep the old one published until no JWT that it signed
// is valid any more: a minute for [PrivateKeyJWT], five for [SignRequests]. The
// text of an error that current returns is not kept.
func RotatingKeys(current func(context.Context) (Key, error)) Keys { return rotatingKeys(current) }

// same reports whether k and other sign alike.
func (k Key) same(other Key) bool {
	if k.Algorithm != other.Algorithm || k.ID != other.ID {
		return false
	}
	if a, ok := k.Signer.(ed25519.PrivateKey); ok {
		b, ok := other.Signer.(ed25519.PrivateKey)
		return ok && a.Equal(b)
	}
	// == panics for what cannot be compared.
	return reflect.ValueOf(other.Signer).Comparable() && k.Signer == other.Signer
}
