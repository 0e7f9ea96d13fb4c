package session_test

import (
	"sync"
	"testing"
	"time"

	"example.com/authcode/session"
)

// TestMaxSessions: the sign-in beyond the limit ends the oldest session, or is
// refused.
func TestMaxSessions(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		a := newApp(t, setup{instances: 2, session: func(_ int, c *session.Config) {
			c.MaxSessions, c.RefuseMore = 2, refuse
		}})
		first, second, third, other := a.browser(t), a.browser(t), a.browser(t), a.browser(t)
		first.signIn("alice", "/account")
		a.at.Store(1)
		second.signIn("alice", "/account")
		other.signIn("bob", "/account")
		// The same browser again takes no further place.
		second.signIn("alice", "/account")
		first.wantSeen("alice")
		a.provider.SetUser("alice")
		resp := third.read(a.provider.SignIn(third.Client, a.URL+"/login"))
		if refuse {
			resp.wantStatus(t, 403, "session.limit")
			third.wantSeen("")
			first.wantSeen("alice")
			first.do("POST", "/logout") // makes room
			third.signIn("alice", "/account")
		} else {
			resp.wantStatus(t, 303)
			first.wantSeen("")
		}
		second.wantSeen("alice")
		third.wantSeen("alice")
		other.wantSeen("bob")
	}
}

// TestLimitAtOnce: two instances admit a session at once, at each step of the
// other.
func TestLimitAtOnce(t *testing.T) {
	const limit = 3
	for _, refuse := range []bool{false, true} {
		for _, step := range []string{
			"Create session", "after Create session", "Load mark", "Load person", "after Load person",
			"Find session", "after Find session", "Swap person", "after Swap person",
		} {
			a := newApp(t, setup{instances: 2, session: func(_ int, c *session.Config) {
				c.MaxSessions, c.RefuseMore = limit, refuse
			}})
			for range limit - 1 {
				a.browser(t).signIn("alice", "/account")
			}
			one, two := a.browser(t), a.browser(t)
			var last *answer
			a.store.at(step, func() {
				a.at.Store(1)
				last = two.read(a.provider.SignIn(two.Client, a.URL+"/login"))
				a.at.Store(0)
			})
			first := one.read(a.provider.SignIn(one.Client, a.URL+"/login"))
			if !refuse && (first.StatusCode != 303 || last.StatusCode != 303) {
				t.Errorf("at %s: the answers are %d and %d", step, first.StatusCode, last.StatusCode)
			}
			list, err := a.instances[0].Sessions.Sessions(t.Context(), a.provider.URL, "alice")
			if err != nil || len(list) != limit {
				t.Errorf("refuse %v, at %s: there are %d sessions, want %d (%v)", refuse, step, len(list), limit, err)
			}
			if n := a.store.count("grant"); n != limit {
				t.Errorf("refuse %v, at %s: there are %d grants, want %d", refuse, step, n, limit)
			}
		}
	}
}

// TestPlacesExpire: the list of places expires while an instance changes it.
func TestPlacesExpire(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.MaxSessions = 2 }})
	a.browser(t).signIn("alice", "/account")
	a.store.at("Swap person", func() { a.store.drop(t, "person") })
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.wantSeen("alice")
}

// TestFirstPlaces: two instances make the list of places at once.
func TestFirstPlaces(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.MaxSessions = 2 }})
	one, two := a.browser(t), a.browser(t)
	a.store.at("Create person", func() { two.signIn("alice", "/account") })
	one.signIn("alice", "/account")
	one.wantSeen("alice")
	two.wantSeen("alice")
}

// TestSignInFails: if the store fails at any step of a sign-in, there is no
// session, and the browser keeps the one that it had.
func TestSignInFails(t *testing.T) {
	for _, step := range []string{
		"Load session", "Create grant", "Create session", "Load mark", "Load person", "Find session",
		"Swap person",
	} {
		a := newApp(t, setup{session: func(_ int, c *session.Config) { c.MaxSessions = 2 }})
		b := a.browser(t)
		a.browser(t).signIn("alice", "/account") // makes the list of places
		b.signIn("alice", "/account")
		former := b.cookie(cookieName)
		a.store.fail(step)
		b.loginAt("/login", "alice", nil).wantStatus(t, 503)
		if b.cookie(cookieName) != former {
			t.Errorf("%s: the browser has another session", step)
		}
		b.wantSeen("alice")
		if n := a.store.count("session") + a.store.count("grant"); n != 4 {
			t.Errorf("%s: there are %d records of sessions and grants, want 4", step, n)
		}
	}
}

// TestOldestStays: if the oldest session cannot be ended, there is no further
// one.
func TestOldestStays(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.MaxSessions = 1 }})
	first, second := a.browser(t), a.browser(t)
	first.signIn("alice", "/account")
	a.store.fail("Delete session")
	second.loginAt("/login", "alice", nil).wantStatus(t, 503)
	first.wantSeen("alice")
	second.wantSeen("")
	second.signIn("alice", "/account")
}

// TestLimitInParallel: many sign-ins at once never leave more than the limit.
func TestLimitInParallel(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.MaxSessions = 4 }})
	a.provider.SetUser("alice")
	var wg sync.WaitGroup
	for range 12 {
		b := a.browser(t)
		wg.Go(func() { b.read(a.provider.SignIn(b.Client, a.URL+"/login")) })
	}
	wg.Wait()
	list, err := a.instances[0].Sessions.Sessions(t.Context(), a.provider.URL, "alice")
	if err != nil || len(list) != 4 {
		t.Errorf("there are %d sessions, want 4 (%v)", len(list), err)
	}
}

// TestDevices: a person's list of sessions, and ending one of them.
func TestDevices(t *testing.T) {
	a := newApp(t, setup{})
	phone, laptop, other := a.browser(t), a.browser(t), a.browser(t)
	phone.signIn("alice", "/account")
	laptop.signIn("alice", "/account")
	other.signIn("bob", "/account")
	s := a.instances[0].Sessions
	list, err := s.Sessions(t.Context(), a.provider.URL, "alice")
	if err != nil || len(list) != 2 || list[0].SignedIn.Before(list[1].SignedIn) {
		t.Fatalf("the sessions are %+v, %v", list, err)
	}
	if list[0].Handle == laptop.cookie(cookieName) || list[0].Label == "" || list[0].Current {
		t.Errorf("the newest is %+v", list[0])
	}
	// The reading of a monotonic clock makes equal times differ under ==.
	for _, at := range []time.Time{list[0].SignedIn, list[0].LastSeen} {
		if at != at.Round(0) {
			t.Errorf("%v has the reading of a monotonic clock", at)
		}
	}
	bobs, _ := s.Sessions(t.Context(), a.provider.URL, "bob")
	// A handle of somebody else's is not one's own.
	if err := s.EndHandle(t.Context(), a.provider.URL, "alice", bobs[0].Handle); err != nil {
		t.Fatal(err)
	}
	other.wantSeen("bob")
	if err := s.EndHandle(t.Context(), a.provider.URL, "alice", list[1].Handle); err != nil {
		t.Fatal(err)
	}
	phone.wantSeen("")
	laptop.get("/devices").wantStatus(t, 200, "Unknown browser true")
	// A handle is no cookie.
	phone.setCookie(cookieOf(list[0].Handle))
	phone.wantSeen("")
}

// TestLimitFindsOthers: sessions that are not in the list, such as those from
// before a limit was set or of an instance with another first key, count all the
// same.
func TestLimitFindsOthers(t *testing.T) {
	a := newApp(t, setup{instances: 2, session: func(i int, c *session.Config) { c.MaxSessions = 2 * i }})
	for range 3 {
		a.browser(t).signIn("alice", "/account")
	}
	a.advance(120e9)
	a.at.Store(1)
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.wantSeen("alice")
	a.wantLeft(t, "with a limit of two", 2)
}
