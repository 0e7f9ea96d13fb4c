package try

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// lines runs the program against server and returns its site and what it prints, a line each.
func lines(t *testing.T, args ...string) (s *site, next func() string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	reader, writer := io.Pipe()
	s = &site{T: t, log: new(logBuffer), browser: newBrowser(t, new(http.Client))}
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, append(args, "-addr", "127.0.0.1:0"), environment(nil), writer, s.log)
		writer.Close()
	}()
	t.Cleanup(func() { stop(); <-done })
	printed := make(chan string, 100)
	go func() {
		defer close(printed)
		for scanner := bufio.NewScanner(reader); scanner.Scan(); {
			printed <- scanner.Text()
		}
	}()
	return s, func() string {
		t.Helper()
		select {
		case line := <-printed:
			return line
		case <-time.After(10 * time.Second):
			t.Fatalf("nothing more is printed; log: %s", s.log)
			return ""
		}
	}
}

// TestPrintedForPeople: where the app is, what to register, and who signs in.
func TestPrintedForPeople(t *testing.T) {
	server := authserver.NewServer(authserver.Algorithm("RS256"), authserver.Users(authserver.User{Subject: "o\"brien"}))
	defer server.Close()
	s, line := lines(t, "-issuer", server.URL, "-client-id", "me")
	s.base = strings.TrimPrefix(line(), "open ")
	want := "register this redirect URI at " + strings.TrimPrefix(server.URL, "http://") + ": " +
		s.base + "/auth/provider/callback"
	if got := line(); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	if got := line(); !strings.HasPrefix(got, "note: the cookie key is random") {
		t.Errorf("printed %q", got)
	}
	server.Register(authserver.ClientRegistration{ID: "me", AuthMethod: authserver.None,
		RedirectURIs: []string{s.base + "/auth/provider/callback"}})
	s.demo = server
	s.signIn("/auth/provider")
	if got, want := line(), `signed in with provider: "o\"brien" at "`+server.URL+`"`; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
	s.post("/signout")
	if got := line(); got != "signed out of provider" {
		t.Errorf("printed %q", got)
	}
}

// TestPrintedTextsAreQuoted: a provider chooses who somebody is.
func TestPrintedTextsAreQuoted(t *testing.T) {
	var out strings.Builder
	o := &output{w: &out}
	o.say(event{Event: "signed_in", Provider: "p",
		signedIn: &signedIn{Issuer: "https://op.example/\u202e", Subject: "\x1b[2J\n"}})
	if got := out.String(); got != `signed in with p: "\x1b[2J\n" at "https://op.example/\u202e"`+"\n" {
		t.Errorf("printed %q", got)
	}
}

// parsed reads a line, which has to be about event.
func parsed(t *testing.T, line, event string) map[string]any {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil || got["event"] != event {
		t.Fatalf("printed %v, error %v, want %s", got, err, event)
	}
	return got
}

// TestPrintedAsJSON: every line is an object, of the log too.
func TestPrintedAsJSON(t *testing.T) {
	server := authserver.NewServer(authserver.Algorithm("RS256"))
	defer server.Close()
	s, line := lines(t, "-json", "-issuer", server.URL, "-client-id", "me")
	next := func(event string) map[string]any { t.Helper(); return parsed(t, line(), event) }
	s.base, _ = next("listening")["url"].(string)
	register := next("register")
	if register["redirect_uri"] != s.base+"/auth/provider/callback" ||
		register["post_logout_redirect_uri"] != s.base+"/auth/provider/signed-out" {
		t.Errorf("to register: %v", register)
	}
	next("note")
	s.demo = server
	server.Register(authserver.ClientRegistration{ID: "me", AuthMethod: authserver.None,
		RedirectURIs: []string{s.base + "/auth/provider/callback"}})
	server.SetConsent(authserver.Deny)
	s.signIn("/auth/provider")
	said, _ := next("failed")["provider_said"].(map[string]any)
	if said["error"] != "access_denied" {
		t.Errorf("the provider said %v", said)
	}
	var logged map[string]any
	if err := json.Unmarshal([]byte(s.log.String()), &logged); err != nil ||
		logged["provider_error"] != "access_denied" {
		t.Errorf("log %s: %v", s.log, err)
	}
	server.SetConsent(authserver.Approve)
	s.signIn("/auth/provider")
	if got := next("signed_in"); got["subject"] != "alice" || got["issuer"] != server.URL ||
		len(got["protections"].([]any)) < 5 {
		t.Errorf("signed in: %v", got)
	}
	for _, secret := range server.Issued() {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q is logged", secret)
		}
	}
}

// TestAFailureIsExplained: on the page, as JSON and in the log, with the provider's own
// words, marked as its own.
func TestAFailureIsExplained(t *testing.T) {
	const evil = "<b>call \x1b[31m 555"
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Token, authserver.Error(401, "invalid_client", evil))
	got := s.signIn("/auth/demo")
	if got.StatusCode != http.StatusInternalServerError ||
		got.Header.Get("Referrer-Policy") != "no-referrer" ||
		got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %v", got.Status, got.Header)
	}
	for id, want := range map[string]string{
		"said-error": "invalid_client", "said-description": "&lt;b&gt;call",
		"hint":   "check -client-id and -client-secret",
		"reason": "configuration", "check": "answer.", "said-title": "In the provider’s own words",
	} {
		if text := element(t, got.body, id); !strings.Contains(text, want) {
			t.Errorf("#%s is %q, want %q in it", id, text, want)
		}
	}
	if !strings.Contains(got.body, `id="login" href="/auth/demo"`) ||
		!strings.Contains(got.body, `href="/style.css"`) || strings.Contains(got.body, "<b>") {
		t.Errorf("the page is %s", got.body)
	}
	log := s.log.String()
	for _, want := range []string{"provider_error=invalid_client", `provider_description="<b>call `,
		`hint="the provider does not recognize this app`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q: %s", want, log)
		}
	}
	if strings.Contains(log, "\x1b") || strings.Count(log, "\n") != 1 {
		t.Errorf("the log is %q", log)
	}
}

// TestAFailureAsJSON has what package authcode's own page has, and more.
func TestAFailureAsJSON(t *testing.T) {
	s := newSite(t, false)
	got := s.ask("GET", "/auth/demo/callback?code=x&state=y", "Accept", "application/json")
	var members map[string]string
	if err := json.Unmarshal([]byte(got.body), &members); err != nil ||
		got.StatusCode != http.StatusBadRequest {
		t.Fatalf("%s: %v: %s", got.Status, err, got.body)
	}
	for _, name := range []string{"title", "message", "error", "check", "login_url", "detail"} {
		if members[name] == "" {
			t.Errorf("%s is missing: %s", name, got.body)
		}
	}
	if !strings.Contains(got.Header.Get("Vary"), "Accept") {
		t.Errorf("Vary is %q", got.Header.Get("Vary"))
	}
}

// TestABusyProvider: how long to wait is passed on.
func TestABusyProvider(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.Token, authserver.Busy(503, "7"))
	if got := s.signIn("/auth/demo"); got.StatusCode != http.StatusServiceUnavailable ||
		got.Header.Get("Retry-After") != "7" {
		t.Errorf("%s, Retry-After %q", got.Status, got.Header.Get("Retry-After"))
	}
}
