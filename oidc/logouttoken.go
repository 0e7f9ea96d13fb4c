package oidc

import (
	"context"
	"crypto/sha256"
	"net/http"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/wire"
)

const (
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

	// logoutLifetime is the age in seconds that a logout token may have, whatever its exp: section 2.4
	// asks for two minutes. A token that leaks later, from a log or a backup, ends no session.
	logoutLifetime = 600
)

// LogoutToken says whose sessions have ended at the provider: all sessions of Subject, or the one
// that SessionID names, or, if both are set, the session SessionID of Subject.
type LogoutToken struct {
	Issuer    string
	Subject   string // may be empty
	SessionID string // sid: equal to the claim of that name in the ID token; may be empty
	ID        string // jti; empty for a front-channel logout
}

// VerifyLogoutToken checks a logout token (OpenID Connect Back-Channel Logout section 2.6) that is
// meant for the client with this id. A token is accepted once per process, and for ten minutes after
// its iat, or less if its exp says so. Its error is an [*authcode.Error]. It takes ten seconds at
// most if keys have to be loaded.
func (i *Issuer) VerifyLogoutToken(ctx context.Context, clientID, raw string) (*LogoutToken, error) {
	t, until, err := i.readLogoutToken(ctx, clientID, raw)
	if err != nil {
		return nil, err
	}
	if i.tokensSeen.Begin(t.hash(), time.Now(), until) != once.Unused {
		return nil, refused("logout_token.jti")
	}
	return t, nil
}

// BackChannelLogoutHandler is the backchannel_logout_uri of the client with this id (OpenID Connect
// Back-Channel Logout section 2.5). It answers a POST with 200 after ended has ended the app's
// sessions, and with 400 to everything else, always with Cache-Control: no-store. If ended returns an error
// the answer is 400 too, and the provider may send the token again. It panics if ended is nil.
//
// The request comes from the provider, so it has no cookie of the person's: the app finds its
// sessions by (Issuer, Subject) or by the sid claim of their ID token. The provider is not told why a
// token is refused; [Notify] is.
func (i *Issuer) BackChannelLogoutHandler(clientID string, ended func(context.Context, LogoutToken) error) http.Handler {
	if ended == nil {
		panic("oidc: BackChannelLogoutHandler needs a function that ends sessions")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		err := i.backChannelLogout(r, clientID, ended)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		i.notify(r, err)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_request"}`)) // section 2.8; nobody is left to tell about an error
	})
}

func (i *Issuer) backChannelLogout(r *http.Request, clientID string, ended func(context.Context, LogoutToken) error) *authcode.Error {
	if r.Method != http.MethodPost {
		return failed(authcode.WrongMethod, "logout_token.method", nil)
	}
	params, err := parameters(r, "logout_token")
	if err != nil {
		return err
	}
	t, until, err := i.readLogoutToken(r.Context(), clientID, params.Get("logout_token"))
	if err != nil {
		return err
	}
	if i.tokensSeen.Begin(t.hash(), time.Now(), until) != once.Unused {
		return refused("logout_token.jti")
	}
	done := false
	defer func() {
		if !done { // also when ended panics
			i.tokensSeen.End(t.hash(), once.Unused)
		}
	}()
	if ended(r.Context(), *t) != nil {
		return misused("logout.end")
	}
	done = true
	return nil
}

// readLogoutToken does all checks but the last: whether the token was seen before. It returns
// until when the token would be accepted.
func (i *Issuer) readLogoutToken(ctx context.Context, clientID, raw string) (*LogoutToken, time.Time, *authcode.Error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	none := time.Time{}
	if raw == "" {
		return nil, none, refused("logout_token.missing")
	}
	m, err := i.metadata(ctx, i.client, &i.handlers)
	if err != nil {
		return nil, none, err
	}
	// Anybody can post a token, so these have key fetches of their own to use up.
	v := &verifier{"logout_token", m.tokenAlgs, m, i.client, &i.handlers}
	t, err := v.verify(ctx, raw)
	if err != nil {
		return nil, none, err
	}
	if err := i.checkLogoutToken(t, clientID); err != nil {
		return nil, none, err
	}
	until := time.Unix(int64(lastSecond(t))+leeway+1, 0)
	return &LogoutToken{text(t.Object, "iss"), text(t.Object, "sub"), text(t.Object, "sid"), text(t.Object, "jti")}, until, nil
}

func (i *Issuer) checkLogoutToken(t *jwt, clientID string) *authcode.Error {
	if !t.hasType("logout+jwt") {
		return refused("logout_token.typ")
	}
	if err := i.checkIssuer(t, "logout_token"); err != nil {
		return err
	}
	if err := i.checkAudience(t, "logout_token", clientID); err != nil {
		return err
	}
	now := seconds(time.Now())
	if err := checkTimes(t, "logout_token", now); err != nil {
		return err
	}
	if lastSecond(t)+leeway <= now { // and exp is good
		return refused("logout_token.iat")
	}
	if jti, ok := t.Text("jti"); !ok || jti == "" {
		return refused("logout_token.jti")
	}
	if !hasLogoutEvent(t.Object["events"]) {
		return refused("logout_token.events")
	}
	// An ID token has one: it must not log anybody out.
	if _, present := t.Object["nonce"]; present {
		return refused("logout_token.nonce")
	}
	sub, subOK := t.Text("sub")
	sid, sidOK := t.Text("sid")
	if !subOK || !sidOK || sub == "" && sid == "" {
		return refused("logout_token.sub")
	}
	return nil
}

// lastSecond is when a logout token whose times are good ends.
func lastSecond(t *jwt) float64 {
	exp, _ := date(t.Object["exp"])
	iat, _ := date(t.Object["iat"])
	return min(exp, iat+logoutLifetime)
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
