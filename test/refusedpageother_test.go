package test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/session"
)

// otherRows are the rows of docs/refused.md about which the login has nothing to
// say: another part of the app, or the provider, shows the failure.
var otherRows = map[string]func(*refused){
	"session.lost": func(a *refused) { blockSessions(a) },
	"a form gets 403 before the app sees it": func(a *refused) {
		a.handler = http.NewCrossOriginProtection().Handler(a.handler)
		r, _ := http.NewRequest("POST", a.app.URL+"/callback", nil)
		r.Header.Set("Origin", "https://outside.example") // an older browser, at the proxy's host
		if status, _ := a.show(r); status != http.StatusForbidden || a.err != nil {
			a.t.Errorf("got %d and %v", status, a.err)
		}
	},
	"the provider shows \"redirect_uri mismatch\"": func(a *refused) {
		a.cfg.RedirectURL += "/"
		a.deploy()
		r, _ := http.NewRequest("GET", a.app.URL+"/login", nil)
		status, page := a.show(r)
		if status != http.StatusBadRequest || !strings.Contains(page, "redirect_uri") || a.err != nil {
			a.t.Errorf("got %d %s and %v", status, page, a.err)
		}
	},
}

// show sends a request, follows redirects, and returns what the person sees.
func (a *refused) show(r *http.Request) (status int, page string) {
	resp, err := a.browser.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// withoutSessions is a browser that keeps no session cookie.
type withoutSessions struct{ http.CookieJar }

func (j withoutSessions) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.CookieJar.SetCookies(u, slices.DeleteFunc(cookies, func(c *http.Cookie) bool { return c.Name == "session" }))
}

// blockSessions signs in to an app with package session.
func blockSessions(a *refused) {
	client, err := authcode.New(a.cfg)
	if err != nil {
		a.t.Fatal(err)
	}
	sessions, err := session.New(session.Config{Keys: a.cfg.CookieKeys, LoginURL: "/login"})
	if err != nil {
		a.t.Fatal(err)
	}
	mux := http.NewServeMux()
	client.Mount(mux, sessions.SignIn(client))
	mux.Handle("GET /account", sessions.Require(http.NotFoundHandler()))
	a.handler = mux
	jar, _ := cookiejar.New(nil)
	a.browser.Jar = withoutSessions{jar}
	a.signIn(a.app.URL)
	r, _ := http.NewRequest("GET", a.app.URL+"/account", nil)
	status, page := a.show(r)
	for _, want := range []string{"Your sign-in was lost", "session.lost"} {
		if status != http.StatusUnauthorized || !strings.Contains(page, want) {
			a.t.Errorf("got %d %s, want %q", status, page, want)
		}
	}
}
