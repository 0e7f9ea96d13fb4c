package session_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/session"
)

// TestEnds: what ends a session when time passes.
func TestEnds(t *testing.T) {
	limits := func(_ int, c *session.Config) { c.Lifetime, c.IdleTimeout = 10*time.Hour, 2*time.Hour }
	for _, row := range []struct {
		name, user string
		every      time.Duration // between two requests
		path       string
		lasts      int // how many requests are answered
	}{
		{"Lifetime ends a busy one", "alice", time.Hour, "/account", 9},
		{"IdleTimeout ends one that nobody uses", "alice", 2 * time.Hour, "/account", 0},
		{"polling is no activity", "alice", 50 * time.Minute, "/poll", 2},
		{"the status is no activity", "alice", 50 * time.Minute, "/status", 2},
		{"session_expiry", "erin", 20 * time.Minute, "/account", 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, setup{session: limits})
			b := a.browser(t)
			b.signIn(row.user, "/account")
			answered := 0
			for range 12 {
				a.advance(row.every)
				resp := b.get(row.path)
				if resp.StatusCode != 200 || strings.Contains(resp.text, `"signed_in":false`) {
					break
				}
				answered++
			}
			if answered != row.lasts {
				t.Errorf("%d requests were answered, want %d", answered, row.lasts)
			}
		})
	}
}

// TestSessionExpiry: a session that has ended by session_expiry does not begin.
func TestSessionExpiry(t *testing.T) {
	for user, row := range map[string]struct {
		status int
		check  string
	}{
		"frank": {400, "session.expired"}, "grace": {502, "session.expiry"},
	} {
		a := newApp(t, setup{})
		b := a.browser(t)
		a.provider.SetUser(user)
		b.read(a.provider.SignIn(b.Client, a.URL+"/login")).wantStatus(t, row.status, row.check)
		if b.cookie(cookieName) != "" {
			t.Errorf("%s got a session", user)
		}
	}
}

// TestTouch: last seen is written once a minute, or once in a tenth of
// IdleTimeout.
func TestTouch(t *testing.T) {
	for _, row := range []struct {
		idle, touch time.Duration
	}{{time.Hour, time.Minute}, {2 * time.Minute, 12 * time.Second}} {
		a := newApp(t, setup{session: func(_ int, c *session.Config) { c.IdleTimeout = row.idle }})
		b := a.browser(t)
		b.signIn("alice", "/account")
		for path, want := range map[string]time.Duration{"/account": row.touch, "/poll": 0, "/status": 0, "/maybe": row.touch} {
			b.get(path).wantStatus(t, 200)
			if got := a.store.touched(); got != want {
				t.Errorf("%s touches after %v, want %v", path, got, want)
			}
		}
	}
}

// TestCache: with CacheFor most requests need no operation, a poll's result is
// not activity, and what ends at another instance ends here in time.
func TestCache(t *testing.T) {
	a := newApp(t, setup{instances: 2, session: func(_ int, c *session.Config) { c.CacheFor = 50 * time.Millisecond }})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.get("/poll")
	a.store.took()
	b.get("/account")
	if n := len(a.store.took()); n != 1 {
		t.Errorf("the first request after a poll took %d operations, want 1", n)
	}
	b.get("/account")
	b.get("/poll")
	if n := len(a.store.took()); n != 0 {
		t.Errorf("further requests took %d operations, want none", n)
	}
	if err := a.instances[1].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); b.get("/account").StatusCode == 200; {
		if time.Since(start) > 5*time.Second {
			t.Fatal("the session does not end")
		}
	}
	a.advance(2 * time.Minute) // the mark of End is old enough
	b.signIn("alice", "/account")
	b.wantSeen("alice")
	b.do("POST", "/logout")
	b.wantSeen("")
}

// TestStatus: what a page's script learns.
func TestStatus(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.get("/status").wantStatus(t, 200, `{"signed_in":false}`)
	b.signIn("carol", "/account")
	resp := b.get("/status")
	resp.wantStatus(t, 200, `"signed_in":true,"name":"Carol","email":"carol@example.com","ends":"20`)
	if resp.Header.Get("Cache-Control") != "no-store" {
		t.Error("the status may be stored")
	}
}

// slowMarks is a store that takes a while to look up what End has noted.
type slowMarks struct{ grant.Store }

func (s slowMarks) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if key.Kind == "mark" {
		time.Sleep(50 * time.Millisecond)
	}
	return s.Store.Load(ctx, key, touch)
}

// TestEndByASlowStore: the login began at an instance whose clock is a minute
// ahead, which is all that is provided for. The mark gets older while it is
// looked up, and so does the login.
func TestEndByASlowStore(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.Store = slowMarks{c.Store} }})
	b := a.browser(t)
	a.provider.SetUser("alice")
	a.provider.Advance(time.Minute)
	callback, err := a.provider.Callback(b.Client, a.URL+"/login")
	a.provider.Advance(-time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.instances[0].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
		t.Fatal(err)
	}
	b.read(b.Do(callback)).wantStatus(t, 400, "session.ended_meanwhile")
}
