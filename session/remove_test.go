package session_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestEndHalfway: a sign-out or an End that fails at any step leaves the session,
// as the page says, and the next one ends it with its grant.
func TestEndHalfway(t *testing.T) {
	for _, step := range []string{"Find session", "Delete grant", "Delete session"} {
		a := newApp(t, setup{})
		b := a.browser(t)
		b.signIn("alice", "/account")
		a.store.fail(step)
		b.do(http.MethodPost, "/logout").wantStatus(t, 503, "you still are")
		b.wantSeen("alice")
		b.do(http.MethodPost, "/logout").wantStatus(t, 303)
		a.wantLeft(t, step, 0)
		b.signIn("alice", "/account")
		end := func() error { return a.instances[0].End(t.Context(), a.provider.URL, "alice", "") }
		a.store.fail(step)
		if end() == nil {
			t.Errorf("%s: End does not report the outage", step)
		}
		if err := end(); err != nil {
			t.Error(err)
		}
		a.wantLeft(t, step, 0)
	}
}

// wantLeft checks how many sessions and grants are stored.
func (a *app) wantLeft(t *testing.T, when string, want int) {
	t.Helper()
	if s, g := a.store.count("session"), a.store.count("grant"); s != want || g != want {
		t.Errorf("%s: %d sessions and %d grants are left, want %d", when, s, g, want)
	}
}

// TestGoneWhileSigningOut: a browser that goes away in the middle has signed out.
func TestGoneWhileSigningOut(t *testing.T) {
	for _, step := range []string{"Load grant", "Find session", "Delete grant", "Delete session"} {
		a := newApp(t, setup{})
		b := a.browser(t)
		b.signIn("alice", "/account")
		ctx, cancel := context.WithCancel(t.Context())
		a.store.at(step, cancel)
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/logout", nil)
		r.AddCookie(cookieOf(b.cookie(cookieName)))
		a.instances[0].mux.ServeHTTP(httptest.NewRecorder(), r)
		cancel()
		a.wantLeft(t, step, 0)
	}
}

// TestSharedGrantEndsAtOnce: the last of two sessions with one grant ends it,
// also if both end at the same time.
func TestSharedGrantEndsAtOnce(t *testing.T) {
	for _, step := range []string{"Find session", "after Find session", "Delete session", "after Delete session"} {
		a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.OneGrant = true }})
		first, second := a.browser(t), a.browser(t)
		first.signIn("alice", "/account")
		second.signIn("alice", "/account")
		a.store.at(step, func() { second.do(http.MethodPost, "/logout").wantStatus(t, 303) })
		first.do(http.MethodPost, "/logout").wantStatus(t, 303)
		a.wantLeft(t, step, 0)
	}
}

// TestSharedGrantEndsAfterAFailure is one of these orders, in which the store also
// fails once when the grant is looked at again.
func TestSharedGrantEndsAfterAFailure(t *testing.T) {
	a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.OneGrant = true }})
	first, second := a.browser(t), a.browser(t)
	first.signIn("alice", "/account")
	second.signIn("alice", "/account")
	a.store.at("after Find session", func() { second.do(http.MethodPost, "/logout").wantStatus(t, 303) })
	a.store.at("after Delete session", func() { // of the second
		a.store.at("after Delete session", func() { a.store.fail("Find session") })
	})
	first.do(http.MethodPost, "/logout").wantStatus(t, 303)
	a.wantLeft(t, "both", 0)
}

// TestSharedGrantEndsDuringSignIn: another browser of the person signs out while
// a sign-in is at any step.
func TestSharedGrantEndsDuringSignIn(t *testing.T) {
	for _, step := range []string{"after Swap grant", "Create session", "after Create session", "Load mark"} {
		a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.OneGrant = true }})
		first, second := a.browser(t), a.browser(t)
		first.signIn("alice", "/account")
		a.store.at(step, func() { first.do(http.MethodPost, "/logout").wantStatus(t, 303) })
		second.signIn("alice", "/account")
		second.get("/token").wantStatus(t, 200)
		a.wantLeft(t, step, 1)
	}
}

// TestEndsBeforeItBegins: a session that is ended as soon as it is stored leaves
// no grant.
func TestEndsBeforeItBegins(t *testing.T) {
	for _, provider := range []string{"", "one grant", "no refresh token"} {
		a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.OneGrant = provider == "one grant" }})
		in := a.instances[0]
		if provider == "no refresh token" {
			a.provider.SetFaults(authtest.NoRefreshToken())
			t.Cleanup(func() { a.provider.SetFaults() })
		}
		a.store.at("Load mark", func() { // when it is stored
			list, err := in.Sessions.Sessions(t.Context(), a.provider.URL, "alice")
			if err != nil || len(list) != 1 {
				t.Fatalf("got %v, %v", list, err)
			}
			if err := in.EndHandle(t.Context(), a.provider.URL, "alice", list[0].Handle); err != nil {
				t.Error(err)
			}
		})
		b := a.browser(t)
		b.signIn("alice", "/account")
		b.wantSeen("")
		a.wantLeft(t, provider, 0)
	}
}

// TestChangeOfAnEndedSession: what an app wants to change of a session that has
// ended since the request began is not changed, and the app learns why.
func TestChangeOfAnEndedSession(t *testing.T) {
	a := newApp(t, setup{})
	in := a.instances[0]
	var err error
	in.mux.Handle("/late", in.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if err := in.End(r.Context(), a.provider.URL, "alice", ""); err != nil {
			t.Error(err)
		}
		err = session.FromContext(r.Context()).SetValue(r.Context(), "k", "v")
	})))
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.get("/late").wantStatus(t, 200)
	world.WantError(t, err, authcode.NoLogin, "session.ended")
}

// TestCallerLeaves: a store that fails because the caller has gone is not reported
// as one that is down.
func TestCallerLeaves(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	a.wantEvents(t, "signed_in")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/account", nil)
	r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie(cookieName)})
	a.store.setDown(true)
	_, err := a.instances[0].Load(r)
	a.store.setDown(false)
	world.WantError(t, err, authcode.Canceled, "session.store")
	a.wantEvents(t)
}
