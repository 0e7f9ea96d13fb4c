package session_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/session"
)

// confused is a store, or a connection, that mixes up answers.
type confused struct {
	grant.Store
	load  grant.Key // if set, every Load of a session answers with this record
	find  bool      // Find answers with all sessions
	found []grant.Key
	pages atomic.Int64 // that Find was asked for
}

func (c *confused) Create(ctx context.Context, r grant.Record) error {
	if r.Kind == "session" {
		c.found = append(c.found, r.Key)
	}
	return c.Store.Create(ctx, r)
}

func (c *confused) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if c.load.Kind == key.Kind {
		key = c.load
	}
	return c.Store.Load(ctx, key, touch)
}

func (c *confused) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) (all []grant.Record, err error) {
	c.pages.Add(1)
	if !c.find || kind != "session" {
		return c.Store.Find(ctx, kind, index, d, after, limit)
	}
	for _, key := range c.found {
		if r, err := c.Store.Load(ctx, key, 0); err == nil {
			all = append(all, r)
		}
	}
	return all, nil
}

// TestMixedUpAnswers: a store that answers with another record than the one that
// was asked for signs nobody in as somebody else, and shows and ends no sessions
// of others.
func TestMixedUpAnswers(t *testing.T) {
	var c *confused
	a := newApp(t, setup{session: func(_ int, sc *session.Config) {
		c = &confused{Store: sc.Store}
		sc.Store = c
	}})
	alice, bob, in := a.browser(t), a.browser(t), a.instances[0]
	alice.signIn("alice", "/account")
	bob.signIn("bob", "/account")
	c.load = c.found[0]
	if resp := bob.get("/maybe"); resp.text != "nobody" {
		t.Errorf("bob's browser got the session of %s", resp.text)
	}
	c.load, c.find = grant.Key{}, true
	if list, err := in.Sessions.Sessions(t.Context(), a.provider.URL, "bob"); err != nil || len(list) != 1 {
		t.Errorf("bob has the sessions %v, %v", list, err)
	}
	if err := in.End(t.Context(), a.provider.URL, "bob", ""); err != nil {
		t.Fatal(err)
	}
	if n := c.pages.Load(); n > 10 {
		t.Errorf("it asked for %d pages of the same answer", n)
	}
	bob.wantSeen("")
	alice.wantSeen("alice")
}

// TestMixedUpMarks: a store that answers with an older mark than the one that was
// asked for lets no login through, and End does not take it for its own.
func TestMixedUpMarks(t *testing.T) {
	var c *confused
	a := newApp(t, setup{session: func(_ int, sc *session.Config) {
		c = &confused{Store: sc.Store}
		sc.Store = c
	}})
	in, issuer := a.instances[0], a.provider.URL
	end := func(subject string) error { return in.End(t.Context(), issuer, subject, "") }
	if err := end("carol"); err != nil { // long ago
		t.Fatal(err)
	}
	var old grant.Key
	for _, key := range a.store.keys() {
		if key.Kind == "mark" {
			old = key
		}
	}
	a.advance(10 * time.Minute)
	if err := end("alice"); err != nil {
		t.Fatal(err)
	}
	c.load = old
	b := a.browser(t)
	b.loginAt("/login", "alice", nil).wantStatus(t, 503, "session.store")
	if b.cookie(cookieName) != "" {
		t.Error("the browser got a session")
	}
	if end("alice") == nil {
		t.Error("End takes the mark of somebody else for its own")
	}
	c.load = grant.Key{}
	a.wantLeft(t, "afterwards", 0)
}
