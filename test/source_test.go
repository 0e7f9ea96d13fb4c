package test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestTokenSourceStoresFirst: nobody gets a token before changed, the app's
// callback, has accepted it.
func TestTokenSourceStoresFirst(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		type key struct{}
		proceed := make(chan struct{})
		source := world.Client(t, world.Rotating()).TokenSource(world.Expired(),
			func(ctx context.Context, got *oauth2.Token) error {
				deadline, ok := ctx.Deadline()
				if !ok || time.Until(deadline) != 10*time.Second || ctx.Value(key{}) != "v" {
					t.Errorf("changed has until %v, %v, and value %v", deadline, ok,
						ctx.Value(key{}))
				}
				<-proceed
				return nil
			})
		done := make(chan *oauth2.Token)
		go func() {
			token, _ := source.Token(context.WithValue(t.Context(), key{}, "v"))
			done <- token
		}()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		select {
		case <-done:
			t.Error("the token was given out before it was stored")
		default:
		}
		close(proceed)
		world.WantToken(t, <-done, nil, "at-1")
	})
}

// TestTokenSourceRetriesTheStore: a failing changed is tried again, the refresh
// never is.
func TestTokenSourceRetriesTheStore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		down := errors.New("the store is down")
		store := &world.Store{Fail: func(context.Context) error { return down }}
		p := world.Rotating()
		source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
		for range 3 {
			if token, err := source.Token(t.Context()); err != down || token != nil {
				t.Errorf("got %v, %v", token, err)
			}
		}
		p.WantRequests(t, 1)
		store.Fail = nil
		for range 2 {
			token, err := source.Token(t.Context())
			world.WantToken(t, token, err, "at-1")
		}
		p.WantRequests(t, 1)
		store.WantSaved(t, "at-1", "at-1", "at-1", "at-1")
	})
}

// TestTokenSourceRetriesAfterExpiry: an unsaved token that has expired
// meanwhile is still saved first, so that its refresh token is not lost, and
// then refreshed.
func TestTokenSourceRetriesAfterExpiry(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		store := &world.Store{Fail: func(context.Context) error { return errors.New("down") }}
		p := world.Rotating()
		source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("got a token that was not stored")
		}
		time.Sleep(2 * time.Minute)
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("got a token that was not stored")
		}
		p.WantRequests(t, 1)
		store.Fail = nil
		token, err := source.Token(t.Context())
		world.WantToken(t, token, err, "at-2")
		store.WantSaved(t, "at-1", "at-1", "at-1", "at-2")
	})
}

// TestTokenSourcePanic: changed's panic reaches the callers, and the source
// goes on.
func TestTokenSourcePanic(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		store := &world.Store{Fail: func(context.Context) error { panic("changed is broken") }}
		p := world.Rotating()
		source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				defer func() {
					if v := recover(); v != "changed is broken" {
						t.Errorf("recovered %v", v)
					}
				}()
				source.Token(t.Context())
			})
		}
		wg.Wait()
		store.Fail = nil
		token, err := source.Token(t.Context())
		world.WantToken(t, token, err, "at-1")
		p.WantRequests(t, 1)
		store.WantSaved(t, "at-1", "at-1")
	})
}

// TestTokenSourceSlowStore: changed has ten seconds; its error is returned as
// it is.
func TestTokenSourceSlowStore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		store := &world.Store{Fail: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		source := world.Client(t, world.Rotating()).TokenSource(world.Expired(), store.Save)
		began := time.Now()
		_, err := source.Token(t.Context())
		if err != context.DeadlineExceeded || time.Since(began) != 11*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

// verdicts is an identity whose refresh checks end as listed; then all are
// good.
type verdicts struct {
	errs []error
	olds []string
}

func (h *verdicts) identity(_ context.Context, resp *authcode.TokenResponse) (
	*authcode.Identity, error) {
	if resp.Previous == nil {
		return &authcode.Identity{Issuer: world.Issuer, Subject: "alice"}, nil
	}
	h.olds = append(h.olds, resp.Previous.AccessToken+">"+resp.Token.AccessToken)
	if len(h.errs) == 0 {
		return nil, nil
	}
	err := h.errs[0]
	h.errs = h.errs[1:]
	return nil, err
}

// passing are failures of a check that a later one may not have.
var passing = map[string]error{
	"the keys are out of reach": &authcode.Error{
		Reason: authcode.Unreachable, Check: "jwks.unreachable"},
	"a key that is not published yet": &authcode.Error{
		Reason: authcode.IdentityRefused, Check: "jwks.key"},
	"a clock that is behind": &authcode.Error{
		Reason: authcode.IdentityRefused, Check: "id_token.iat"},
	"a broken answer":           &authcode.Error{Reason: authcode.BadAnswer, Check: "jwks.form"},
	"an error of the app's own": errors.New("canary"),
	"an overloaded provider": &authcode.Error{
		Reason: authcode.Overloaded, Check: "jwks.status"},
}

// TestRefreshCheckedLater: a refresh whose check fails for the moment loses
// nothing. The rotated token is kept, the check is made again, and the spent
// refresh token is never sent twice.
func TestRefreshCheckedLater(t *testing.T) {
	for claim, err := range passing {
		t.Run(claim, func(t *testing.T) {
			h, p, store := &verdicts{errs: []error{err, err}}, &world.Provider{}, &world.Store{}
			c := world.Client(t, p, func(c *config) { c.Provider.Identity = h.identity })
			s := c.TokenSource(world.Expired(), store.Save)
			for range 2 {
				if token, err := s.Token(t.Context()); err == nil {
					t.Errorf("got %v unchecked", token.AccessToken)
				}
			}
			store.WantSaved(t, "") // nothing unchecked can be used
			token, err := s.Token(t.Context())
			world.WantToken(t, token, err, "at-1")
			store.WantSaved(t, "", "at-1")
			p.WantRequests(t, 1)
			if got := strings.Join(h.olds, " "); got != "at-0>at-1 at-0>at-1 at-0>at-1" {
				t.Errorf("the checks compared %s", got)
			}
		})
	}
}

// TestRefreshOfAnother: a refresh that brought another person's token ends the
// source. The spent refresh token is not sent again, and the new token is not
// given out.
func TestRefreshOfAnother(t *testing.T) {
	h := &verdicts{errs: []error{&authcode.Error{
		Reason: authcode.IdentityRefused, Check: "refresh.sub", Final: true}}}
	p, store := &world.Provider{}, &world.Store{}
	c := world.Client(t, p, func(c *config) { c.Provider.Identity = h.identity })
	s := c.TokenSource(world.Expired(), store.Save)
	for range 3 {
		_, err := s.Token(t.Context())
		world.WantError(t, err, authcode.IdentityRefused, "refresh.sub")
	}
	p.WantRequests(t, 1)
	store.WantSaved(t, "")
	if len(h.olds) != 1 {
		t.Errorf("checked %d times", len(h.olds))
	}
}
