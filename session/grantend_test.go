package session_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/grant"
	"example.com/authcode/session"
)

// grantApp is an app of two instances with the ID of the grant that a browser
// got there.
func grantApp(t *testing.T, one bool) (a *app, signIn func() (b *browser, id string)) {
	a = newApp(t, setup{instances: 2, client: func(c *authcode.Config) { c.Provider.OneGrant = one }})
	last := ""
	for _, in := range a.instances {
		in.mux.Handle("/grant", in.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			last = session.FromContext(r.Context()).Grant().ID()
		})))
		in.mux.Handle("/keep", in.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			session.FromContext(r.Context()).Keep(r.Context())
		})))
	}
	return a, func() (*browser, string) {
		b := a.browser(t)
		b.signIn("alice", "/account")
		b.get("/grant").wantStatus(t, 200)
		return b, last
	}
}

// endings are the ways in which a grant ends by itself, at the second instance.
var endings = map[string]func(t *testing.T, a *app, g *grant.Grant){
	"Delete": func(t *testing.T, _ *app, g *grant.Grant) {
		if err := g.Delete(t.Context()); err != nil {
			t.Error(err)
		}
	},
	"Revoke": func(t *testing.T, _ *app, g *grant.Grant) {
		if err := g.Revoke(t.Context()); err != nil {
			t.Error(err)
		}
	},
	"refused": func(t *testing.T, a *app, g *grant.Grant) {
		a.provider.SetFaults(authtest.RefreshRefused())
		defer a.provider.SetFaults()
		if _, err := g.Renew(t.Context(), nil); err == nil {
			t.Error("the provider accepted the refresh token")
		}
	},
}

// TestGrantEndsByItself: a grant that ends at another instance ends its session
// with the next request, whatever is under way, and a plain request takes one
// operation all the same.
func TestGrantEndsByItself(t *testing.T) {
	for name, end := range endings {
		for path, steps := range map[string][]string{
			"/account": {"", "Load session", "after Load session"},
			"/set?v=1": {"Swap session", "after Swap session"},
			"/token":   {"Load grant", "after Load grant"},
			"/keep":    {"Swap session", "after Swap session"},
		} {
			for _, step := range steps {
				a, signIn := grantApp(t, false)
				b, id := signIn()
				g := a.instances[1].Grants().Handle(id)
				if step == "" {
					end(t, a, g)
				} else {
					a.advance(2 * time.Minute) // so that the request is a touch
					a.store.at(step, func() { end(t, a, g) })
					b.get(path)
				}
				a.store.took()
				b.wantSeen("")
				if calls := a.store.took(); len(calls) != 1 {
					t.Errorf("a request takes %q", calls)
				}
				a.wantLeft(t, name+" "+path+" "+step, 0)
				a.wantEvents(t, "signed_in", "ended grant")
			}
		}
	}
}

// TestSharedGrantEndsByItself: the grant of several sessions ends all of them,
// and a sign-in that is under way has a session afterwards, or a page says that
// it was lost.
func TestSharedGrantEndsByItself(t *testing.T) {
	a, signIn := grantApp(t, true)
	one, _ := signIn()
	two, id := signIn()
	endings["Delete"](t, a, a.instances[1].Grants().Handle(id))
	one.wantSeen("")
	two.wantSeen("")
	a.wantLeft(t, "both ended", 0)
	for step, want := range map[string]int{
		"Create grant": 1, "after Create grant": 1, "Create session": 1, "after Create session": 0, "Load mark": 0,
	} {
		a, signIn := grantApp(t, true)
		_, id := signIn()
		endings["Delete"](t, a, a.instances[1].Grants().Handle(id)) // its ID is the person's
		a.store.at(step, func() { endings["Delete"](t, a, a.instances[1].Grants().Handle(id)) })
		b := a.browser(t)
		b.signIn("alice", "/account")
		a.wantLeft(t, step, want)
		b.wantSeen(map[int]string{0: "", 1: "alice"}[want])
	}
}

// TestSavedAgain: where a login has saved the grant again, the end of the former
// one does not end its session.
func TestSavedAgain(t *testing.T) {
	a, signIn := grantApp(t, true)
	first, id := signIn()
	var second *browser
	a.store.at("after Delete grant", func() { second, _ = signIn() })
	endings["Delete"](t, a, a.instances[1].Grants().Handle(id))
	second.wantSeen("alice")
	second.get("/token").wantStatus(t, 200)
	first.wantSeen("alice") // it has the new grant of the same person
}

// TestSignOutOfShared: a session that ends leaves the others of its grant alone.
func TestSignOutOfShared(t *testing.T) {
	a, signIn := grantApp(t, true)
	first, _ := signIn()
	second, _ := signIn()
	first.get("/keep")
	first.do(http.MethodPost, "/logout").wantStatus(t, 303)
	second.get("/token").wantStatus(t, 200)
	a.wantEvents(t, "signed_in", "signed_in", "ended sign_out")
}

// TestGrantEndHalfway: if the store fails while a grant's sessions end, they end
// with the next use of a token.
func TestGrantEndHalfway(t *testing.T) {
	for _, step := range []string{"Find session", "Load grant", "Delete session"} {
		a, signIn := grantApp(t, false)
		b, id := signIn()
		a.store.at("after Delete grant", func() { a.store.fail(step) })
		endings["Delete"](t, a, a.instances[1].Grants().Handle(id))
		b.wantSeen("alice")
		b.get("/token").wantStatus(t, 502)
		b.wantSeen("")
	}
}

// TestSaveAgainFails: if the grant of a new session ends meanwhile and cannot be
// saved again, nobody is signed in and nothing is left.
func TestSaveAgainFails(t *testing.T) {
	a, signIn := grantApp(t, true)
	_, id := signIn()
	endings["Delete"](t, a, a.instances[1].Grants().Handle(id))
	a.store.at("Create session", func() {
		endings["Delete"](t, a, a.instances[1].Grants().Handle(id))
		a.store.fail("Create grant")
	})
	b := a.browser(t)
	b.loginAt("/login", "alice", nil).wantStatus(t, 503)
	a.wantLeft(t, "after the failure", 0)
	if b.cookie(cookieName) != "" {
		t.Error("the browser has a session")
	}
	b.signIn("alice", "/account")
	b.wantSeen("alice")
}
