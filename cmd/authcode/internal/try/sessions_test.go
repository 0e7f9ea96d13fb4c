package try

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// signedIn counts the sessions of people.
func (s *sessions) signedIn() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.byID {
		if one.who != nil {
			n++
		}
	}
	return n
}

func TestEndedSessionsAreForgotten(t *testing.T) {
	s := newSite(t, false)
	for range 3 { // each sign-in replaces the one before
		s.mustSignIn()
	}
	if n := s.app.sessions.signedIn(); n != 1 {
		t.Errorf("%d people are signed in, want 1", n)
	}
	if s.post("/signout"); s.app.sessions.signedIn() != 0 {
		t.Errorf("%d people are signed in after the sign-out", s.app.sessions.signedIn())
	}
}

// TestARequestThatWaitsForASignOut is nobody's when its turn comes.
func TestARequestThatWaitsForASignOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	s.mustSignIn()
	s.demo.SetFaults(authserver.Revocation, authserver.Delay(300*time.Millisecond))
	var wait sync.WaitGroup
	wait.Go(func() { s.post("/signout") })
	for len(s.demo.Requests(authserver.Revocation)) == 0 {
		time.Sleep(time.Millisecond)
	}
	cookie := s.session() // the browser still has it
	waiting := *s
	if got := waiting.replay(cookie); !strings.Contains(got.body, `"signed_in":false`) {
		t.Errorf("the session that has ended meanwhile counts: %s", got.body)
	}
	wait.Wait()
}

// begin starts a session and returns its cookie.
func begin(s *sessions, who *account) *http.Cookie {
	w := httptest.NewRecorder()
	s.start(w, who, "")
	return w.Result().Cookies()[0]
}

func loads(s *sessions, cookie *http.Cookie) bool {
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(cookie)
	return s.load(r) != nil
}

// TestSessionsAreBounded: beyond the limit the session that ends first goes, and that is
// one of nobody's.
func TestSessionsAreBounded(t *testing.T) {
	s := newSessions(false)
	s.max = 10
	person := begin(s, new(account))
	for range 100 {
		begin(s, nil)
	}
	if len(s.byID) != s.max || !loads(s, person) {
		t.Errorf("%d sessions are kept, and the person's: %v", len(s.byID), loads(s, person))
	}
	for range 100 {
		begin(s, new(account))
	}
	if len(s.byID) != s.max || loads(s, person) {
		t.Errorf("%d sessions are kept, and the first person's: %v", len(s.byID), loads(s, person))
	}
}

func TestSessionsExpire(t *testing.T) {
	s := newSessions(true)
	cookie := begin(s, new(account))
	for _, one := range s.byID {
		if left := time.Until(one.expires); left < sessionLifetime-time.Minute ||
			left > sessionLifetime {
			t.Errorf("it expires in %s", left)
		}
		one.expires = time.Now().Add(-time.Second)
	}
	if loads(s, cookie) {
		t.Error("an expired session still counts")
	}
	s.sweep = time.Time{}
	if begin(s, nil); len(s.byID) != 1 {
		t.Errorf("%d sessions are kept after the sweep, want 1", len(s.byID))
	}
}

// TestSessionNames: they are long, random, and not what is kept.
func TestSessionNames(t *testing.T) {
	s := newSessions(true)
	seen := map[string]bool{}
	for range 100 {
		value := begin(s, nil).Value
		if len(value) < 26 || seen[value] { // 26 characters of base32 have 130 bits
			t.Fatalf("a session is called %q", value)
		}
		seen[value] = true
		for id := range s.byID {
			if strings.Contains(value, string(id[:])) {
				t.Fatal("the cookie's value itself is kept")
			}
		}
	}
}

// TestALogoutThatNamesNobody ends no session, nor does one that is about another provider.
func TestALogoutThatNamesNobody(t *testing.T) {
	s := newSessions(true)
	begin(s, new(account))
	begin(s, nil)
	begin(s, &account{identity: &identity{Issuer: "https://op.example", Subject: "alice"}})
	for _, token := range []oidc.LogoutToken{
		{}, {Issuer: "https://op.example"}, {Issuer: "https://other.example", Subject: "alice"},
		{Subject: "alice"},
		{Issuer: "https://op.example", Subject: "alice", SessionID: "s1"},
	} {
		if n := s.end(token); n != 0 {
			t.Errorf("%+v ends %d sessions", token, n)
		}
	}
	if n := s.end(oidc.LogoutToken{Issuer: "https://op.example", Subject: "alice"}); n != 1 {
		t.Errorf("alice's logout ends %d sessions", n)
	}
}
