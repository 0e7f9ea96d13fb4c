package authcode_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
)

func TestLoginCookie(t *testing.T) {
	rows := []struct {
		claim, redirect string
		formPost        bool
		name            string
		secure          bool
		sameSite        http.SameSite
	}{
		{"https: __Host-, Secure, Lax", hRedirect, false, "__Host-login-x-", true, http.SameSiteLaxMode},
		{"https on loopback: the same", "https://localhost/cb", false, "__Host-login-x-", true, http.SameSiteLaxMode},
		{"form_post: SameSite=None; Secure", hRedirect, true, "__Host-login-x-", true, http.SameSiteNoneMode},
		{"http on loopback: no prefix, not Secure", "http://localhost:8080/cb", false, "login-x-", false, http.SameSiteLaxMode},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.RedirectURL, c.Provider.FormPost = row.redirect, row.formPost })
			l := hStart(t, c, nil)
			if len(l.cookies) != 1 {
				t.Fatalf("got %d cookies", len(l.cookies))
			}
			got := l.cookies[0]
			if !regexp.MustCompile("^" + row.name + "[0-9a-z]{8,9}-[0-9a-v]{16}$").MatchString(got.Name) {
				t.Errorf("the name is %q", got.Name)
			}
			if got.Secure != row.secure || got.SameSite != row.sameSite || !got.HttpOnly || got.Path != "/" ||
				got.MaxAge != 600 || got.Domain != "" || !got.Expires.IsZero() || len(got.Unparsed) > 0 {
				t.Errorf("the attributes are %q", got.Raw)
			}
			if strings.Contains(got.Value, l.query.Get("state")) || strings.Contains(got.Name, l.query.Get("state")) {
				t.Error("the state stands in the cookie")
			}
		})
	}
}

// TestLoginCookieIsCleared: the callback expires the login's own cookie, with the same attributes.
func TestLoginCookieIsCleared(t *testing.T) {
	for _, redirect := range []string{hRedirect, "http://localhost:8080/cb"} {
		t.Run(redirect, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.RedirectURL = redirect })
			l := hStart(t, c, nil)
			rec := httptest.NewRecorder()
			if _, err := c.Exchange(rec, l.callback()); err != nil {
				t.Fatal(err)
			}
			cleared, set := rec.Result().Cookies(), l.cookies[0]
			if len(cleared) != 1 || cleared[0].Name != set.Name || cleared[0].Value != "" || cleared[0].MaxAge >= 0 ||
				cleared[0].Path != set.Path || cleared[0].Secure != set.Secure || cleared[0].SameSite != set.SameSite || !cleared[0].HttpOnly {
				t.Errorf("got %v, want %s cleared", cleared, set.Name)
			}
		})
	}
}

// TestKeyRotation: the first key seals, all open.
func TestKeyRotation(t *testing.T) {
	with := func(keys ...byte) *authcode.Client {
		return hNew(t, &hProvider{}, func(c *authcode.Config) {
			c.CookieKeys = nil
			for _, k := range keys {
				c.CookieKeys = append(c.CookieKeys, hKey(k))
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
			l := hStart(t, row.start, nil)
			if row.accepted {
				l.finish(t, row.finish)
				return
			}
			_, err := row.finish.Exchange(httptest.NewRecorder(), l.callback())
			hWantError(t, err, authcode.Forged, "state.tag")
		})
	}
}

// TestLoginBelongs: a login of one Client is of no use to another, though they share a key, and even if its cookie is
// moved to the name that the other one looks for.
func TestLoginBelongs(t *testing.T) {
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		check  string
	}{
		"another name":         {func(c *authcode.Config) { c.Provider.Name = "y" }, "cookie.seal"},
		"another issuer":       {func(c *authcode.Config) { c.Provider.Issuer = "https://other.example" }, "cookie.client"},
		"another client id":    {func(c *authcode.Config) { c.ClientID = "other" }, "cookie.client"},
		"another redirect URL": {func(c *authcode.Config) { c.RedirectURL += "2" }, "cookie.client"},
	} {
		t.Run(claim+" is refused", func(t *testing.T) {
			p := &hProvider{}
			c := hNew(t, p, row.change)
			l := hStart(t, hNew(t, p), nil)
			if row.check == "cookie.seal" {
				l.cookies[0].Name = strings.Replace(l.cookies[0].Name, "login-x-", "login-y-", 1)
			}
			_, err := c.Exchange(httptest.NewRecorder(), l.callback())
			hWantError(t, err, authcode.Forged, row.check)
			p.wantRequests(t, 0)
		})
	}
}

// TestHostFlag: a callback without its cookie can say that the login began on another host.
func TestHostFlag(t *testing.T) {
	rows := []struct{ claim, redirect, host, check string }{
		{"the same host", hRedirect, "app.example", "cookie.missing"},
		{"another port", hRedirect, "app.example:8443", "cookie.missing"},
		{"another case", hRedirect, "APP.example", "cookie.missing"},
		{"an address with a port", "http://[::1]:80/cb", "[::1]:3000", "cookie.missing"},
		{"another host", hRedirect, "www.app.example", "cookie.host"},
		{"another name for loopback", "http://localhost:3000/cb", "127.0.0.1:3000", "cookie.host"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.RedirectURL = row.redirect })
			r := hGet("/auth/x")
			r.Host = row.host
			callback := hStart(t, c, r).callback()
			callback.Header.Del("Cookie")
			_, err := c.Exchange(httptest.NewRecorder(), callback)
			hWantError(t, err, authcode.NoLogin, row.check)
		})
	}
}

// hJar is what a browser holds of one host's cookies, in the order it sends them.
type hJar []*http.Cookie

func (j *hJar) take(cookies []*http.Cookie) (cleared []string) {
	for _, c := range cookies {
		*j = slices.DeleteFunc(*j, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge < 0 {
			cleared = append(cleared, c.Name)
			continue
		}
		*j = append(*j, c)
	}
	return cleared
}

func (j hJar) request() *http.Request {
	r := hGet("https://app.example/auth/x")
	for _, c := range j {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// TestPendingLogins: the newest five stay, over all Clients of the jar, and nothing else is touched.
func TestPendingLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := hNew(t, &hProvider{})
		y := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Provider.Name = "y-2" })
		jar := hJar{
			{Name: "session", Value: "1"}, {Name: "__Host-login-hint", Value: "2"},
			{Name: "login-x-0-0123456789abcdef", Value: "3"},          // of an app over http
			{Name: "__Host-login-A_B-0-0123456789abcdef", Value: "4"}, // no name of a provider
			{Name: "__Host-login-x-0-0123456789abcdez", Value: "5"},   // no hash
			{Name: "__Host-login-x-0.1-0123456789abcdef", Value: "6"}, // no time
		}
		others := len(jar)
		var logins []*hLogin
		for i := range 8 {
			c := []*authcode.Client{x, y}[i%2]
			slices.Reverse(jar) // the order of the header does not matter
			logins = append(logins, hStart(t, c, jar.request()))
			cleared := jar.take(logins[i].cookies)
			var want []string
			if i >= 5 {
				cookies := logins[i-5].cookies
				want = []string{cookies[len(cookies)-1].Name}
			}
			if !slices.Equal(cleared, want) {
				t.Errorf("login %d expired %q, want %q", i, cleared, want)
			}
			time.Sleep(time.Millisecond)
		}
		if len(jar) != others+5 {
			t.Errorf("%d cookies are left", len(jar))
		}
		for i := 3; i < 8; i++ {
			logins[i].finish(t, []*authcode.Client{x, y}[i%2])
		}
	})
}

// TestPendingBytes: large logins leave room for fewer, and stale ones go first.
func TestPendingBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := hNew(t, &hProvider{})
		var jar hJar
		jar.take(hStart(t, c, nil).cookies)
		stale := jar[0].Name
		time.Sleep(10*time.Minute + time.Millisecond)
		if cleared := jar.take(hStart(t, c, jar.request()).cookies); !slices.Equal(cleared, []string{stale}) {
			t.Errorf("expired %q, want the stale %q", cleared, stale)
		}
		small := jar[0].Name
		time.Sleep(time.Millisecond)
		big := authcode.Value("k", strings.Repeat("v", 400))
		for range 2 {
			jar.take(hStart(t, c, jar.request(), big, authcode.ReturnTo("/"+strings.Repeat("p", 300))).cookies)
			time.Sleep(time.Millisecond)
		}
		header := jar.request().Header.Get("Cookie")
		if len(header) > 2500 || len(jar) != 1 || strings.Contains(header, small) {
			t.Errorf("%d bytes in %d cookies are left", len(header), len(jar))
		}
	})
}

// TestPendingClears: one answer expires at most twenty cookies, and no cookie twice.
func TestPendingClears(t *testing.T) {
	c := hNew(t, &hProvider{})
	var jar hJar
	for i := range 30 {
		twice := &http.Cookie{Name: fmt.Sprintf("__Host-login-x-%08d-0123456789abcdef", i), Value: "v"}
		jar = append(jar, twice, twice)
	}
	r := jar.request()
	names := make(map[string]bool)
	for _, cookie := range hStart(t, c, r).cookies {
		if names[cookie.Name] {
			t.Errorf("%s is expired twice", cookie.Name)
		}
		names[cookie.Name] = true
	}
	if len(names) != 20+1 {
		t.Errorf("%d cookies were set or expired, want 21", len(names))
	}
}

// TestLoginCookieSize: no login cookie has more than 1,800 bytes of name and value.
func TestLoginCookieSize(t *testing.T) {
	c := hNew(t, &hProvider{})
	var largest, refused int
	for n := 760; n < 880; n++ {
		rec := httptest.NewRecorder()
		_, err := c.AuthCodeURL(rec, hGet("/"), authcode.Scopes(strings.Repeat("s", n)))
		if err != nil {
			hWantError(t, err, authcode.Configuration, "login.size")
			refused++
			continue
		}
		cookie := rec.Result().Cookies()[0]
		largest = max(largest, len(cookie.Name)+len(cookie.Value))
	}
	if largest > 1800 || largest < 1780 || refused == 0 {
		t.Errorf("the largest cookie has %d bytes; %d were refused", largest, refused)
	}
}
