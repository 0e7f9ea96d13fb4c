package session_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestPlainCookie: the cookie without a prefix counts if the app's own
// RedirectURL is on http, also at another instance and right after a restart. A
// proxy that sends its own Host, such as nginx with proxy_pass
// http://localhost:8080, does not make it count: a sibling subdomain could have
// planted it.
func TestPlainCookie(t *testing.T) {
	for name, row := range map[string]struct {
		redirect string
		counts   bool
	}{
		"development":        {"http://localhost:8080/callback", true},
		"https behind nginx": {"https://app.example/callback", false},
	} {
		t.Run(name, func(t *testing.T) {
			client := world.Client(t, &world.Provider{}, func(c *authcode.Config) { c.RedirectURL = row.redirect })
			store := grant.NewMemory(0)
			first, restarted := plainSessions(t, store), plainSessions(t, store)
			restarted.SignIn(client)
			w := httptest.NewRecorder()
			login := &authcode.Login{Token: world.Expired(), Started: time.Now()}
			if err := first.Start(w, httptest.NewRequest("GET", "/callback", nil), client, login); err != nil {
				t.Fatal(err)
			}
			id := w.Result().Cookies()[0].Value
			for _, s := range []*session.Sessions{first, restarted} {
				wantPlain(t, s, id, row.counts)
			}
		})
	}
}

func plainSessions(t *testing.T, store grant.Store) *session.Sessions {
	t.Helper()
	s, err := session.New(session.Config{Store: store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantPlain checks whether s takes and clears a cookie without a prefix, and
// whether its marker counts.
func wantPlain(t *testing.T, s *session.Sessions, id string, counts bool) {
	t.Helper()
	request := func(method, cookie string) *http.Request {
		r := httptest.NewRequest(method, "http://localhost:8080/account", nil)
		r.Header.Set("Cookie", cookie)
		return r
	}
	if found, err := s.Load(request("GET", "session="+id)); err != nil || (found != nil) != counts {
		t.Errorf("got %v, %v, want a session: %v", found, err, counts)
	}
	w := httptest.NewRecorder()
	s.Require(http.NotFoundHandler()).ServeHTTP(w, request("GET", "session-new=1"))
	if stopped := w.Code == http.StatusUnauthorized; stopped != counts {
		t.Errorf("with the marker the status is %d", w.Code)
	}
	w = httptest.NewRecorder()
	s.SignOut().ServeHTTP(w, request("POST", "session="+strings.Repeat("A", 43)))
	if cleared := w.Header()["Set-Cookie"] != nil; cleared != counts {
		t.Errorf("the sign-out set %q", w.Header()["Set-Cookie"])
	}
}

// TestSignOutWithTwoCookies: a person who signs out is signed out, also if a second
// cookie was planted, with a session or without.
func TestSignOutWithTwoCookies(t *testing.T) {
	for _, second := range []string{strings.Repeat("A", 43), "bob"} {
		a := newApp(t, setup{})
		b, c := a.browser(t), a.browser(t)
		b.signIn("alice", "/account")
		want := 1
		if second == "bob" {
			c.signIn("bob", "/account")
			second, want = c.cookie(cookieName), 2
		}
		r := httptest.NewRequest(http.MethodPost, "/logout", nil)
		r.AddCookie(cookieOf(second))
		r.AddCookie(cookieOf(b.cookie(cookieName)))
		w := httptest.NewRecorder()
		a.instances[0].mux.ServeHTTP(w, r)
		if w.Code != http.StatusSeeOther || strings.Contains(w.Header().Get("Location"), "id_token_hint") != (want == 1) {
			t.Errorf("got %d to %s", w.Code, w.Header().Get("Location"))
		}
		b.wantSeen("")
		a.wantLeft(t, "two cookies", 0)
	}
}

// TestSignOutIsBounded: a request with a hundred cookies costs a few operations.
func TestSignOutIsBounded(t *testing.T) {
	a := newApp(t, setup{})
	r := httptest.NewRequest(http.MethodPost, "/logout", nil)
	for i := range 100 {
		r.AddCookie(cookieOf(strings.Repeat("A", 40) + strconv.Itoa(100+i)))
	}
	a.instances[0].mux.ServeHTTP(httptest.NewRecorder(), r)
	if n := len(a.store.took()); n != 8 {
		t.Errorf("%d operations", n)
	}
}

// TestPlainSignOut: a sign-out ends the session in a cookie without a prefix if
// that cookie counts. On https, a sibling subdomain may have planted it.
func TestPlainSignOut(t *testing.T) {
	for redirect, want := range map[string]int{
		"http://localhost:8080/callback": 0, "https://app.example/callback": 1,
	} {
		client := world.Client(t, &world.Provider{}, func(c *authcode.Config) { c.RedirectURL = redirect })
		store := newShifted()
		s := plainSessions(t, store)
		w := httptest.NewRecorder()
		login := &authcode.Login{Token: world.Expired(), Started: time.Now()}
		if err := s.Start(w, httptest.NewRequest("GET", "/callback", nil), client, login); err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest("POST", "http://localhost:8080/logout", nil)
		r.AddCookie(&http.Cookie{Name: "session", Value: w.Result().Cookies()[0].Value})
		s.SignOut().ServeHTTP(httptest.NewRecorder(), r)
		if n := store.count("session"); n != want {
			t.Errorf("%s: %d sessions are left, want %d", redirect, n, want)
		}
	}
}
