package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/wire"
)

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// logoutLifetime is the age in seconds that a logout token may have, whatever its exp: section 2.4
	// recommends two minutes. A token that leaks later, from a log or a backup, ends no session.
	logoutLifetime = 600

	// maxTokensSeen bounds the memory of a handler. Only the provider can fill it, and a person who is
	// signed out twice has lost little.
	maxTokensSeen = 4096
)

// LogoutToken says whose sessions have ended at the provider: all sessions of Subject, or the one
// that SessionID names, or, if both are set, the session SessionID of Subject.
type LogoutToken struct {
	// Issuer is the provider's issuer identifier, iss.
	Issuer string

	// Subject is the person, sub. It may be empty.
	Subject string

	// SessionID names the session, sid: it equals the claim of that name in the ID token. It may be empty.
	SessionID string

	// ID is the token's own name, jti. It is empty for a front-channel logout.
	ID string
}

// BackChannelLogoutHandler is the backchannel_logout_uri of client (OpenID Connect Back-Channel Logout
// section 2.5). It answers a POST with 200 after ended has ended the app's sessions, and everything
// else with 400, always with Cache-Control: no-store. If ended returns an error, the answer is
// 400 too, and the provider may send the token again. A token is accepted once by each handler, and for
// ten minutes after its iat, or less if its exp says so. The handler panics if client or ended is nil.
//
// The request comes from the provider, so it has no cookie of the person's: the app finds its
// sessions by (Issuer, Subject) or by the sid claim of their ID token. The provider is not told why a
// token is refused; [Notify] is.
func BackChannelLogoutHandler(client *authcode.Client, ended func(context.Context, LogoutToken) error, opts ...HandlerOption) http.Handler {
	if ended == nil {
		panic("oidc: BackChannelLogoutHandler needs a function that ends sessions")
	}
	h := newHandler("BackChannelLogoutHandler", client, opts)
	seen := &once.Set{Max: maxTokensSeen}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		err := h.backChannelLogout(r, seen, ended)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		h.notify(r, err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_request"}`)) // section 2.8; nobody is left to be told of an error
	})
}

func (h *handler) backChannelLogout(r *http.Request, seen *once.Set, ended func(context.Context, LogoutToken) error) error {
	if r.Method != http.MethodPost {
		return failed(authcode.WrongMethod, "logout_token.method", nil)
	}
	params, err := parameters(r, "logout_token")
	if err != nil {
		return err
	}
	t, until, err := h.readLogoutToken(r.Context(), params.Get("logout_token"))
	if err != nil {
		return err
	}
	id := t.hash()
	if seen.Begin(id, time.Now(), until) != once.Unused {
		return logoutToken.refuse(".jti")
	}
	done := false
	defer func() {
		if !done { // also if ended panics
			seen.End(id, once.Unused)
		}
	}()
	if ended(r.Context(), *t) != nil {
		return misused("logout.end")
	}
	done = true
	return nil
}

// readLogoutToken has the provider's Verify do all checks but the last: whether the token was
// accepted before. It returns until when the token would be accepted.
func (h *handler) readLogoutToken(ctx context.Context, raw string) (*LogoutToken, time.Time, error) {
	if raw == "" {
		return nil, time.Time{}, logoutToken.refuse(".missing")
	}
	conn, err := h.client.Connection(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	claims, err := verified(ctx, conn, logoutToken, raw)
	if err != nil {
		return nil, time.Time{}, err
	}
	t := new(LogoutToken)
	t.Issuer, _ = claims["iss"].(string)
	t.Subject, _ = claims["sub"].(string)
	t.SessionID, _ = claims["sid"].(string)
	t.ID, _ = claims["jti"].(string)
	now := seconds(time.Now())
	last := lastSecond(number(claims["exp"], now+logoutLifetime), number(claims["iat"], now))
	return t, time.Unix(int64(last)+leeway+1, 0), nil
}

// verifyLogoutToken checks a logout token (OpenID Connect Back-Channel Logout section 2.6).
func (i *issuer) verifyLogoutToken(ctx context.Context, conn *authcode.Connection, text string) (wire.Object, error) {
	if text == "" {
		return nil, logoutToken.refuse(".missing")
	}
	t, err := i.open(ctx, conn, logoutToken, text)
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
	now := seconds(conn.Config.Clock.Now())
	if err := checkTimes(t, now); err != nil {
		return nil, err
	}
	exp, _ := date(t.Object["exp"]) // good, as iat is
	iat, _ := date(t.Object["iat"])
	if lastSecond(exp, iat)+leeway <= now {
		return nil, t.refuse(".iat")
	}
	return t.Object, checkLogoutClaims(t)
}

// checkLogoutClaims checks what only a logout token has, or lacks.
func checkLogoutClaims(t *jwt) error {
	if jti, ok := t.Text("jti"); !ok || jti == "" {
		return t.refuse(".jti")
	}
	if !hasLogoutEvent(t.Object["events"]) {
		return t.refuse(".events")
	}
	// An ID token has a nonce: it must not sign anybody out.
	if _, present := t.Object["nonce"]; present {
		return t.refuse(".nonce")
	}
	sub, subOK := t.Text("sub")
	sid, sidOK := t.Text("sid")
	if !subOK || !sidOK || sub == "" && sid == "" {
		return t.refuse(".sub")
	}
	return nil
}

// lastSecond is when a logout token with these times ends.
func lastSecond(exp, iat float64) float64 { return min(exp, iat+logoutLifetime) }

// number returns the value of a claim, or other if it is not a number.
func number(claim any, other float64) float64 {
	n, _ := claim.(json.Number)
	if f, ok := date(wire.Raw(n)); ok {
		return f
	}
	return other
}

// hasLogoutEvent: section 2.4, a member of this name, whose value is an object.
func hasLogoutEvent(raw wire.Raw) bool {
	events, err := wire.ParseObject([]byte(raw))
	if err != nil {
		return false
	}
	_, err = wire.ParseObject([]byte(events[logoutEvent]))
	return err == nil
}

func (t *LogoutToken) hash() [sha256.Size]byte {
	return sha256.Sum256([]byte(t.Issuer + "\x00" + t.ID))
}
