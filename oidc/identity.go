package oidc

import (
	"context"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// identify is [authcode.Provider.Identity]: it checks what a token response
// says about the person, and returns who signed in. After a refresh it returns
// what a new ID token says of that person, without userinfo, or nil.
func (i *issuer) identify(
	ctx context.Context, resp *authcode.TokenResponse,
) (*authcode.Identity, error) {
	switch {
	case i.err != nil:
		return nil, i.err
	// The person who signed in is known from the login. A refresh may only
	// confirm it, and tell news of that person, such as a session_expiry.
	case resp.Previous != nil:
		return i.checkRefresh(ctx, resp)
	}
	token, err := i.verifyIDToken(ctx, resp, resp.Nonce)
	if err != nil {
		return nil, err
	}
	// RFC 9207 section 2.4: the root package has only checked that the iss of
	// the callback fits the template. If the ID token has another, one tenant
	// has answered in the place of another (a mix-up attack, RFC 9700 section
	// 4.4).
	iss, _ := token.Text("iss")
	if sent := resp.Callback["iss"]; i.isTemplate && len(sent) > 0 && sent[0] != iss {
		return nil, newError(authcode.Forged, "callback.iss", nil)
	}
	// The ID token says who signed in. userinfo only adds to it.
	claims := token.Object
	if i.userInfo {
		sub, _ := token.Text("sub")
		info, err := i.fetchUserInfo(ctx, resp, sub)
		if err != nil {
			return nil, err
		}
		claims = merge(claims, info)
	}
	return i.identity(claims), nil
}

// identity makes an Identity of checked claims.
func (i *issuer) identity(claims wire.Object) *authcode.Identity {
	// OpenID Connect Core section 5.1 names the claims. One that is not a
	// string is left empty: only iss and sub are required, and both were
	// checked.
	id := &authcode.Identity{Claims: decode(claims)}
	iss, _ := id.Claims["iss"].(string)
	id.Issuer = issuerOf(iss)
	id.Subject, _ = id.Claims["sub"].(string)
	id.Email, _ = id.Claims["email"].(string)
	id.Name, _ = id.Claims["name"].(string)
	id.Picture, _ = id.Claims["picture"].(string)
	// Section 5.1: email_verified is a boolean. Accepting any other value as
	// true, or a missing one, could give somebody the account that belongs to
	// another's address.
	verified := claims["email_verified"]
	isTrue := verified == "true" || i.stringVerified && verified == `"true"`
	id.EmailVerified = id.Email != "" && isTrue
	return id
}

// decode returns claims as Go values, numbers as json.Number.
func decode(claims wire.Object) map[string]any {
	values := make(map[string]any, len(claims))
	for name, raw := range claims {
		if v, ok := wire.Any(raw); ok {
			values[name] = v
		}
	}
	return values
}
