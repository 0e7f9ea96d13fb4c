package try

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// replay asks for the state with a session cookie that the browser no longer has.
func (s *site) replay(session string) answer {
	s.Helper()
	s.browser = newBrowser(s.T, s.browser)
	return s.ask("GET", "/", "Accept", "application/json", "Cookie",
		s.app.sessions.cookieName()+"="+session)
}

func TestRefresh(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	for range 2 { // the second one needs the refresh token of the first
		if got := s.post("/refresh"); got.StatusCode != http.StatusSeeOther ||
			got.Header.Get("Location") != "/" {
			t.Fatalf("refresh: %s: %s", got.Status, got.body)
		}
	}
	if got := element(t, s.get("/").body, "notice"); got != "The provider gave a new token." {
		t.Errorf("notice is %q", got)
	}
	if strings.Contains(s.get("/").body, `id="notice"`) {
		t.Error("the notice is shown twice")
	}
	s.demo.SetFaults(authserver.Refresh, authserver.Error(400, "invalid_grant", "gone"))
	got := s.post("/refresh")
	if got.StatusCode != http.StatusBadRequest || !strings.Contains(s.log.String(),
		"reason=grant_rejected") {
		t.Errorf("a refused refresh: %s, log %s", got.Status, s.log)
	}
}

func TestAnExpiredTokenIsRenewedOnce(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Token, authserver.Set("expires_in", "1"))
	s.mustSignIn()
	// A rotated refresh token may be spent once: a second request with it would end the grant.
	var wait sync.WaitGroup
	states := make([]state, 8)
	for i := range states {
		wait.Go(func() { states[i] = s.state() })
	}
	wait.Wait()
	for _, st := range states {
		if !st.SignedIn || st.API != "200 OK" {
			t.Errorf("signed in %v, API %q", st.SignedIn, st.API)
		}
	}
	if n := len(s.demo.Requests(authserver.Refresh)); n != 1 {
		t.Errorf("%d refresh requests, want 1", n)
	}
}

func TestAPersonWhoLeavesDoesNotLoseTheToken(t *testing.T) {
	t.Parallel()
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Token, authserver.Set("expires_in", "1"))
	s.demo.SetFaults(authserver.Refresh, authserver.Delay(300*time.Millisecond))
	s.mustSignIn()
	impatient := *s.browser
	impatient.Timeout = 100 * time.Millisecond
	if res, err := impatient.Get(s.base + "/"); err == nil {
		res.Body.Close()
		t.Fatal("the page came before the token was renewed")
	}
	if st := s.state(); st.API != "200 OK" {
		t.Errorf("API is %q", st.API)
	}
	if n := len(s.demo.Requests(authserver.Refresh)); n != 1 {
		t.Errorf("%d refresh requests, want 1", n)
	}
}

func TestAnExpiredTokenThatCannotBeRenewed(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Token, authserver.Set("expires_in", "1"),
		authserver.Drop("refresh_token"))
	s.mustSignIn()
	if st := s.state(); !st.SignedIn || st.Refreshable || !strings.Contains(st.API, "sign in again") {
		t.Errorf("state is %+v", st)
	}
	if page := s.get("/").body; !strings.Contains(page, `id="refresh" disabled`) ||
		element(t, page, "no-refresh") == "" {
		t.Errorf("the refresh button is not off: %s", page)
	}
}

func TestAnAPIThatFails(t *testing.T) {
	for _, test := range []struct {
		fault authserver.Fault
		want  string
	}{
		{authserver.HTMLError(), "500 Internal Server Error"},
		{authserver.Answer(200, "text/html", "<html>"), "200 OK, but the answer is not valid JSON, or too long"},
		{authserver.Set("pad", `"`+strings.Repeat("x", apiLimit)+`"`),
			"200 OK, but the answer is not valid JSON, or too long"},
		{authserver.Reset(), "no usable answer from the provider"},
	} {
		s := newSite(t, false)
		s.mustSignIn()
		s.demo.SetFaults(authserver.UserInfo, test.fault)
		if st := s.state(); !st.SignedIn || st.User != nil || st.API != test.want {
			t.Errorf("API is %q with user %v, want %q", st.API, st.User, test.want)
		}
		if got := element(t, s.get("/").body, "who"); got != "Alice Example" { // as the ID token says
			t.Errorf("#who is %q", got)
		}
	}
}

func TestSignOut(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	old := s.session()
	if got := s.post("/signout"); got.StatusCode != http.StatusSeeOther ||
		got.Header.Get("Location") != "/" {
		t.Fatalf("sign out: %s: %s", got.Status, got.body)
	}
	if got := element(t, s.get("/").body, "notice"); got != "You are signed out, and the token "+
		"is revoked." {
		t.Errorf("notice is %q", got)
	}
	revoked := s.demo.Requests(authserver.Revocation)
	if len(revoked) != 1 || revoked[0].Form.Get("token_type_hint") != "refresh_token" {
		t.Errorf("revocations: %d", len(revoked))
	}
	if s.state().SignedIn || s.session() == old {
		t.Error("still signed in, or still in the same session")
	}
	if got := s.replay(old); !strings.Contains(got.body, `"signed_in":false`) {
		t.Errorf("the old session still works: %s", got.body)
	}
}

func TestSignOutWithoutTheProvider(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	s.demo.SetFaults(authserver.Revocation, authserver.HTMLError())
	s.post("/signout")
	if got := element(t, s.get("/").body, "notice"); !strings.Contains(got, "did not revoke") ||
		s.state().SignedIn {
		t.Errorf("notice is %q, signed in %v", got, s.state().SignedIn)
	}
	if !strings.Contains(s.log.String(), `msg="token not revoked"`) {
		t.Errorf("log: %s", s.log)
	}
}

func TestASignInGetsANewSession(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	s.post("/signout")
	known := s.session() // a session of nobody, which an attacker may have planted
	if known == "" {
		t.Fatal("no session to begin with")
	}
	s.post("/signout") // leaves a notice that is not for whoever signs in next
	s.mustSignIn()
	if s.session() == known {
		t.Error("the session kept its id")
	}
	if page := s.get("/").body; strings.Contains(page, `id="notice"`) {
		t.Errorf("the session kept its content: %s", page)
	}
	if got := s.replay(known); !strings.Contains(got.body, `"signed_in":false`) {
		t.Errorf("the old id is signed in: %s", got.body)
	}
}

func TestSessionCookie(t *testing.T) {
	for _, test := range []struct {
		secure bool
		name   string
	}{{false, "session"}, {true, "__Host-session"}} {
		s := newSite(t, test.secure)
		got := s.signIn("/auth/demo")
		var cookie *http.Cookie
		for _, c := range got.Cookies() {
			if c.Name == test.name {
				cookie = c
			}
		}
		if cookie == nil {
			t.Fatalf("no cookie %s in %v", test.name, got.Header["Set-Cookie"])
		}
		if cookie.Secure != test.secure || !cookie.HttpOnly ||
			cookie.SameSite != http.SameSiteLaxMode ||
			cookie.Path != "/" || cookie.Domain != "" {
			t.Errorf("cookie is %s", cookie)
		}
		if !s.state().SignedIn {
			t.Errorf("not signed in with %s", test.name)
		}
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	for _, header := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"}, {"Origin", "null"},
	} {
		for _, path := range []string{"/signout", "/refresh"} {
			if got := s.ask("POST", path, header...); got.StatusCode != http.StatusForbidden ||
				!strings.Contains(got.body, "Nothing was changed") {
				t.Errorf("%s with %v: %s", path, header, got.Status)
			}
		}
	}
	if !s.state().SignedIn || len(s.demo.Requests(authserver.Refresh, authserver.Revocation)) > 0 {
		t.Error("another site has changed something")
	}
	if got := s.get("/signout"); got.StatusCode != http.StatusNotFound || !s.state().SignedIn {
		t.Errorf("GET /signout: %s", got.Status)
	}
}

func TestNobodyRefreshesWithoutSession(t *testing.T) {
	s := newSite(t, false)
	if got := s.post("/refresh"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("refresh: %s", got.Status)
	}
	if got := s.post("/signout"); got.StatusCode != http.StatusSeeOther ||
		len(s.demo.Requests(authserver.Revocation)) > 0 {
		t.Errorf("sign out: %s", got.Status)
	}
}

// withFormPost adds the embedded server a second time, as a provider that posts its answers.
func withFormPost(s *site) {
	config := s.demo.Register(authserver.ClientRegistration{
		ID: "poster", AuthMethod: authserver.None, RedirectURIs: []string{redirectURL(s.base,
			"poster")},
	})
	config.Provider.Name = "poster"
	config.Provider.FormPost = true
	if err := s.app.add(config, signIn{userinfoURL: s.demo.URL + "/userinfo"}); err != nil {
		s.Fatal(err)
	}
}

func TestFormPost(t *testing.T) {
	s := newSite(t, true, withFormPost)
	if got := s.signIn("/auth/poster?next=/private"); got.StatusCode != http.StatusSeeOther ||
		got.Header.Get("Location") != "/private" {
		t.Fatalf("callback: %s: %s", got.Status, got.body)
	}
	if st := s.state(); !st.SignedIn || st.Provider != "poster" {
		t.Errorf("state is %+v", st)
	}
	// The exception is for this callback alone.
	for path, want := range map[string]int{
		"/auth/poster/callback": http.StatusBadRequest, "/auth/demo/callback": http.StatusForbidden,
		"/auth/poster": http.StatusForbidden, "/signout": http.StatusForbidden,
	} {
		if got := s.ask("POST", path, "Sec-Fetch-Site", "cross-site"); got.StatusCode != want {
			t.Errorf("POST %s from another site: %s, want %d", path, got.Status, want)
		}
	}
}

func TestTwoProviders(t *testing.T) {
	s := newSite(t, true, withFormPost)
	got := s.get("/private?a=1")
	if got.StatusCode != http.StatusSeeOther ||
		got.Header.Get("Location") != "/?next=%2Fprivate%3Fa%3D1" {
		t.Fatalf("private page: %s to %q", got.Status, got.Header.Get("Location"))
	}
	home := s.get(got.Header.Get("Location")).body
	for _, name := range []string{"demo", "poster"} {
		if !strings.Contains(home,
			`id="login-`+name+`" href="/auth/`+name+`?next=%2Fprivate%3Fa%3D1"`) {
			t.Errorf("no way to sign in with %s: %s", name, home)
		}
	}
	for _, name := range []string{"demo", "poster"} { // the second login replaces the first
		s.signIn("/auth/" + name)
		if st := s.state(); st.Provider != name || st.API != "200 OK" {
			t.Errorf("signed in with %q, API %q", st.Provider, st.API)
		}
	}
}
