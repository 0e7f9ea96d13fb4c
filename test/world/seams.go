package world

import (
	"context"
	"encoding/base64"
	"fmt"

	"example.com/authcode"
)

// Lookup is a Provider.Metadata.
type Lookup func(context.Context, *authcode.Connection) (authcode.Endpoints, error)

// Finds is a Provider.Metadata that always finds e.
func Finds(e authcode.Endpoints) Lookup {
	return func(context.Context, *authcode.Connection) (authcode.Endpoints, error) { return e, nil }
}

// LookedUp has the endpoints of the provider looked up, in place of those that
// Config names.
func LookedUp(lookup Lookup) func(*authcode.Config) {
	return func(c *authcode.Config) {
		c.Provider.Endpoints = authcode.Endpoints{}
		c.Provider.Metadata = lookup
	}
}

// Authenticate is client authentication of an app's own.
func Authenticate(f func(*authcode.TokenRequest) error) authcode.ClientAuth {
	return authcode.ClientAuth{
		Authenticate: func(_ context.Context, r *authcode.TokenRequest) error { return f(r) },
	}
}

// JWT is a signed JWT with this header and these claims, and a signature that
// no key has made.
func JWT(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + ".c2ln"
}

// Proof is the nth DPoP proof of a test (RFC 9449 section 4.2).
func Proof(n int) string {
	return JWT(fmt.Sprintf(`{"typ":"dpop+jwt","alg":"ES256","n":%d}`, n), `{}`)
}
