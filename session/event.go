package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

// Kind says what an [Event] is about.
type Kind string

// The kinds.
const (
	SignedIn      Kind = "signed_in"     // a session has begun
	Ended         Kind = "ended"         // a session has ended: see Event.Why
	Refused       Kind = "refused"       // a finished login was refused
	Undecryptable Kind = "undecryptable" // no key of Config.Keys opens a session, or it was changed
	Failed        Kind = "failed"        // the store, or a malformed session_expiry of a renewal
)

// Why says why a session has ended. A session that expires ends in silence.
type Why string

// The reasons.
const (
	BySignOut    Why = "sign_out"   // the person signed out
	ByEnd        Why = "end"        // End, EndAll or EndHandle
	BySignIn     Why = "sign_in"    // the browser signed in again
	ByLimit      Why = "limit"      // Config.MaxSessions
	ByGrant      Why = "grant"      // the grant has ended
	ByRevalidate Why = "revalidate" // Revalidate got no new ID token
	ByTenant     Why = "tenant"     // its tenant of package tenants was removed
)

// Event is what Config.Observe gets. It has no secret, unless an error of
// Config.SignedIn has one.
type Event struct {
	Kind     Kind
	Why      Why    // of Ended
	Provider string // Provider.Name of the Client; may be empty
	Err      error  // of Refused and Failed
}

func (s *Sessions) observe(ctx context.Context, e Event) {
	if s.cfg.Observe != nil {
		s.cfg.Observe(ctx, e)
	}
}

// storeFailed is the error of a store that failed. It wraps err, which operators
// need and which has no secret: a store sees sealed values only.
func (s *Sessions) storeFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return authcode.NewError(authcode.Canceled, "session.store",
			"the caller went away before the store answered", ctx.Err())
	}
	e := authcode.NewError(authcode.Overloaded, "session.store",
		"the store of sessions failed: check it", nil)
	e.RetryAfter = time.Second
	err = fmt.Errorf("%w: %w", e, secret.Printable{Err: err})
	s.observe(ctx, Event{Kind: Failed, Err: err})
	return err
}

// refuse answers a request that failed.
func (s *Sessions) refuse(w http.ResponseWriter, r *http.Request, err error) {
	e, _ := errors.AsType[*authcode.Error](err)
	if e == nil {
		e = authcode.NewError(authcode.Configuration, "session.error",
			"the app's code returned an error that is not an *authcode.Error: make it with "+
				"authcode.NewError", nil)
		err = e // the text of a foreign error may hold a secret
	}
	if s.cfg.OnError != nil {
		s.cfg.OnError(w, r, e)
		return
	}
	slog.WarnContext(r.Context(), "authcode: a session failed", "error", err)
	if e.Reason == authcode.Overloaded {
		s.showDown(w, r, e)
		return
	}
	authcode.ErrorPage(w, r, e)
}
