package session_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// signedIn is a request of a person who is signed in at s.
func signedIn(t testing.TB, s *session.Sessions) *http.Request {
	client := world.Client(t, &world.Provider{})
	token := world.Expired()
	token.Expiry = time.Now().Add(time.Hour)
	login := &authcode.Login{Token: token, Started: time.Now(), Provider: "x", Identity: &authcode.Identity{
		Issuer: world.Issuer, Subject: "alice", Email: "alice@example.com", EmailVerified: true,
		Claims: map[string]any{"sid": "alice-1", "groups": []any{"staff", "admins"}},
	}}
	w := httptest.NewRecorder()
	if err := s.Start(w, httptest.NewRequest("GET", world.RedirectURL, nil), client, login); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", world.AppURL+"/account", nil)
	r.AddCookie(w.Result().Cookies()[0])
	return r
}

// BenchmarkRequire is a request through Require, with the store in memory.
func BenchmarkRequire(b *testing.B) {
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		b.Fatal(err)
	}
	r, calls := signedIn(b, s), 0
	h := s.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		h.ServeHTTP(w, r)
	}
	if calls == 0 || w.Code != 200 {
		b.Fatal("nobody is signed in")
	}
}

// TestAllocations bounds what a request costs.
func TestAllocations(t *testing.T) {
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	r := signedIn(t, s)
	h := s.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) }); n > 25 {
		t.Errorf("a request takes %v allocations, want 25 or fewer", n)
	}
}
