package oidc

import (
	"context"
	"encoding/json"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// logoutLifetime is how many seconds after its iat a logout token is
	// accepted, even if its exp is later or missing. A token that leaks from a
	// log or a backup then ends no session. OpenID Connect Back-Channel Logout
	// section 2.4 recommends an exp after two minutes at most.
	logoutLifetime = 600
)

// verifyLogoutToken verifies a logout token (OpenID Connect Back-Channel Logout
// section 2.6). Whether it was accepted before is for the handler to check.
func (i *issuer) verifyLogoutToken(
	ctx context.Context, conn *authcode.Connection, text string,
) (wire.Object, error) {
	if text == "" {
		return nil, logoutToken.refuse(".missing")
	}
	// Section 2.6: the same steps as for an ID token, with the same keys and
	// algorithms.
	t, err := i.open(ctx, conn, logoutToken, text)
	if err != nil {
		return nil, err
	}
	if err := t.checkClaims(); err != nil {
		return nil, err
	}
	// checkClaims has checked exp and found iat. A provider may give its logout
	// tokens an exp of hours, or none, so check the age as well.
	iat, _ := numericDate(t.Object["iat"])
	if iat+logoutLifetime+leeway <= t.now {
		return nil, t.refuse(".iat")
	}
	return t.Object, t.checkLogoutToken()
}

// checkLogoutToken checks the claims that only logout tokens have or lack.
func (t *jwt) checkLogoutToken() error {
	// Section 2.4: jti is required. Without it, no replay could be noticed.
	if jti, _ := t.Text("jti"); jti == "" {
		return t.refuse(".jti")
	}
	if !hasLogoutEvent(t.Object["events"]) {
		return t.refuse(".events")
	}
	// Section 2.4: a logout token has no nonce. An ID token for this client has
	// one. If it passed here, anybody who has seen an ID token could sign the
	// person out.
	if _, present := t.Object["nonce"]; present {
		return t.refuse(".nonce")
	}
	// Section 2.4: sub or sid, or both. Without them it would be unclear whose
	// sessions have to end.
	sub, subOK := t.Text("sub")
	sid, sidOK := t.Text("sid")
	if !subOK || !sidOK || sub == "" && sid == "" {
		return t.refuse(".sub")
	}
	return nil
}

// hasLogoutEvent reports whether events has the event of a back-channel logout.
func hasLogoutEvent(raw wire.Raw) bool {
	// Section 2.4: events is an object, and so is the member for this event.
	// Other events are signed by the same keys, and mean something else.
	events, _ := wire.ParseObject([]byte(raw)) // empty if it is not an object
	_, err := wire.ParseObject([]byte(events[logoutEvent]))
	return err == nil
}

// numberOr returns the number that claim is, or other if it is not a number.
func numberOr(claim any, other float64) float64 {
	// The claims may come from the app's own Verify, so expect any type.
	n, _ := claim.(json.Number)
	if f, ok := numericDate(wire.Raw(n)); ok {
		return f
	}
	return other
}
