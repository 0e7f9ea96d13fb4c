package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestConfig: New lists all faults of a Config at once.
func TestConfig(t *testing.T) {
	good := session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"}
	if _, err := session.New(good); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*session.Config){
		"Keys":             func(c *session.Config) { c.Keys = nil },
		"Keys[0]":          func(c *session.Config) { c.Keys = [][]byte{[]byte("short")} },
		"LoginURL":         func(c *session.Config) { c.LoginURL = "" },
		"LoginURL is":      func(c *session.Config) { c.LoginURL = "javascript:alert(1)" },
		"HomeURL":          func(c *session.Config) { c.HomeURL = "//evil.example" },
		"LogoutReturnURL":  func(c *session.Config) { c.LogoutReturnURL = "/bye" },
		"Lifetime":         func(c *session.Config) { c.Lifetime = -1 },
		"IdleTimeout":      func(c *session.Config) { c.IdleTimeout = time.Second },
		"MaxSessions":      func(c *session.Config) { c.MaxSessions = 101 },
		"MaxSessions must": func(c *session.Config) { c.MaxSessions = -1 },
		"Lifetime must":    func(c *session.Config) { c.Lifetime = 367 * 24 * time.Hour },
		"CacheFor must":    func(c *session.Config) { c.CacheFor = -time.Second },
		"RefuseMore":       func(c *session.Config) { c.RefuseMore = true },
		"CacheFor":         func(c *session.Config) { c.CacheFor = time.Hour },
	} {
		cfg := good
		change(&cfg)
		_, err := session.New(cfg)
		var e *authcode.Error
		if !errors.As(err, &e) || e.Check != "session.config" || len(e.Faults) != 1 ||
			!strings.HasPrefix(e.Faults[0], "Config."+field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	_, err := session.New(session.Config{})
	var e *authcode.Error
	if !errors.As(err, &e) || len(e.Faults) != 2 {
		t.Errorf("got %v, want both faults", err)
	}
}

// TestGuardedLogin: a LoginURL behind Require is an error that says so, and not
// a circle.
func TestGuardedLogin(t *testing.T) {
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login?x=1"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	s.Require(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "/login?x=1", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), "session.guarded") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	// The path of the browser counts, not what a router has left of it, and
	// what leads elsewhere is dropped.
	for target, want := range map[string]string{
		"/app/page?a=1": "/login?next=%2Fapp%2Fpage%3Fa%3D1&x=1", "//evil.example/": "/login?x=1", "/": "/login?x=1",
	} {
		r := httptest.NewRequest("GET", "http://app.example/x", nil)
		r.RequestURI = target
		w = httptest.NewRecorder()
		s.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		if got := w.Header().Get("Location"); w.Code != 303 || got != want {
			t.Errorf("%s leads to %d %s, want %s", target, w.Code, got, want)
		}
	}
}

// TestNilHandlers: mistakes that show when the app starts.
func TestNilHandlers(t *testing.T) {
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	worker := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.RedirectURL, c.CookieKeys, c.LoginURL, c.HomeURL = "", nil, "", ""
	})
	for name, call := range map[string]func(){
		"Require": func() { s.Require(nil) }, "Optional": func() { s.Optional(http.HandlerFunc(nil)) },
		"Passive": func() { s.Passive(nil) }, "SignIn": func() { s.SignIn(nil) },
		"SignIn of a worker": func() { s.SignIn(worker) },
		"RequireFresh":       func() { s.RequireFresh(session.Freshness{MaxAge: time.Hour}, nil) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "session: ") {
					t.Errorf("%s panics with %q", name, text)
				}
			}()
			call()
		}()
	}
	if session.FromContext(context.Background()) != nil {
		t.Error("there is a session without a request")
	}
}

// TestLoopback: on http the cookie has no prefix, and counts on loopback only.
func TestLoopback(t *testing.T) {
	p := &world.Provider{}
	client := world.Client(t, p, func(c *authcode.Config) {
		c.RedirectURL, c.LoginURL = "http://localhost:8080/callback", "/login"
	})
	s, err := session.New(session.Config{
		Keys: [][]byte{world.Key('s')}, LoginURL: "/login", Persistent: true, Lifetime: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	login := &authcode.Login{Token: world.Expired(), Started: time.Now()}
	if err := s.Start(w, httptest.NewRequest("GET", "http://localhost:8080/callback", nil), client, login); err != nil {
		t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 2 || cookies[0].Name != "session" || cookies[0].Secure || cookies[0].MaxAge != 3600 {
		t.Fatalf("the cookies are %v", cookies)
	}
	for host, want := range map[string]bool{
		"localhost:8080": true, "127.0.0.1": true, "127.0.0.9:80": true, "[::1]:8080": true, "[::1]": true,
		"app.localhost": true, "app.example": false, "localhost.example:8080": false, "10.0.0.1": false, "": false,
	} {
		r := httptest.NewRequest("GET", "http://localhost/", nil)
		r.Host = host
		r.AddCookie(cookies[0])
		session, err := s.Load(r)
		if err != nil || (session != nil) != want {
			t.Errorf("at %q: %v, %v, want a session: %v", host, session, err, want)
		}
	}
	// A cookie with the prefix that leads nowhere, of another app on this host.
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.AddCookie(cookies[0])
	r.AddCookie(&http.Cookie{Name: cookieName, Value: strings.Repeat("A", 43)})
	if session, err := s.Load(r); err != nil || session == nil || session.Identity() != nil {
		t.Errorf("got %v, %v", session, err)
	}
}
