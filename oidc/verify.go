package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
)

// verify is [authcode.Provider.Verify]: it verifies a JWT of the media type
// typ.
func (i *issuer) verify(
	ctx context.Context, conn *authcode.Connection, typ, text string,
) (map[string]any, error) {
	// authcode.New has refused such a provider. But an app may call Verify
	// without a Client.
	if i.err != nil {
		return nil, i.err
	}
	// Anybody can send a JWT. Loading the keys for it must not hold up a
	// request.
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	var claims wire.Object
	var err error
	// The caller says what it expects. If the JWT's own typ decided, a JWT of
	// one kind could pass where another is expected (RFC 8725 section 3.12).
	switch typ {
	case response.typ:
		claims, err = i.verifyResponse(ctx, conn, text)
	case logoutToken.typ:
		claims, err = i.verifyLogoutToken(ctx, conn, text)
	case introspection.typ:
		claims, err = i.verifyIntrospection(ctx, conn, text)
	default:
		err = configError("verify.typ")
	}
	if err != nil {
		return nil, err
	}
	return decode(claims), nil
}

// checkAlgorithm refuses a JWT that is not signed by one of allowed, the app's
// own list. A nil list is left to Verify, which has a default.
func (k kind) checkAlgorithm(text string, allowed []string) error {
	if allowed == nil {
		return nil
	}
	// RFC 8725 section 3.1: the app, not the header, decides.
	encoded, _, _ := strings.Cut(text, ".")
	header, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return k.refuse(".form")
	}
	// The error of package wire is about the form of the JSON.
	obj, err := wire.ParseObject(header)
	if err != nil {
		return k.refuse(".form")
	}
	if alg, _ := obj.Text("alg"); !jws.Allows(allowed, alg) {
		return refuseAlgorithm(k, alg, allowed)
	}
	return nil
}

// callVerify calls Provider.Verify for a JWT of kind k. The handlers and
// functions that take a Client use it, because the app may have wrapped or
// replaced Verify.
func callVerify(
	ctx context.Context, conn *authcode.Connection, k kind, text string,
) (map[string]any, error) {
	// A provider that is described by hand has no Verify. Nothing that it signs
	// may then be believed.
	verify := conn.Config.Provider.Verify
	if verify == nil {
		return nil, configError(k.name + ".verify")
	}
	claims, err := verify(ctx, conn, k.typ, text)
	own, isOwn := errors.AsType[*authcode.Error](err)
	switch {
	case err == nil && claims != nil:
		// The rules in the Connection hold for a Verify that lost them, too.
		return claims, k.checkAlgorithm(text, conn.Config.Provider.Algorithms)
	// The app may return an error of its own with a Check that it looks for.
	case isOwn && own != nil:
		return nil, own
	// The caller went away, or its time is up. That says nothing about the JWT.
	case ctx.Err() != nil:
		return nil, contextError(ctx, k.name)
	}
	// Do not print a foreign error: its text may hold the JWT.
	return nil, k.refuse(".refused")
}
