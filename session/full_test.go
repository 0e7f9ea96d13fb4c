package session_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/session"
)

// full is a store that can be full: then it creates no records, and cannot touch
// a session. It reads, deletes, and changes what is there.
type full struct {
	grant.Store
	is atomic.Bool
}

var errFull = errors.New("no space left on device")

func (f *full) Create(ctx context.Context, r grant.Record) error {
	if f.is.Load() {
		return errFull
	}
	return f.Store.Create(ctx, r)
}

func (f *full) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if f.is.Load() && touch > 0 && key.Kind == "session" {
		return grant.Record{}, errFull
	}
	return f.Store.Load(ctx, key, touch)
}

// TestFullStore: while a store is full, people stay signed in and can sign out.
// Nobody can sign in, a page says so, and nothing is left of the attempt.
func TestFullStore(t *testing.T) {
	f := new(full)
	a := newApp(t, setup{session: func(_ int, c *session.Config) { f.Store, c.Store = c.Store, f }})
	b, other, new := a.browser(t), a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	other.signIn("bob", "/account")
	former := b.cookie(cookieName)
	f.is.Store(true)
	a.wantEvents(t, "signed_in", "signed_in")
	b.wantSeen("alice")
	a.wantEvents(t, "failed") // an operator hears of it
	b.get("/token").wantStatus(t, 200)
	new.loginAt("/login", "alice", nil).wantStatus(t, 503, "grant.store")
	new.wantSeen("")
	b.loginAt("/login", "alice", nil).wantStatus(t, 503)
	if b.cookie(cookieName) != former {
		t.Error("a login that failed has changed the browser's session")
	}
	a.wantLeft(t, "full", 2)
	if a.instances[0].End(t.Context(), a.provider.URL, "alice", "") == nil {
		t.Error("End does not report that there is no mark")
	}
	b.wantSeen("") // it has ended what is there
	other.do(http.MethodPost, "/logout").wantStatus(t, 303)
	a.wantLeft(t, "signed out", 0)
	f.is.Store(false)
	other.signIn("bob", "/account")
	other.wantSeen("bob")
}

// TestFullMemory: what End ends makes room for its mark in a full memory store.
func TestFullMemory(t *testing.T) {
	const sessions = 2
	a := newApp(t, setup{session: func(_ int, c *session.Config) {
		c.Store = grant.NewMemory(2 * sessions) // with their grants
	}})
	b, other := a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	other.signIn("bob", "/account")
	a.browser(t).loginAt("/login", "carol", nil).wantStatus(t, 503)
	b.wantSeen("alice")
	// Begun before End, so that it is refused.
	a.provider.SetUser("alice")
	callback, err := a.provider.Callback(other.Client, a.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.instances[0].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
		t.Error(err)
	}
	b.wantSeen("")
	other.wantSeen("bob")
	other.do(http.MethodPost, "/logout").wantStatus(t, 303)
	other.read(other.Do(callback)).wantStatus(t, 400, "session.ended_meanwhile")
}

// TestUntouchedEnds: a session whose activity a full store cannot note ends as
// idle.
func TestUntouchedEnds(t *testing.T) {
	f := new(full)
	a := newApp(t, setup{session: func(_ int, c *session.Config) {
		f.Store, c.Store = c.Store, f
		c.IdleTimeout = time.Hour
	}})
	b := a.browser(t)
	b.signIn("alice", "/account")
	f.is.Store(true)
	a.advance(40 * time.Minute)
	b.wantSeen("alice")
	f.is.Store(false)
	b.wantSeen("alice") // is activity
	a.advance(40 * time.Minute)
	b.wantSeen("alice")
	f.is.Store(true)
	a.advance(40 * time.Minute)
	b.wantSeen("alice")
	a.advance(21 * time.Minute)
	b.wantSeen("")
}
