package oidc

import (
	"context"
	"encoding/base64"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// checkRefresh checks the answer to a refresh (OpenID Connect Core section
// 12.2): a new ID token passes the checks of a login, and has the iss and sub
// of the one before. One that was made for another login is a final error. It
// returns what the new ID token says of the person, if there is one.
func (i *issuer) checkRefresh(
	ctx context.Context, resp *authcode.TokenResponse,
) (*authcode.Identity, error) {
	fresh, before := idTokenOf(resp.Token), idTokenOf(resp.Previous)
	// The answer to a refresh may have no ID token. Then the root package keeps
	// the old one, which was checked when it came.
	if fresh == "" || fresh == before {
		return nil, nil
	}
	old := unverifiedClaims(before)
	token, err := i.verifyIDToken(ctx, resp, nonceAfterRefresh(fresh, before))
	switch {
	case err != nil:
		return nil, err
	// An app that stores tokens may have dropped the ID token, see
	// authcode.MarshalToken. Then there is nothing to compare with, and nobody is
	// the same person.
	case before == "":
		return nil, nil
	}
	// A refresh that brings another person's token would continue this session
	// in that person's name.
	iss, _ := token.Text("iss")
	oldIss, _ := old.Text("iss")
	sub, _ := token.Text("sub")
	oldSub, _ := old.Text("sub")
	switch {
	case issuerOf(iss) != issuerOf(oldIss):
		return nil, otherPersonError("refresh.iss")
	case sub != oldSub:
		return nil, otherPersonError("refresh.sub")
	}
	return i.identity(token.Object), nil
}

// nonceAfterRefresh returns the nonce that the ID token fresh must have.
func nonceAfterRefresh(fresh, before string) string {
	// Section 12.2: a new ID token should have no nonce. If it has one, it must
	// be the first login's.
	nonce, _ := unverifiedClaims(fresh).Text("nonce")
	if nonce == "" || before == "" {
		return nonce
	}
	nonce, _ = unverifiedClaims(before).Text("nonce")
	return nonce
}

// unverifiedClaims returns the claims of an ID token without verifying it. They
// may only say what a check compares with: the token was verified before, or
// will be.
func unverifiedClaims(raw string) wire.Object {
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	// An old token that the app has damaged has no claims. Then no new token is
	// about the same person, and the refresh is refused.
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	claims, _, _ := wire.ParseClaims(b, true)
	return claims
}

// otherPersonError refuses a refresh for good: the same refresh token would
// bring the same person again.
func otherPersonError(check string) error {
	err := identityError(check)
	err.Final = true
	return err
}
