package oidc

import (
	"context"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// verifyResponse verifies a signed authorization response (JARM section 2.4)
// and returns its parameters.
func (i *issuer) verifyResponse(
	ctx context.Context, conn *authcode.Connection, text string,
) (wire.Object, error) {
	t, err := i.open(ctx, conn, response, text)
	if err != nil {
		return nil, err
	}
	// JARM section 2.4: iss, aud and exp. They stop a response that belongs to
	// another provider (a mix-up attack), to another client, or to a login of
	// long ago.
	if err := t.checkClaims(); err != nil {
		return nil, err
	}
	// RFC 6749 section 4.1.2: these parameters are strings. One of another type
	// must not look like a missing one.
	for _, name := range []string{"code", "state", "error"} {
		raw, present := t.Object[name]
		if _, ok := wire.Text(raw); present && !ok {
			return nil, newError(authcode.Malformed, "response.claim", nil)
		}
	}
	return t.Object, nil
}
