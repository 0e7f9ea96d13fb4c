package test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// jar is what a browser holds of one host's cookies, in the order it sends
// them.
type jar []*http.Cookie

func (j *jar) take(cookies []*http.Cookie) (cleared []string) {
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

func (j jar) request() *http.Request {
	r := world.Get("https://app.example/auth/x")
	for _, c := range j {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// TestPendingLogins: the newest five stay, over all Clients of the jar, and
// nothing else is touched.
func TestPendingLogins(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		x := world.Client(t, &world.Provider{})
		y := world.Client(t, &world.Provider{}, func(c *config) { c.Provider.Name = "y-2" })
		held := jar{
			{Name: "session", Value: "1"}, {Name: "__Host-login-hint", Value: "2"},
			{Name: "login-x-0-0123456789abcdefghijklmno0", Value: "3"},          // of an app over http
			{Name: "__Host-login-A_B-0-0123456789abcdefghijklmno0", Value: "4"}, // not a provider's name
			{Name: "__Host-login-x-0-0123456789abcdefghijklmno1", Value: "5"},   // not an id
			{Name: "__Host-login-x-0.1-0123456789abcdefghijklmno0", Value: "6"}, // not a time
		}
		others := len(held)
		var logins []*world.Pending
		for i := range 8 {
			c := []*authcode.Client{x, y}[i%2]
			slices.Reverse(held) // the order of the header does not matter
			logins = append(logins, world.Begin(t, c, held.request()))
			cleared := held.take(logins[i].Cookies)
			var want []string
			if i >= 5 {
				cookies := logins[i-5].Cookies
				want = []string{cookies[len(cookies)-1].Name}
			}
			if !slices.Equal(cleared, want) {
				t.Errorf("login %d expired %q, want %q", i, cleared, want)
			}
			time.Sleep(time.Millisecond)
		}
		if len(held) != others+5 {
			t.Errorf("%d cookies are left", len(held))
		}
		for i := 3; i < 8; i++ {
			logins[i].Finish(t, []*authcode.Client{x, y}[i%2])
		}
	})
}

// TestPendingBytes: large logins leave room for fewer, and stale ones go first.
func TestPendingBytes(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{})
		var held jar
		held.take(world.Begin(t, c, nil).Cookies)
		stale := held[0].Name
		time.Sleep(10*time.Minute + time.Millisecond)
		cleared := held.take(world.Begin(t, c, held.request()).Cookies)
		if !slices.Equal(cleared, []string{stale}) {
			t.Errorf("expired %q, want the stale %q", cleared, stale)
		}
		small := held[0].Name
		time.Sleep(time.Millisecond)
		big := authcode.Value("k", strings.Repeat("v", 500))
		for range 2 {
			held.take(world.Begin(t, c, held.request(), big,
				authcode.ReturnTo("/"+strings.Repeat("p", 400))).Cookies)
			time.Sleep(time.Millisecond)
		}
		header := held.request().Header.Get("Cookie")
		if len(header) > 2500 || len(held) != 1 || strings.Contains(header, small) {
			t.Errorf("%d bytes in %d cookies are left", len(header), len(held))
		}
	})
}

// TestPendingClears: one answer expires at most twenty cookies, and no cookie
// twice.
func TestPendingClears(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	var held jar
	for i := range 30 {
		twice := &http.Cookie{Name: fmt.Sprintf("__Host-login-x-%08d-0123456789abcdefghijklmno0", i),
			Value: "v"}
		held = append(held, twice, twice)
	}
	r := held.request()
	names := make(map[string]bool)
	for _, cookie := range world.Begin(t, c, r).Cookies {
		if names[cookie.Name] {
			t.Errorf("%s is expired twice", cookie.Name)
		}
		names[cookie.Name] = true
	}
	if len(names) != 20+1 {
		t.Errorf("%d cookies were set or expired, want 21", len(names))
	}
}

// TestLoginCookieSize: no login cookie has more than 1,800 bytes of name and
// value.
func TestLoginCookieSize(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	var largest, refused int
	for n := 1060; n < 1240; n++ {
		_, cookies, err := world.Start(c, authcode.Scopes(strings.Repeat("s", n)))
		if err != nil {
			world.WantError(t, err, authcode.Configuration, "login.size")
			refused++
			continue
		}
		largest = max(largest, len(cookies[0].Name)+len(cookies[0].Value))
	}
	if largest > 1800 || largest < 1780 || refused == 0 {
		t.Errorf("the largest cookie has %d bytes; %d were refused", largest, refused)
	}
}

func TestALongReturnPathCannotBreakALogin(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	handler := c.LoginHandler(authcode.Value("v", strings.Repeat("v", 500)))
	for _, n := range []int{100, 400, 1000, 4000} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, world.Get("/login?next=/"+strings.Repeat("a", n)))
		if rec.Code != http.StatusSeeOther {
			t.Errorf("a path of %d bytes: status %d", n, rec.Code)
		}
	}
	_, _, err := world.Start(c, authcode.Scopes(strings.Repeat("s", 1400)))
	if !errors.Is(err, authcode.Configuration) {
		t.Errorf("1400 bytes of scopes: %v, want configuration", err)
	}
}

func TestTheOldestOfManyLoginsGoFirst(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	var held jar
	var names []string
	for range 30 {
		cookie := world.Begin(t, c, nil).Cookies[0]
		names = append(names, cookie.Name)
		held = append(held, cookie)
	}
	gone := make(map[string]bool)
	for _, cookie := range world.Begin(t, c, held.request()).Cookies {
		gone[cookie.Name] = cookie.MaxAge < 0
	}
	for i, name := range names {
		if want := i < 20; gone[name] != want {
			t.Errorf("login %d of 30: expired %v, want %v", i, gone[name], want)
		}
	}
}
