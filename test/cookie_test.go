package test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// loginCookie has the name and the attributes of the cookie, each by itself.
var loginCookie = []struct {
	claim, redirect string
	formPost        bool
	name            string
	secure          bool
	sameSite        http.SameSite
}{
	{"https: __Host-, Secure, Lax", world.RedirectURL, false, "__Host-login-x-", true,
		http.SameSiteLaxMode},
	{"https on loopback: the same", "https://localhost/cb", false, "__Host-login-x-", true,
		http.SameSiteLaxMode},
	{"form_post: SameSite=None; Secure", world.RedirectURL, true, "__Host-login-x-", true,
		http.SameSiteNoneMode},
	{"http on loopback: no prefix, not Secure", "http://localhost:8080/cb", false, "login-x-",
		false, http.SameSiteLaxMode},
}

func TestLoginCookie(t *testing.T) {
	for _, row := range loginCookie {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.RedirectURL, c.Provider.FormPost = row.redirect, row.formPost
			})
			l := world.Begin(t, c, nil)
			if len(l.Cookies) != 1 {
				t.Fatalf("got %d cookies", len(l.Cookies))
			}
			got := l.Cookies[0]
			form := regexp.MustCompile("^" + row.name + "[0-9a-z]{8,9}-[0-9a-v]{26}$")
			if !form.MatchString(got.Name) {
				t.Errorf("the name is %q", got.Name)
			}
			if got.Secure != row.secure || got.SameSite != row.sameSite || !got.HttpOnly ||
				got.Path != "/" || got.MaxAge != 600 || got.Domain != "" ||
				!got.Expires.IsZero() || len(got.Unparsed) > 0 {
				t.Errorf("the attributes are %q", got.Raw)
			}
			if strings.Contains(got.Value, l.Query.Get("state")) ||
				strings.Contains(got.Name, l.Query.Get("state")) {
				t.Error("the cookie shows the state")
			}
		})
	}
}

// TestLoginCookieIsCleared: the callback expires the login's own cookie, with
// the same attributes.
func TestLoginCookieIsCleared(t *testing.T) {
	for _, redirect := range []string{world.RedirectURL, "http://localhost:8080/cb"} {
		t.Run(redirect, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) { c.RedirectURL = redirect })
			l := world.Begin(t, c, nil)
			rec := httptest.NewRecorder()
			if _, err := c.Exchange(rec, l.Callback()); err != nil {
				t.Fatal(err)
			}
			cookies, set := rec.Result().Cookies(), l.Cookies[0]
			if len(cookies) != 1 {
				t.Fatalf("got %v, want %s cleared", cookies, set.Name)
			}
			got := cookies[0]
			if got.Name != set.Name || got.Value != "" || got.MaxAge >= 0 ||
				got.Path != set.Path || got.Secure != set.Secure ||
				got.SameSite != set.SameSite || !got.HttpOnly {
				t.Errorf("got %v, want %s cleared", got, set.Name)
			}
		})
	}
}

// TestKeyRotation: the first key seals, all open.
func TestKeyRotation(t *testing.T) {
	with := func(keys ...byte) *authcode.Client {
		return world.Client(t, &world.Provider{}, func(c *config) {
			c.CookieKeys = nil
			for _, k := range keys {
				c.CookieKeys = append(c.CookieKeys, world.Key(k))
			}
		})
	}
	rows := []struct {
		claim         string
		start, finish *authcode.Client
		accepted      bool
	}{
		{"the same key finishes", with('a'), with('a'), true},
		{"a login under the old key finishes after the rotation", with('a'), with('b', 'a'), true},
		{"a new login is sealed with the first key", with('b', 'a'), with('b'), true},
		{"a new login is not sealed with the second key", with('b', 'a'), with('a'), false},
		{"a login under a dropped key is refused", with('a'), with('b'), false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			l := world.Begin(t, row.start, nil)
			if row.accepted {
				l.Finish(t, row.finish)
				return
			}
			_, err := l.Exchange(row.finish)
			world.WantError(t, err, authcode.Forged, "state.tag")
		})
	}
}

// TestHostFlag: a callback without its cookie can say that the login began on
// another host.
func TestHostFlag(t *testing.T) {
	rows := []struct{ claim, redirect, host, check string }{
		{"the same host", world.RedirectURL, "app.example", "cookie.missing"},
		{"another port", world.RedirectURL, "app.example:8443", "cookie.missing"},
		{"another case", world.RedirectURL, "APP.example", "cookie.missing"},
		{"an address with a port", "http://[::1]:80/cb", "[::1]:3000", "cookie.missing"},
		{"another host", world.RedirectURL, "www.app.example", "cookie.host"},
		{"another name for loopback", "http://localhost:3000/cb", "127.0.0.1:3000", "cookie.host"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.RedirectURL = row.redirect
			})
			r := world.Get("/auth/x")
			r.Host = row.host
			callback := world.Begin(t, c, r).Callback()
			callback.Header.Del("Cookie")
			_, err := c.Exchange(httptest.NewRecorder(), callback)
			world.WantError(t, err, authcode.NoLogin, row.check)
		})
	}
}
