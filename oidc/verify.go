package oidc

import (
	"context"
	"errors"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// verify is [authcode.Provider.Verify]: it opens a JWT that the provider signed for the client of
// conn, by its media type. It takes ten seconds at most.
func (i *issuer) verify(ctx context.Context, conn *authcode.Connection, typ, text string) (map[string]any, error) {
	if i.err != nil {
		return nil, i.err
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var claims wire.Object
	var err error
	switch typ {
	case response.typ:
		claims, err = i.verifyResponse(ctx, conn, text)
	case logoutToken.typ:
		claims, err = i.verifyLogoutToken(ctx, conn, text)
	case introspection.typ:
		claims, err = i.verifyIntrospection(ctx, conn, text)
	default:
		err = misused("verify.typ")
	}
	if err != nil {
		return nil, err
	}
	return decode(claims), nil
}

// verified has the provider of conn open a JWT of kind k, for the handlers and functions that are made
// from a Client: the app may have wrapped or replaced the provider's Verify.
func verified(ctx context.Context, conn *authcode.Connection, k kind, text string) (map[string]any, error) {
	verify := conn.Config.Provider.Verify
	if verify == nil {
		return nil, misused(k.name + ".verify")
	}
	claims, err := verify(ctx, conn, k.typ, text)
	own := (*authcode.Error)(nil)
	switch {
	case err == nil && claims != nil:
		return claims, nil
	case errors.As(err, &own) && own != nil:
		return nil, own
	case ctx.Err() != nil:
		return nil, ended(ctx, k.name)
	}
	return nil, k.refuse(".refused") // the text of a foreign error may hold anything
}

// verifyResponse checks a signed authorization response (JARM section 2.4): signature, typ, iss, aud,
// exp, and nbf and iat if they are there.
func (i *issuer) verifyResponse(ctx context.Context, conn *authcode.Connection, text string) (wire.Object, error) {
	t, err := i.open(ctx, conn, response, text)
	if err != nil {
		return nil, err
	}
	if !t.hasType() {
		return nil, t.refuse(".typ")
	}
	if err := i.checkIssuer(t); err != nil {
		return nil, err
	}
	if err := i.checkAudience(t, conn.Config.ClientID); err != nil {
		return nil, err
	}
	if err := checkTimes(t, seconds(conn.Config.Clock.Now())); err != nil {
		return nil, err
	}
	for _, name := range []string{"code", "state", "error"} {
		if raw, present := t.Object[name]; present {
			if _, ok := wire.Text(raw); !ok {
				return nil, failed(authcode.Malformed, "response.claim", nil)
			}
		}
	}
	return t.Object, nil
}

// verifyIntrospection checks a signed answer about a token (RFC 9701 section 5): signature, typ, iss,
// aud and iat. It returns the claims of its token_introspection.
func (i *issuer) verifyIntrospection(ctx context.Context, conn *authcode.Connection, text string) (wire.Object, error) {
	t, err := i.open(ctx, conn, introspection, text)
	if err != nil {
		return nil, err
	}
	if t.mediaType() != introspection.typ { // section 5: required, so that no other JWT passes for an answer
		return nil, t.refuse(".typ")
	}
	if err := i.checkIssuer(t); err != nil {
		return nil, err
	}
	if err := i.checkAudience(t, conn.Config.ClientID); err != nil {
		return nil, err
	}
	now := seconds(conn.Config.Clock.Now())
	if iat, ok := date(t.Object["iat"]); !ok || iat > now+leeway || iat < now-leeway-budget.Seconds() {
		return nil, t.refuse(".iat") // an old answer may call a token active that no longer is
	}
	claims, bad := wire.ParseObject([]byte(t.Object["token_introspection"]))
	if bad != nil {
		return nil, t.refuse(".claim")
	}
	return claims, nil
}
