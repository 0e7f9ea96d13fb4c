package authcode

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/oauth2"
)

// TokenSource keeps a token alive and is safe for concurrent use. Make one per
// stored token, not per request: two would use a refresh token twice.
type TokenSource struct {
	redacted
	client  *Client
	changed func(context.Context, *oauth2.Token) error

	mu       sync.Mutex
	token    *oauth2.Token
	previous *oauth2.Token // what token replaces, until Identity has confirmed token
	unsaved  bool          // changed must still accept token
	told     bool          // changed has accepted token in its unchecked form
	finalErr error         // set when no refresh can succeed any more
	running  *refresh      // the one in flight
}

// TokenSource returns a source of valid tokens that begins with t. When the
// token expires, one refresh serves all callers, and changed stores the new
// token before they get it. The context of changed outlives the caller's and
// ends after ten seconds. If changed fails, callers get its error as it is, and
// the next call of Token tries changed again, not the refresh. changed must not
// call Token. If it is nil, tokens are kept in memory only.
//
// If the refresh token has changed and [Provider.Identity] has to check the
// person, changed first gets a token without access token. Store it with
// [MarshalToken] like any other: if the app ends before the check, it keeps the
// grant alive, and the next TokenSource goes on with the check.
func (c *Client) TokenSource(
	t *oauth2.Token, changed func(context.Context, *oauth2.Token) error,
) *TokenSource {
	if changed == nil {
		changed = func(context.Context, *oauth2.Token) error { return nil }
	}
	s := &TokenSource{client: c, token: copyToken(t), changed: changed}
	if fresh := uncheckedIn(s.token); fresh != nil {
		s.token, s.previous, s.unsaved, s.told = fresh, s.token, true, true
	}
	return s
}

// refresh is one refresh in flight. Any number of callers wait for it.
type refresh struct {
	done     chan struct{}
	token    *oauth2.Token
	err      error
	panicked any
}

// Token returns a token that is valid for ten more seconds or has no known
// expiry, after a refresh if necessary. A refresh continues after ctx ends, so
// that the new token is not lost. Redeeming, checking and storing take at most
// ten seconds each. After an Error.Final error it never tries again.
func (s *TokenSource) Token(ctx context.Context) (*oauth2.Token, error) {
	return s.await(ctx, s.client.isValid)
}

// Renew returns a token in place of refused, which an API has refused before
// its time. It refreshes like Token, but only if refused is still the newest
// token: several callers with the same one cause one refresh. If refused is nil,
// it refreshes in any case. Its errors are those of Token.
func (s *TokenSource) Renew(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
	return s.await(ctx, func(newest *oauth2.Token) bool {
		return refused != nil && newest.AccessToken != refused.AccessToken &&
			s.client.isValid(newest)
	})
}

// await returns the token if it is good, and otherwise what a refresh brings.
func (s *TokenSource) await(
	ctx context.Context, isGood func(*oauth2.Token) bool,
) (*oauth2.Token, error) {
	token, running, err := s.goodOrRefresh(ctx, isGood)
	if running == nil {
		return token, err
	}
	select {
	case <-running.done:
	case <-ctx.Done():
		// Only this caller leaves. The refresh continues for the others.
		return nil, s.client.completeError(transportError(ctx, ctx.Err()))
	}
	// Repeat the panic of changed on the caller's goroutine, where a server can
	// recover from it. On the other one it would end the program.
	if running.panicked != nil {
		panic(running.panicked)
	}
	if running.err != nil {
		return nil, running.err
	}
	return copyToken(running.token), nil
}

// goodOrRefresh returns a good token, an error that is final, or the refresh to
// wait for, which it starts if necessary.
func (s *TokenSource) goodOrRefresh(
	ctx context.Context, isGood func(*oauth2.Token) bool,
) (*oauth2.Token, *refresh, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A good token is not enough: until changed has stored it, a crash would
	// lose it, and maybe the only refresh token that still works.
	if isGood(s.token) && !s.unsaved {
		return copyToken(s.token), nil, nil
	}
	if s.finalErr != nil {
		return nil, nil, s.finalErr
	}
	// RFC 9700 section 4.14.2: a server that rotates refresh tokens takes a
	// second use for a theft and ends the grant. So there is one refresh at a
	// time.
	if s.running == nil {
		s.running = &refresh{
			done: make(chan struct{}),
			err:  errorf(Canceled, "token.renewal", "the refresh has no result: try again"),
		}
		// It uses a context of its own, so that one caller's cancellation does
		// not fail the others.
		go s.run(context.WithoutCancel(ctx), s.running)
	}
	return nil, s.running, nil
}

// run makes one refresh and wakes up the callers that wait for it.
func (s *TokenSource) run(ctx context.Context, r *refresh) {
	defer func() {
		// Wake up the callers in any case: also if changed panics, or ends this
		// goroutine with runtime.Goexit.
		r.panicked = recover()
		s.mu.Lock()
		s.running = nil
		s.mu.Unlock()
		close(r.done)
	}()
	r.token, r.err = s.advance(ctx)
}

// advance takes the token through three steps: refresh, check, store. Only one
// advance runs at a time.
func (s *TokenSource) advance(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	token, previous, unsaved := s.token, s.previous, s.unsaved
	s.mu.Unlock()
	// Each step is recorded. If one fails, the next call continues from there.
	// A second refresh would use a refresh token that the server has replaced.
	if !unsaved || previous != nil {
		err := s.client.observed(ctx, KindRenewal, func(ctx context.Context) (err error) {
			token, err = s.redeemAndCheck(ctx, token, previous)
			return err
		})
		if err != nil {
			return nil, err
		}
		s.set(token, nil, true)
	}
	if err := s.save(ctx, token); err != nil {
		return nil, err
	}
	s.set(token, nil, false)
	// It waited for its storage for so long that it has expired in the
	// meantime.
	if unsaved && !s.client.isValid(token) {
		return s.advance(ctx)
	}
	return token, nil
}

// redeemAndCheck returns the token that replaces token, or token itself if that
// replaces previous and has only to be checked.
func (s *TokenSource) redeemAndCheck(
	ctx context.Context, token, previous *oauth2.Token,
) (*oauth2.Token, error) {
	if previous == nil {
		fresh, err := s.redeem(ctx, token)
		if err != nil {
			return nil, s.fail(err)
		}
		token, previous = fresh, token
		s.told = token.RefreshToken == previous.RefreshToken // its store has it already
		s.set(token, previous, true)
	}
	return token, s.check(ctx, previous, token)
}

// redeem gets the token that replaces token.
func (s *TokenSource) redeem(ctx context.Context, token *oauth2.Token) (*oauth2.Token, error) {
	// The context never ends, so the request needs a bound of its own.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return s.client.redeemRefresh(ctx, token)
}

// check finds out whether token belongs to the same person as previous.
func (s *TokenSource) check(ctx context.Context, previous, token *oauth2.Token) error {
	// Identity may wait for the provider's keys. If the app ended now, the only
	// refresh token that still works would be lost.
	if s.client.cfg.Provider.Identity != nil {
		if err := s.tell(ctx, previous, token); err != nil {
			return err
		}
	}
	_, err := s.client.checkRefresh(ctx, previous, token)
	if err == nil {
		return nil
	}
	// Without Identity the check is quick, so only a failed one is worth a
	// second call of changed: the token may wait until the operator has changed
	// the Config.
	if failed := s.tell(ctx, previous, token); failed != nil {
		return failed
	}
	return s.fail(err)
}

// tell gives changed the unchecked form of token, once.
func (s *TokenSource) tell(ctx context.Context, previous, token *oauth2.Token) error {
	if s.told {
		return nil
	}
	err := s.save(ctx, unchecked(previous, token))
	s.told = err == nil
	return err
}

// set records how far a token has come.
func (s *TokenSource) set(token, previous *oauth2.Token, unsaved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.previous, s.unsaved = token, previous, unsaved
}

// fail completes err and remembers it if it is final.
func (s *TokenSource) fail(err error) error {
	err = s.client.completeError(err)
	// Final means that the grant is gone, or that the answer was not for this
	// login. Other failures, such as a key or a clock that does not fit yet, may
	// pass.
	if own, ok := errors.AsType[*Error](err); ok && own.Final {
		s.mu.Lock()
		s.finalErr = err
		s.mu.Unlock()
	}
	return err
}

// save gives the token to changed.
func (s *TokenSource) save(ctx context.Context, token *oauth2.Token) error {
	// ctx never ends, so the storage needs a bound of its own.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// A copy: changed may keep the pointer or change the token.
	return s.changed(ctx, copyToken(token))
}

// OAuth2 returns s as a source of x/oauth2, whose calls of Token use ctx.
func (s *TokenSource) OAuth2(ctx context.Context) oauth2.TokenSource {
	return oauth2Source{ctx, s}
}

// oauth2Source keeps a context, since the interface of x/oauth2 passes none.
type oauth2Source struct {
	ctx    context.Context
	source *TokenSource
}

func (a oauth2Source) Token() (*oauth2.Token, error) { return a.source.Token(a.ctx) }
