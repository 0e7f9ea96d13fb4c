package authcode_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"
)

// TestTokenSourceStoresFirst: nobody gets a token that changed has not accepted.
func TestTokenSourceStoresFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		proceed := make(chan struct{})
		source := hNew(t, hRotating()).TokenSource(hExpired(), func(ctx context.Context, got *oauth2.Token) error {
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != 10*time.Second || ctx.Value(key{}) != "v" {
				t.Errorf("changed has until %v, %v, and value %v", deadline, ok, ctx.Value(key{}))
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
		hWantToken(t, <-done, nil, "at-1")
	})
}

// TestTokenSourceRetriesTheStore: a failing changed is tried again, the refresh never is.
func TestTokenSourceRetriesTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("the store is down")
		store := &hStore{fail: func(context.Context) error { return down }}
		p := hRotating()
		source := hNew(t, p).TokenSource(hExpired(), store.changed)
		for range 3 {
			if token, err := source.Token(t.Context()); err != down || token != nil {
				t.Errorf("got %v, %v", token, err)
			}
		}
		p.wantRequests(t, 1)
		store.fail = nil
		for range 2 {
			token, err := source.Token(t.Context())
			hWantToken(t, token, err, "at-1")
		}
		p.wantRequests(t, 1)
		store.want(t, "at-1", "at-1", "at-1", "at-1")
	})
}

// TestTokenSourceRetriesAfterExpiry: an unsaved token that has expired meanwhile is still saved
// first, so that its refresh token is not lost, and then refreshed.
func TestTokenSourceRetriesAfterExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hStore{fail: func(context.Context) error { return errors.New("down") }}
		p := hRotating()
		source := hNew(t, p).TokenSource(hExpired(), store.changed)
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("got a token that was not stored")
		}
		time.Sleep(2 * time.Minute)
		if _, err := source.Token(t.Context()); err == nil {
			t.Error("got a token that was not stored")
		}
		p.wantRequests(t, 1)
		store.fail = nil
		token, err := source.Token(t.Context())
		hWantToken(t, token, err, "at-2")
		store.want(t, "at-1", "at-1", "at-1", "at-2")
	})
}

// TestTokenSourcePanic: changed's panic reaches the callers, and the source goes on.
func TestTokenSourcePanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hStore{fail: func(context.Context) error { panic("changed is broken") }}
		p := hRotating()
		source := hNew(t, p).TokenSource(hExpired(), store.changed)
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
		store.fail = nil
		token, err := source.Token(t.Context())
		hWantToken(t, token, err, "at-1")
		p.wantRequests(t, 1)
		store.want(t, "at-1", "at-1")
	})
}

// TestTokenSourceSlowStore: changed has ten seconds; its error is returned as it is.
func TestTokenSourceSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &hStore{fail: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		source := hNew(t, hRotating()).TokenSource(hExpired(), store.changed)
		began := time.Now()
		if _, err := source.Token(t.Context()); err != context.DeadlineExceeded || time.Since(began) != 11*time.Second {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}
