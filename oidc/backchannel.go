package oidc

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/realm"
)

// maxTokensSeen bounds how many logout tokens a handler remembers. Only the
// provider can fill its memory, and a token that is forgotten and accepted
// again does little harm: it signs a person out a second time.
const maxTokensSeen = 4096

// LogoutToken says whose sessions have ended at the provider: all sessions of
// Subject; or the session SessionID; or, if both are set, the session SessionID
// of Subject.
type LogoutToken struct {
	// Issuer is the provider's issuer identifier, iss.
	Issuer string

	// Subject is the person, sub. It may be empty.
	Subject string

	// SessionID is the session, sid, as in the person's ID token. It may be
	// empty.
	SessionID string

	// Tenant is the key of the tenant whose client the token is for. It is empty
	// unless that client comes from package tenants.
	Tenant string

	// ID identifies the logout token itself, jti. It is empty for a
	// front-channel logout.
	ID string
}

// BackChannelLogoutHandler is the backchannel_logout_uri of client (OpenID
// Connect Back-Channel Logout section 2.5). It answers a POST with 200 after
// ended has ended the app's sessions, and everything else with 400, always with
// Cache-Control: no-store. If ended returns an error, it answers 400 too, or 503
// for [authcode.Overloaded], and the provider may send the token again.
// Otherwise each handler accepts a token once, at most ten minutes after its iat
// and not after its exp. The handler panics if client or ended is nil.
//
// The request comes from the provider and has no cookies of the person. Find
// the sessions by (Issuer, Subject), or by the sid of their ID token. The
// provider is not told why a token is refused; [Notify] is.
func BackChannelLogoutHandler(
	client *authcode.Client, ended func(context.Context, LogoutToken) error, opts ...HandlerOption,
) http.Handler {
	if ended == nil {
		panic("oidc: BackChannelLogoutHandler needs a function that ends sessions")
	}
	h := newLogoutHandler("BackChannelLogoutHandler", client, opts)
	seen := &once.Set{Max: maxTokensSeen}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		err := h.backChannelLogout(w, r, seen, ended)
		if err == nil {
			w.WriteHeader(http.StatusOK)
			return
		}
		h.notify(r, err)
		// Section 2.8: status 400 and an error in JSON. The details would help
		// an attacker who guesses. While the app's store is down, it is not the
		// token that is wrong: 503 asks the provider to come back.
		status := http.StatusBadRequest
		if errors.Is(err, authcode.Overloaded) {
			status = http.StatusServiceUnavailable
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		w.Write([]byte(`{"error":"invalid_request"}`))
	})
}

func (h *logoutHandler) backChannelLogout(
	w http.ResponseWriter, r *http.Request, seen *once.Set,
	ended func(context.Context, LogoutToken) error,
) error {
	if r.Method != http.MethodPost {
		return newError(authcode.WrongMethod, "logout_token.method", nil)
	}
	params, err := parameters(w, r, "logout_token")
	if err != nil {
		return err
	}
	// The cookies of a browser are not looked at: the request comes from the
	// provider's server, and the token alone says who is meant.
	t, until, err := h.readLogoutToken(r.Context(), params.Get("logout_token"))
	if err != nil {
		return err
	}
	// OpenID Connect Back-Channel Logout section 2.6: a token that is replayed
	// must not end a session that has begun since.
	id := t.hash()
	if seen.Begin(id, time.Now(), until) != once.Unused {
		return logoutToken.refuse(".jti")
	}
	done := false
	defer func() {
		// The sessions are still there, even if ended has panicked. Let the
		// provider try again.
		if !done {
			seen.End(id, once.Unused)
		}
	}()
	if err := ended(realm.WithTenant(r.Context(), t.Tenant), *t); errors.Is(err, authcode.Overloaded) {
		return newError(authcode.Overloaded, "logout.end", nil)
	} else if err != nil {
		return configError("logout.end")
	}
	done = true
	return nil
}

// readLogoutToken verifies a logout token, and returns until when it would be
// accepted again.
func (h *logoutHandler) readLogoutToken(
	ctx context.Context, raw string,
) (*LogoutToken, time.Time, error) {
	// Anybody can post an empty form. It must not cause a request for the
	// metadata.
	if raw == "" {
		return nil, time.Time{}, logoutToken.refuse(".missing")
	}
	conn, err := h.client.Connection(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	claims, err := callVerify(ctx, conn, logoutToken, raw)
	if err != nil {
		return nil, time.Time{}, err
	}
	t := &LogoutToken{Tenant: conn.Origin().Tenant}
	t.Issuer, _ = claims["iss"].(string)
	t.Subject, _ = claims["sub"].(string)
	t.SessionID, _ = claims["sid"].(string)
	t.ID, _ = claims["jti"].(string)
	// Back-Channel Logout section 2.4. Without sub and sid, ended could take
	// the token for one that means everybody. The app's own Verify may not have
	// looked.
	switch {
	case !conn.Config.Provider.IsIssuer(t.Issuer):
		return nil, time.Time{}, logoutToken.refuse(".iss")
	case t.Subject == "" && t.SessionID == "":
		return nil, time.Time{}, logoutToken.refuse(".sub")
	}
	// exp may be missing, and the app's own Verify may leave iat out, too. Then
	// remember the token for as long as any token is accepted.
	iat := numberOr(claims["iat"], seconds(time.Now()))
	end := min(numberOr(claims["exp"], iat+logoutLifetime), iat+logoutLifetime)
	return t, time.Unix(int64(end)+leeway+1, 0), nil
}

// hash identifies the token. jti is unique for one issuer only.
func (t *LogoutToken) hash() once.ID {
	sum := sha256.Sum256([]byte(t.Issuer + "\x00" + t.ID))
	return once.ID(sum[:])
}
