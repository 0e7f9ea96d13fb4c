package session_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// freshApp has a page that demands a sign-in of five minutes ago with acr high,
// and one that demands a scope. It admits everybody, which must not replace what
// RequireFresh checks.
func freshApp(t *testing.T) *app {
	a := newApp(t, setup{
		instances: 2, client: func(c *authcode.Config) { c.Scopes = []string{"openid"} },
		session: func(_ int, c *session.Config) {
			c.SignedIn = func(*http.Request, *authcode.Login) (string, error) { return "account", nil }
		},
	})
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "fresh ", session.FromContext(r.Context()).Identity().Subject)
	})
	for _, in := range a.instances {
		high := session.Freshness{MaxAge: 5 * time.Minute, ACR: []string{"high", "higher"}}
		in.mux.Handle("/transfer", in.RequireFresh(high, page))
		in.mux.Handle("/recent", in.RequireFresh(session.Freshness{MaxAge: 5 * time.Minute}, page))
		in.mux.Handle("/mail", in.RequireFresh(session.Freshness{Scopes: []string{"email"}}, page))
	}
	return a
}

// TestRequireFresh: the person signs in again as it is demanded, gets a new
// session and comes back.
func TestRequireFresh(t *testing.T) {
	a := freshApp(t)
	b := a.browser(t)
	b.get("/transfer?id=1").wantStatus(t, 303) // to LoginURL
	b.signIn("alice", "/account")
	a.wantEvents(t, "signed_in")
	former := b.cookie(cookieName)
	to, err := b.get("/transfer?id=1").Location()
	if err != nil || to.Query().Get("max_age") != "300" || to.Query().Get("acr_values") != "high higher" {
		t.Errorf("the person is sent to %v, %v", to, err)
	}
	resp := b.loginAt("/transfer?id=1", "alice", nil)
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/transfer?id=1" {
		t.Fatalf("got %d %v %s", resp.StatusCode, resp.Header, resp.text)
	}
	a.wantEvents(t, "ended sign_in", "signed_in")
	a.at.Store(1)
	b.get("/transfer?id=1").wantStatus(t, 200, "fresh alice")
	thief := a.browser(t)
	thief.setCookie(cookieOf(former))
	thief.wantSeen("")
	a.advance(5 * time.Minute)
	b.get("/transfer?id=1").wantStatus(t, 200, "fresh alice") // clocks may differ by a minute
	a.advance(2 * time.Minute)
	b.get("/transfer?id=1").wantStatus(t, 303)
	b.wantSeen("alice")
}

// TestFreshNeedsAuthTime: a sign-in of which the provider did not say when the
// person proved who they are is not a fresh one.
func TestFreshNeedsAuthTime(t *testing.T) {
	a := freshApp(t)
	b := a.browser(t)
	b.signIn("alice", "/account")
	to, err := b.get("/recent").Location()
	if err != nil || to.Query().Get("max_age") != "300" {
		t.Errorf("the person is sent to %v, %v", to, err)
	}
	b.loginAt("/recent", "alice", nil).wantStatus(t, 303)
	b.get("/recent").wantStatus(t, 200, "fresh alice")
}

// TestFreshNeedsAPerson: where the provider does not say who signs in, nobody can
// be the same person as before, and an error says what the app lacks.
func TestFreshNeedsAPerson(t *testing.T) {
	a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.Identity = nil }})
	in := a.instances[0]
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	in.mux.Handle("/acr", in.RequireFresh(session.Freshness{ACR: []string{"high"}}, ok))
	in.mux.Handle("/age", in.RequireFresh(session.Freshness{MaxAge: time.Hour}, ok))
	in.mux.Handle("/scope", in.RequireFresh(session.Freshness{Scopes: []string{"more"}}, ok))
	b := a.browser(t)
	b.loginAt("/login", "alice", nil).wantStatus(t, 303)
	for _, path := range []string{"/acr", "/age", "/scope"} {
		b.get(path).wantStatus(t, 500, "session.nobody")
		b.get(path, "Sec-Fetch-Mode", "cors").wantStatus(t, 500, "session.nobody")
		b.do("POST", path).wantStatus(t, 500, "session.nobody")
	}
}

// TestStepUpAlone: StepUp outside Require answers as Require if nobody is signed
// in, and says so if no Client is known for the session.
func TestStepUpAlone(t *testing.T) {
	a := newApp(t, setup{instances: 2})
	for _, in := range a.instances {
		in.mux.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
			in.StepUp(w, r, session.Freshness{MaxAge: time.Minute})
		})
	}
	b := a.browser(t)
	if to := b.get("/up").Header.Get("Location"); to != "/login?next=%2Fup" {
		t.Errorf("nobody is sent to %q", to)
	}
	b.signIn("alice", "/account")
	b.get("/up").wantStatus(t, 303)
	lone, err := session.New(session.Config{Store: a.store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	a.instances[0].mux.HandleFunc("/lone", func(w http.ResponseWriter, r *http.Request) {
		lone.StepUp(w, r, session.Freshness{MaxAge: time.Minute})
	})
	b.get("/lone").wantStatus(t, 500, "grant.client")
}

// TestStepUpFails: what goes wrong on the way to the provider is said, and not
// with the words of the app's functions.
func TestStepUpFails(t *testing.T) {
	var lost atomic.Bool
	a := newApp(t, setup{client: func(c *authcode.Config) {
		look := c.Provider.Metadata
		c.Provider.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			if lost.Load() {
				return authcode.Endpoints{}, errors.New("canary")
			}
			return look(ctx, conn)
		}
	}})
	var find error
	lone, err := session.New(session.Config{
		Store: a.store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
		Clients: func(context.Context, grant.Origin) (*authcode.Client, error) {
			return a.instances[0].client, find
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.instances[0].mux.HandleFunc("/up", func(w http.ResponseWriter, r *http.Request) {
		lone.StepUp(w, r, session.Freshness{MaxAge: time.Minute})
	})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.get("/up").wantStatus(t, 303)
	find = errors.New("canary")
	if resp := b.get("/up"); resp.StatusCode != 500 || !strings.Contains(resp.text, "session.error") ||
		strings.Contains(resp.text, "canary") {
		t.Errorf("a foreign error: %d %s", resp.StatusCode, resp.text)
	}
	find = nil
	lost.Store(true)
	b.get("/up").wantStatus(t, 502, "metadata")
	a.store.setDown(true)
	b.get("/up").wantStatus(t, 503)
	b.get("/status").wantStatus(t, 503)
	a.store.setDown(false)
}

// TestFreshScopes: further scopes are added to those that were granted.
func TestFreshScopes(t *testing.T) {
	a := newApp(t, setup{client: func(c *authcode.Config) { c.Scopes = []string{"openid"} }})
	in := a.instances[0]
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	in.mux.Handle("/mail", in.RequireFresh(session.Freshness{Scopes: []string{"email"}}, ok))
	in.mux.Handle("/name", in.RequireFresh(session.Freshness{Scopes: []string{"profile"}}, ok))
	b := a.browser(t)
	b.signIn("carol", "/account")
	b.loginAt("/mail", "carol", nil).wantStatus(t, 303)
	b.get("/mail").wantStatus(t, 200)
	to, err := b.get("/name").Location()
	if err != nil || to.Query().Get("scope") != "openid email profile" ||
		to.Query().Get("login_hint") != "carol@example.com" {
		t.Errorf("the person is sent to %v, %v", to, err)
	}
}

// TestFreshRefused: a sign-in that is not as demanded changes nothing.
func TestFreshRefused(t *testing.T) {
	for _, row := range []struct {
		name, path, user string
		before           func(a *app)
		change           func(u url.Values)
		status           int
		texts            []string
	}{
		{"another person", "/recent", "bob", nil, nil, 403, []string{"Somebody else signed in", "session.person"}},
		{"a lower acr", "/transfer", "alice", nil, func(u url.Values) { u.Set("acr_values", "low") }, 403,
			[]string{"still signed in", "session.acr", `href="/transfer"`}},
		{"no acr", "/transfer", "alice", nil, func(u url.Values) { u.Del("acr_values") }, 403, []string{"session.acr"}},
		{"cancelled", "/recent", "alice", func(a *app) { a.provider.SetConsent(authtest.Deny) }, nil, 403, nil},
		{"without the scope", "/mail", "alice", nil, func(u url.Values) { u.Set("scope", "openid") }, 403,
			[]string{"session.scopes"}},
		{"without auth_time", "/recent", "alice", nil, func(u url.Values) { u.Del("max_age") }, 502, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := freshApp(t)
			b := a.browser(t)
			b.signIn("alice", "/account")
			a.advance(10 * time.Minute)
			a.wantEvents(t, "signed_in")
			former := b.cookie(cookieName)
			if row.before != nil {
				row.before(a)
				t.Cleanup(func() { a.provider.SetConsent(authtest.Approve) })
			}
			resp := b.loginAt(row.path, row.user, row.change)
			resp.wantStatus(t, row.status, row.texts...)
			a.provider.SetConsent(authtest.Approve)
			if b.cookie(cookieName) != former {
				t.Error("the browser got another session")
			}
			b.wantSeen("alice")
		})
	}
}

// TestFreshElse: forms and scripts.
func TestFreshElse(t *testing.T) {
	a := freshApp(t)
	b := a.browser(t)
	b.signIn("alice", "/account")
	resp := b.get("/transfer", "Sec-Fetch-Mode", "cors")
	resp.wantStatus(t, 401, `"error":"insufficient_user_authentication"`, `"max_age":300`)
	want := `Bearer error="insufficient_user_authentication", max_age="300", acr_values="high higher"`
	if got := resp.Header.Get("WWW-Authenticate"); got != want {
		t.Errorf("the challenge is %s, want %s", got, want)
	}
	resp = b.do("POST", "/transfer", "Referer", a.URL+"/form")
	resp.wantStatus(t, 401, "was not saved", `href="`+a.provider.URL+"/authorize?")
	_, link, _ := strings.Cut(resp.text, `href="`)
	link, _, _ = strings.Cut(link, `"`)
	callback := b.approve(strings.ReplaceAll(link, "&amp;", "&"))
	if resp := b.get(callback); resp.Header.Get("Location") != "/form" {
		t.Errorf("the person comes back to %d %v", resp.StatusCode, resp.Header)
	}
	b.get("/transfer").wantStatus(t, 200, "fresh alice")
	for _, f := range []session.Freshness{{}, {ACR: []string{"a b"}}, {ACR: []string{"ä"}},
		{Scopes: []string{strings.Repeat("x", 301)}}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("RequireFresh takes %+v", f)
				}
			}()
			a.instances[0].RequireFresh(f, http.NotFoundHandler())
		}()
	}
}

// TestChallenge: what an API asks for.
func TestChallenge(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		header string
		want   string
	}{
		{"RFC 9470", 401, `Bearer error="insufficient_user_authentication", acr_values="a b", max_age="5"`, "{5s [a b] []}"},
		{"max_age 0 is as recent as possible", 401, `DPoP error="insufficient_user_authentication", max_age=0`, "{1s [] []}"},
		{"RFC 6750", 403, `Bearer realm="x", error="insufficient_scope", scope="mail files"`, "{0s [] [mail files]}"},
		{"no scope is named", 403, `Bearer error="insufficient_scope"`, ""},
		{"another error", 401, `Bearer error="invalid_token"`, ""},
		{"another scheme", 401, `Basic error="insufficient_scope", scope="x"`, ""},
		{"another status", 200, `Bearer error="insufficient_scope", scope="x"`, ""},
		{"a value that no URL takes", 403, "Bearer error=\"insufficient_scope\", scope=\"x\tä\"", ""},
	} {
		got := ""
		e := session.Challenge(&http.Response{StatusCode: row.status, Header: http.Header{"Www-Authenticate": {row.header}}})
		if e != nil {
			got = fmt.Sprint(e.Freshness)
			if text := e.Error(); strings.Contains(text, "mail") || strings.Contains(text, "scopes") != (len(e.Scopes) > 0) {
				t.Errorf("%s: the error is %s", row.name, text)
			}
		}
		if got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
	if session.Challenge(nil) != nil {
		t.Error("no response is a challenge")
	}
}
