package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestEnd: whom End ends, at every instance, with their grants.
func TestEnd(t *testing.T) {
	var issuer string
	for _, row := range []struct {
		name       string
		end        func(*session.Sessions) error
		alice, bob string
	}{
		{"a person", func(s *session.Sessions) error { return s.End(t.Context(), issuer, "alice", "") }, "", "bob"},
		{"a sid", func(s *session.Sessions) error { return s.End(t.Context(), issuer, "", "bob-1") }, "alice", ""},
		{"a sid of a person", func(s *session.Sessions) error { return s.End(t.Context(), issuer, "alice", "alice-1") }, "", "bob"},
		{"a sid of another person", func(s *session.Sessions) error { return s.End(t.Context(), issuer, "bob", "alice-1") }, "alice", "bob"},
		{"another issuer's", func(s *session.Sessions) error { return s.End(t.Context(), "https://x.example", "alice", "") }, "alice", "bob"},
		{"everybody", func(s *session.Sessions) error { return s.EndAll(t.Context(), issuer) }, "", ""},
		{"everybody of another issuer", func(s *session.Sessions) error { return s.EndAll(t.Context(), "https://x.example") }, "alice", "bob"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, setup{instances: 2})
			issuer = a.provider.URL
			alice, bob := a.browser(t), a.browser(t)
			alice.signIn("alice", "/account")
			bob.signIn("bob", "/account")
			if err := row.end(a.instances[1].Sessions); err != nil {
				t.Fatal(err)
			}
			alice.wantSeen(row.alice)
			bob.wantSeen(row.bob)
		})
	}
	s := newApp(t, setup{}).instances[0].Sessions
	for _, err := range []error{
		s.End(t.Context(), "", "alice", ""), s.End(t.Context(), issuer, "", ""), s.EndAll(t.Context(), ""),
	} {
		if err == nil {
			t.Error("an empty argument means everybody")
		}
	}
}

// TestEndFails: an outage is reported, so that the provider sends it again.
func TestEndFails(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	end := func() error { return a.instances[0].End(t.Context(), a.provider.URL, "alice", "") }
	for _, step := range []string{"Find session", "Delete session", "Delete grant"} {
		a.store.fail(step)
		if end() == nil {
			t.Errorf("an outage at %q is not reported", step)
		}
	}
	a.store.setDown(true)
	a.store.took()
	if end() == nil {
		t.Error("a store that is down is not reported")
	}
	if calls := a.store.took(); len(calls) != 2 { // a mark, and the sessions
		t.Errorf("a store that is down is asked %q", calls)
	}
	a.store.setDown(false)
	b.signInLater("alice")
	for _, step := range []string{"Load mark", "Swap mark"} { // there is a mark already
		a.store.fail(step)
		a.store.at("Find session", func() { a.store.fail(step) }) // End tries twice
		if end() == nil {
			t.Errorf("an outage at %q is not reported", step)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	b.wantSeen("")
}

// TestEndMany: more sessions than one Find returns are listed and ended, each
// once.
func TestEndMany(t *testing.T) {
	const many = 205
	var ended int
	s, err := session.New(session.Config{
		Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
		Observe: func(_ context.Context, e session.Event) {
			if e.Kind == session.Ended {
				ended++
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range many {
		signedIn(t, s)
	}
	list, err := s.Sessions(t.Context(), world.Issuer, "alice")
	if err != nil || len(list) != many {
		t.Errorf("%d sessions are listed, want %d (%v)", len(list), many, err)
	}
	if err := s.EndAll(t.Context(), world.Issuer); err != nil || ended != many {
		t.Errorf("%d sessions have ended, want %d (%v)", ended, many, err)
	}
}

// TestMarkExpires: a mark that expires while End renews it is made again.
func TestMarkExpires(t *testing.T) {
	a := newApp(t, setup{})
	end := func() error { return a.instances[0].End(t.Context(), a.provider.URL, "alice", "") }
	if err := end(); err != nil {
		t.Fatal(err)
	}
	a.store.at("Load mark", func() { a.store.drop(t, "mark") })
	if err := end(); err != nil || a.store.count("mark") != 1 {
		t.Errorf("%d marks are left, want 1 (%v)", a.store.count("mark"), err)
	}
	a.wantEvents(t) // the store has not failed
}

// TestEndDuringSignIn: wherever a sign-in is when End arrives at another
// instance, nobody is signed in afterwards, and no grant is left.
func TestEndDuringSignIn(t *testing.T) {
	for _, end := range []struct {
		name string
		call func(t *testing.T, a *app) error
	}{
		{"End by person", func(t *testing.T, a *app) error {
			return a.instances[1].End(t.Context(), a.provider.URL, "alice", "")
		}},
		{"End by sid", func(t *testing.T, a *app) error {
			return a.instances[1].End(t.Context(), a.provider.URL, "", "alice-1")
		}},
		{"EndAll", func(t *testing.T, a *app) error { return a.instances[1].EndAll(t.Context(), a.provider.URL) }},
	} {
		for _, step := range []string{
			"Create grant", "after Create grant", "Create session", "after Create session", "Load mark",
		} {
			t.Run(end.name+" at "+step, func(t *testing.T) {
				a := newApp(t, setup{instances: 2})
				b := a.browser(t)
				a.provider.SetUser("alice")
				a.store.at(step, func() {
					if err := end.call(t, a); err != nil {
						t.Error(err)
					}
				})
				resp := b.read(a.provider.SignIn(b.Client, a.URL+"/login"))
				resp.wantStatus(t, 400, "session.ended_meanwhile")
				if b.cookie(cookieName) != "" {
					t.Error("the browser got a cookie")
				}
				a.wantNothing(t)
			})
		}
	}
}

// wantNothing checks that no session and no grant of alice's is stored.
func (a *app) wantNothing(t *testing.T) {
	t.Helper()
	list, err := a.instances[0].Sessions.Sessions(t.Context(), a.provider.URL, "alice")
	if err != nil || len(list) > 0 {
		t.Errorf("sessions are left: %v, %v", list, err)
	}
	if n := a.store.count("grant"); n > 0 {
		t.Errorf("%d grants are left", n)
	}
}

// TestSignInAfterEnd: a login that began long enough after End goes through.
func TestSignInAfterEnd(t *testing.T) {
	a := newApp(t, setup{})
	if err := a.instances[0].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
		t.Fatal(err)
	}
	b := a.browser(t)
	a.provider.SetUser("alice")
	callback, err := a.provider.Callback(b.Client, a.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	b.read(b.Do(callback)).wantStatus(t, 400, "session.ended_meanwhile")
	a.advance(61 * time.Second)
	b.signIn("alice", "/account")
	b.wantSeen("alice")
	// A second End renews the mark.
	callback, err = a.provider.Callback(b.Client, a.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.instances[0].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
		t.Fatal(err)
	}
	b.read(b.Do(callback)).wantStatus(t, 400, "session.ended_meanwhile")
	b.wantSeen("")
}

// TestEndDuringRequest: End and SignOut at another instance, at each step of
// what a request does. Nothing comes back to life.
func TestEndDuringRequest(t *testing.T) {
	for _, row := range []struct {
		name, step string
		request    func(t *testing.T, b *browser)
	}{
		{"the touch of a request", "Load session", func(t *testing.T, b *browser) { b.get("/account") }},
		{"the touch of a request, read", "after Load session", func(t *testing.T, b *browser) { b.get("/account") }},
		{"a token", "Load grant", func(t *testing.T, b *browser) { b.get("/token") }},
		{"a renewal, before the lease", "Swap grant", func(t *testing.T, b *browser) { b.app.advance(2 * time.Hour); b.get("/token") }},
		{"a renewal, after the lease", "after Swap grant", func(t *testing.T, b *browser) { b.app.advance(2 * time.Hour); b.get("/token") }},
		{"a value, read", "after Load session", func(t *testing.T, b *browser) { b.get("/set?v=1") }},
		{"a value, before it is written", "Swap session", func(t *testing.T, b *browser) { b.get("/set?v=1") }},
		{"a value, written", "after Swap session", func(t *testing.T, b *browser) { b.get("/set?v=1") }},
		{"another sign-out", "Delete session", func(t *testing.T, b *browser) { b.do("POST", "/logout") }},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, setup{instances: 2})
			b := a.browser(t)
			b.signIn("alice", "/account")
			id := b.cookie(cookieName)
			a.store.at(row.step, func() {
				if err := a.instances[1].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
					t.Error(err)
				}
			})
			row.request(t, b)
			b.setCookie(&http.Cookie{Name: cookieName, Value: id, Path: "/", Secure: true})
			b.wantSeen("")
			a.wantNothing(t)
		})
	}
}

// TestSignOut: who may sign a person out, and where the person goes.
func TestSignOut(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.get("/logout").wantStatus(t, 405)
	b.do("POST", "/logout", "Sec-Fetch-Site", "cross-site").wantStatus(t, 403)
	b.do("POST", "/logout", "Sec-Fetch-Site", "", "Origin", "https://evil.example").wantStatus(t, 403)
	b.wantSeen("alice")
	resp := b.do("POST", "/logout", "Sec-Fetch-Mode", "cors")
	resp.wantStatus(t, 200, `"location":"`+a.provider.URL+"/logout?")
	b.wantSeen("")
	b.signIn("alice", "/account")
	to, err := b.do("POST", "/logout").Location()
	if err != nil || to.Path != "/logout" || to.Query().Get("client_id") == "" || to.Query().Get("id_token_hint") == "" {
		t.Errorf("the person is sent to %v, %v", to, err)
	}
	// The session has ended already: the provider is still asked.
	to, err = b.do("POST", "/logout").Location()
	if err != nil || to.Path != "/logout" || to.Query().Get("client_id") == "" || to.Query().Has("id_token_hint") {
		t.Errorf("the person is sent to %v, %v", to, err)
	}
}

// TestSignInNeedsLogin: the handler alone signs nobody in.
func TestSignInNeedsLogin(t *testing.T) {
	a := newApp(t, setup{})
	in := a.instances[0]
	w := httptest.NewRecorder()
	in.SignIn(in.client).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || len(w.Header()["Set-Cookie"]) > 0 {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}
