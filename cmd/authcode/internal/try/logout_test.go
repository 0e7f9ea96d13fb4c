package try

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// leave presses the button that signs out at the provider as well.
func (s *site) leave() answer {
	s.Helper()
	req, err := http.NewRequest("POST", s.base+"/signout", strings.NewReader("at=provider"))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.base)
	res, err := s.browser.Do(req)
	return read(s.T, res, err)
}

// backChannel posts a logout token as the provider would.
func (s *site) backChannel(name, token string) answer {
	s.Helper()
	res, err := new(http.Client).PostForm(s.base+"/auth/"+name+"/backchannel-logout",
		url.Values{"logout_token": {token}})
	return read(s.T, res, err)
}

func TestSignOutAtTheProvider(t *testing.T) {
	for _, secure := range []bool{false, true} {
		s := newSite(t, secure)
		s.mustSignIn()
		page, old := s.get("/"), s.session()
		if !strings.Contains(page.body, `id="signout-provider"`) ||
			!strings.Contains(page.Header.Get("Content-Security-Policy"),
				"form-action 'self' "+s.demo.URL+";") {
			t.Fatalf("the page cannot lead there: %q", page.Header.Get("Content-Security-Policy"))
		}
		there := s.leave()
		if at := there.Header.Get("Location"); there.StatusCode != http.StatusSeeOther ||
			!strings.HasPrefix(at, s.demo.URL+"/logout?") {
			t.Fatalf("sign out: %s to %s", there.Status, at)
		}
		if got := s.replay(old); !strings.Contains(got.body, `"signed_in":false`) ||
			len(s.demo.Requests(authserver.Revocation)) != 1 {
			t.Errorf("before the provider is asked: %s, %d revocations", got.body,
				len(s.demo.Requests(authserver.Revocation)))
		}
	}
}

func TestSignOutAtTheProviderAndBack(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	back := s.visit(s.leave().Header.Get("Location"))
	asked := s.demo.Requests(authserver.EndSession)
	if len(asked) != 1 || asked[0].Form.Get("id_token_hint") == "" ||
		asked[0].ClientID != "authcode-try" {
		t.Fatalf("the provider saw %v", asked)
	}
	at := back.Header.Get("Location")
	if !strings.HasPrefix(at, s.base+"/auth/demo/signed-out?state=") {
		t.Fatalf("the provider leads to %s", at)
	}
	if home := s.visit(at); home.StatusCode != http.StatusSeeOther ||
		home.Header.Get("Location") != "/" {
		t.Errorf("back here: %s to %s", home.Status, home.Header.Get("Location"))
	}
	if got := element(t, s.get("/").body, "notice"); !strings.Contains(got,
		"the token is revoked") || !strings.Contains(got,
		"You were sent to sign out at the test server as well") {
		t.Errorf("notice is %q", got)
	}
	if s.state().SignedIn {
		t.Error("still signed in")
	}
	for _, query := range []string{"", "?state=x", "?error=x", "?state=a&state=b"} { // it is tolerant
		if got := s.get("/auth/demo/signed-out" + query); got.StatusCode != http.StatusSeeOther ||
			got.Header.Get("Location") != "/" {
			t.Errorf("coming back with %q: %s to %q", query, got.Status, got.Header.Get("Location"))
		}
	}
}

func TestNobodyElseSignsOutAtTheProvider(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"},
		{"Origin", "https://evil.example"}} {
		if got := s.ask("POST", "/signout?at=provider",
			header...); got.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %s", header, got.Status)
		}
	}
	if s.post("/signout?at=provider"); len(s.demo.Requests(authserver.EndSession)) > 0 ||
		s.state().SignedIn {
		t.Error("the query decides, or nobody is signed out")
	}
	if got := s.leave(); got.Header.Get("Location") != "/" { // nobody is signed in any more
		t.Errorf("sign out: %s to %s", got.Status, got.Header.Get("Location"))
	}
}

func TestAProviderWithoutLogout(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Discovery, authserver.Drop("end_session_endpoint"))
	s.mustSignIn()
	page := s.get("/")
	if strings.Contains(page.body, "signout-provider") ||
		!strings.Contains(page.Header.Get("Content-Security-Policy"), "form-action 'self';") {
		t.Errorf("the page offers it: %s", page.Header.Get("Content-Security-Policy"))
	}
	if got := s.leave(); got.Header.Get("Location") != "/" || s.state().SignedIn {
		t.Errorf("sign out: %s to %s", got.Status, got.Header.Get("Location"))
	}
}

// TestAnEndpointEndsNoDirective: the host of the logout page is the provider's choice.
func TestAnEndpointEndsNoDirective(t *testing.T) {
	for _, host := range []string{"evil.example;script-src", "a,b", "*", "'self'"} {
		s := newSite(t, false)
		s.demo.SetFaults(authserver.Discovery, authserver.Set("end_session_endpoint",
			`"https://`+host+`/logout"`))
		s.mustSignIn()
		if policy := s.get("/").Header.Get("Content-Security-Policy"); !strings.Contains(policy,
			"form-action 'self'; ") {
			t.Errorf("%s: the policy is %s", host, policy)
		}
	}
}

func TestBackChannelLogout(t *testing.T) {
	for _, test := range []struct {
		name   string
		faults []authserver.Fault
		status int
		ended  bool
	}{
		{"the person", nil, 200, true},
		{"the session", []authserver.Fault{authserver.Drop("sub"), authserver.Set("sid", `"s1"`)},
			200, true},
		{"the session of the person", []authserver.Fault{authserver.Set("sid", `"s1"`)}, 200, true},
		{"another person", []authserver.Fault{authserver.Set("sub", `"bob"`)}, 200, false},
		{"another session", []authserver.Fault{authserver.Set("sid", `"s2"`)}, 200, false},
		{"this session of another person", []authserver.Fault{authserver.Set("sub", `"bob"`),
			authserver.Set("sid", `"s1"`)}, 200, false},
		{"a token by another key", []authserver.Fault{authserver.OtherKey()}, 400, false},
		{"a token for another app", []authserver.Fault{authserver.Set("aud", `"another"`)}, 400, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, false)
			s.demo.SetFaults(authserver.IDToken, authserver.Set("sid", `"s1"`))
			s.mustSignIn()
			old := s.session()
			got := s.backChannel("demo", s.demo.LogoutToken("authcode-try", "alice", test.faults...))
			if got.StatusCode != test.status || got.Header.Get("Cache-Control") != "no-store" {
				t.Fatalf("the app answers %s: %s", got.Status, got.body)
			}
			page := s.get("/").body
			if ended := strings.Contains(page, "your provider has ended the "+
				"session"); ended != test.ended || s.state().SignedIn == test.ended {
				t.Errorf("ended %v, signed in %v: %s", ended, s.state().SignedIn, page)
			}
			if test.ended && !strings.Contains(s.replay(old).body, `"signed_in":false`) {
				t.Error("the old cookie still works")
			}
		})
	}
}

func TestBackChannelLogoutEndsEverySession(t *testing.T) {
	s := newSite(t, false)
	first := s.browser
	s.mustSignIn()
	s.browser = newBrowser(t, first)
	s.mustSignIn()
	second := s.browser
	s.browser = newBrowser(t, first)
	s.demo.SetUser("bob")
	s.mustSignIn()
	if got := s.backChannel("demo", s.demo.LogoutToken("authcode-try",
		"alice")); got.StatusCode != http.StatusOK {
		t.Fatalf("the app answers %s", got.Status)
	}
	if !s.state().SignedIn {
		t.Error("bob is signed out")
	}
	for _, s.browser = range []*http.Client{first, second} {
		if got := s.get("/private"); got.StatusCode != http.StatusSeeOther ||
			s.post("/refresh").StatusCode != http.StatusUnauthorized {
			t.Errorf("alice is still signed in: %s", got.Status)
		}
		if s.mustSignIn(); !s.state().SignedIn { // the end of a session is not for ever
			t.Error("the next sign-in does not count")
		}
	}
}

func TestFrontChannelLogout(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.IDToken, authserver.Set("sid", `"s1"`))
	s.mustSignIn()
	framed := func(sid string, faults ...authserver.Fault) int {
		res, err := http.Get(s.demo.FrontChannelLogout(s.base+"/auth/demo/frontchannel-logout", sid,
			faults...))
		return read(t, res, err).StatusCode
	}
	if framed("s2") != 200 || framed("s1", authserver.Drop("sid")) != 400 ||
		framed("s1", authserver.Set("iss", "https://evil.example")) != 400 || !s.state().SignedIn {
		t.Error("the wrong session has ended, or a bad request was taken")
	}
	if framed("s1") != 200 || s.state().SignedIn {
		t.Error("the session has not ended")
	}
}

// TestPortal: a portal of the provider's starts a login, also with a form of its own site.
func TestPortal(t *testing.T) {
	s := newSite(t, false)
	iss := "iss=" + url.QueryEscape(s.demo.URL)
	req, err := http.NewRequest("POST", s.base+"/auth/demo/initiate",
		strings.NewReader(iss+"&login_hint=bob"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{"Origin": {s.demo.URL}, "Sec-Fetch-Site": {"cross-site"},
		"Sec-Fetch-Mode": {"navigate"},
		"Content-Type":   {"application/x-www-form-urlencoded"}}
	res, err := s.browser.Do(req)
	got := read(t, res, err)
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("the portal's POST: %s: %s", got.Status, got.body)
	}
	got = s.get("/auth/demo/initiate" + got.Header.Get("Location"))
	if to := got.Header.Get("Location"); got.StatusCode != http.StatusSeeOther ||
		!strings.HasPrefix(to, s.demo.URL+"/authorize?") || !strings.Contains(to, "login_hint=bob") {
		t.Errorf("the login: %s to %s", got.Status, to)
	}
	if got := s.get("/auth/demo/initiate?iss=https%3A%2F%2Fevil.example"); got.StatusCode != http.StatusBadRequest {
		t.Errorf("another issuer: %s", got.Status)
	}
}
