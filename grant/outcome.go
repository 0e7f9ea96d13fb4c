package grant

import (
	"context"
	"fmt"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

// Outcome says how a renewal went.
type Outcome string

// The outcomes. One renewal may have several: a lease is taken over, the token
// is sent again, the renewal succeeds.
const (
	Renewed    Outcome = "renewed"     // the grant has a new token
	Refused    Outcome = "refused"     // the provider refused the refresh token: the grant has ended
	Lost       Outcome = "lost"        // refused after an answer was lost: the grant has ended
	TakenOver  Outcome = "taken_over"  // another instance began it and went away
	InDoubt    Outcome = "in_doubt"    // sent without a useful answer: the token may be spent
	Failed     Outcome = "failed"      // refused, but not because of the token: a wrong secret
	Retried    Outcome = "retried"     // the refresh token is sent again after an attempt in doubt
	Overtaken  Outcome = "overtaken"   // another instance was faster: this answer is dropped
	SaveFailed Outcome = "save_failed" // the store did not take the new token, and is tried again
)

// Event is what Config.Observe gets. It has no secret.
type Event struct {
	Outcome  Outcome
	Provider string        // Provider.Name of the Client
	Took     time.Duration // since the renewal began
	Err      error         // of Refused, Lost, InDoubt, Failed and SaveFailed
}

// Checks of the errors of this package, which are [*authcode.Error].
const (
	checkEnded   = "grant.ended"
	checkNone    = "grant.no_refresh_token"
	checkStore   = "grant.store"
	checkWait    = "grant.wait"
	checkOpen    = "grant.sealed"
	checkClient  = "grant.client"
	checkSave    = "grant.unsaved"
	checkClosed  = "grant.closed"
	checkRequest = "grant.option"
)

// errEnded is the error of a grant that is not there.
func errEnded(provider string) error {
	e := authcode.NewError(authcode.GrantRejected, checkEnded,
		"the grant has ended: the person has to sign in again", nil)
	e.Final, e.Provider = true, provider
	return e
}

// later returns an error for what may succeed after a while.
func later(check, detail, provider string, wait time.Duration) error {
	e := authcode.NewError(authcode.Overloaded, check, detail, nil)
	e.RetryAfter, e.Provider = wait, provider
	return e
}

// storeError is the error of a store that failed. It wraps err, which operators
// need and which has no secret: a store sees sealed values only.
func storeError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return left(ctx, checkStore, "the caller went away before the store answered")
	}
	return fmt.Errorf("%w: %w",
		later(checkStore, "the store of grants failed: check it", "", time.Second),
		secret.Printable{Err: err})
}

// left is the error for a caller whose context has ended.
func left(ctx context.Context, check, detail string) *authcode.Error {
	reason := authcode.Canceled
	if ctx.Err() == context.DeadlineExceeded {
		reason = authcode.Timeout
	}
	return authcode.NewError(reason, check, detail, ctx.Err())
}
