package try

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
)

func TestMain(m *testing.M) { testmain.Run(m) }

func TestSignedInPage(t *testing.T) {
	s := newSite(t, false)
	home := s.get("/")
	if !strings.Contains(home.body, `id="login-demo" href="/auth/demo"`) || s.state().SignedIn {
		t.Fatalf("start page: %s", home.body)
	}
	if got := s.signIn("/auth/demo?next=/private%3Fa%3D1%26b%3D%2525"); got.Header.Get("Location") != "/private?a=1&b=%25" {
		t.Errorf("after the login: %s to %q", got.Status, got.Header.Get("Location"))
	}
	page := s.get("/")
	for id, want := range map[string]string{
		"who": "Alice Example", "scopes": "openid", "token-type": "Bearer", "provider": "demo",
		"expiry": "in 60 minutes", "refresh": "Refresh token", "signout": "Sign out",
		"api-title": "API call",
	} {
		if got := element(t, page.body, id); !strings.Contains(got, want) {
			t.Errorf("#%s is %q, want %q in it", id, got, want)
		}
	}
	if !strings.Contains(page.body, "alice@example.com") || !strings.Contains(page.body, "200 OK") {
		t.Errorf("no API answer on %s", page.body)
	}
	st := s.state()
	if !st.SignedIn || st.Provider != "demo" || strings.Join(st.Scopes, " ") != "openid profile "+
		"email" ||
		st.Expiry.IsZero() || st.TokenType != "Bearer" || !st.Refreshable ||
		st.User["sub"] != "alice" ||
		st.API != "200 OK" || st.Logins[0].URL != "/auth/demo" {
		t.Errorf("state is %+v", st)
	}
}

func TestNoTokenIsEverShown(t *testing.T) {
	s := newSite(t, false)
	s.mustSignIn()
	shown := s.get("/").body + s.ask("GET", "/", "Accept", "application/json").body +
		s.get("/private").body
	refreshed, gone := s.post("/refresh"), s.post("/signout")
	shown += refreshed.body + s.get("/").body + gone.body + s.log.String()
	issued := s.demo.Issued()
	if len(issued) < 5 {
		t.Fatalf("only %d secrets were issued", len(issued))
	}
	for _, secret := range issued {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t, false)
	for _, path := range []string{"/", "/nothing", "/private"} {
		got := s.get(path)
		if path == "/private" {
			s.mustSignIn()
			got = s.get(path)
		}
		policy := got.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script-src") ||
			!strings.Contains(policy, "frame-ancestors 'none'") ||
			strings.Contains(got.body, "<script") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Frame-Options": "DENY",
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Header.Get(name), want)
			}
		}
	}
	if got := s.get("/style.css"); got.StatusCode != http.StatusOK ||
		!strings.HasPrefix(got.Header.Get("Content-Type"), "text/css") {
		t.Errorf("style sheet: %s, %s", got.Status, got.Header.Get("Content-Type"))
	}
}

func TestDeniedLogin(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetConsent(authserver.Deny)
	got := s.signIn("/auth/demo")
	if got.StatusCode != http.StatusForbidden || !strings.Contains(got.body, `href="/auth/demo"`) {
		t.Errorf("denied: %s: %s", got.Status, got.body)
	}
	if s.state().SignedIn {
		t.Error("signed in all the same")
	}
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	if len(lines) != 1 {
		t.Fatalf("the log has %d lines, want 1: %s", len(lines), s.log)
	}
	for _, want := range []string{"level=WARN", `msg="login failed"`, " reason=denied ", " check=",
		" provider=demo "} {
		if !strings.Contains(lines[0], want) {
			t.Errorf("the log line lacks %q: %s", want, lines[0])
		}
	}
}

func TestReturnPathStaysHere(t *testing.T) {
	for _, test := range []struct{ next, want string }{
		{"/private?x=%20y#z", "/private?x=%20y#z"},
		{"//evil.example", "/"}, {`/\evil.example`, "/"}, {"https://evil.example/", "/"},
		{"javascript:alert(1)", "/"}, {"private", "/"}, {"", "/"},
	} {
		s := newSite(t, false)
		got := s.signIn("/auth/demo?next=" + url.QueryEscape(test.next))
		if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != test.want {
			t.Errorf("next %q: %s to %q, want %q", test.next, got.Status,
				got.Header.Get("Location"), test.want)
		}
	}
}

func TestPrivatePage(t *testing.T) {
	s := newSite(t, false)
	got := s.get("/private?a=1&b=%26")
	login := got.Header.Get("Location")
	if got.StatusCode != http.StatusSeeOther ||
		login != "/auth/demo?next=%2Fprivate%3Fa%3D1%26b%3D%2526" {
		t.Fatalf("before the login: %s to %q", got.Status, login)
	}
	if got := s.ask("GET", "/private", "Accept",
		"application/json"); got.StatusCode != http.StatusUnauthorized ||
		!strings.Contains(got.body, `"/auth/demo?next=%2Fprivate"`) {
		t.Errorf("before the login, as JSON: %s: %s", got.Status, got.body)
	}
	back := s.signIn(login).Header.Get("Location")
	if page := s.get(back); element(t, page.body, "private") != "/private?a=1&amp;b=%26" {
		t.Errorf("after the login: %q shows %s", back, page.body)
	}
}

func TestWhatTheProviderSaysIsEscaped(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.UserInfo, authserver.Set("name", `"<script>alert(1)</script>"`))
	s.mustSignIn()
	if page := s.get("/").body; strings.Contains(page, "<script") ||
		!strings.Contains(page, "&lt;script&gt;") {
		t.Errorf("not escaped: %s", page)
	}
}
