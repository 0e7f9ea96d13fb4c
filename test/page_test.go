package test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// reasons is the table of reasons and their statuses that the documentation
// promises.
var reasons = map[authcode.Reason]int{
	authcode.Prefetch:            204,
	authcode.Malformed:           400,
	authcode.Forged:              400,
	authcode.NoLogin:             400,
	authcode.Expired:             400,
	authcode.GrantRejected:       400,
	authcode.Denied:              403,
	authcode.NotAdmitted:         403,
	authcode.InteractionRequired: 403,
	authcode.NotNavigation:       403,
	authcode.NotFound:            404,
	authcode.WrongMethod:         405,
	authcode.AlreadyUsed:         409,
	authcode.Canceled:            499,
	authcode.Configuration:       500,
	authcode.BadAnswer:           502,
	authcode.Unreachable:         502,
	authcode.IdentityRefused:     502,
	authcode.Overloaded:          503,
	authcode.Timeout:             504,
}

// errorPage is the page of err for a request that has canaries in all its
// parts.
func errorPage(err error, accept ...string) *httptest.ResponseRecorder {
	r := world.Get("https://app.example/cb?code=canary-code&state=canary-state&error=canary-error")
	r.Header["Accept"] = accept
	r.Header.Set("Cookie", "login=canary-cookie")
	rec := httptest.NewRecorder()
	authcode.ErrorPage(rec, r, err)
	return rec
}

// browserAccept is what Chromium sends.
const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

func TestReasons(t *testing.T) {
	titles := make(map[string]bool)
	for reason, status := range reasons {
		t.Run(string(reason), func(t *testing.T) {
			if got := reason.Status(); got != status {
				t.Errorf("the status is %d, want %d", got, status)
			}
			if got := reason.Error(); got != "authcode: "+string(reason) {
				t.Errorf("the text is %q", got)
			}
			e := &authcode.Error{
				Reason: reason, Check: "some.check", Provider: "x", LoginURL: "/login",
			}
			if !errors.Is(e, reason) || errors.Is(e, authcode.Reason("other")) {
				t.Error("errors.Is does not find the reason, or finds another")
			}
			if reason != authcode.Prefetch {
				titles[titleOf(t, e, status)] = true
			}
		})
	}
	if len(titles) < 12 {
		t.Errorf("only %d different titles: %v", len(titles), titles)
	}
	if got := authcode.Reason("unknown").Status(); got != 500 {
		t.Errorf("an unknown reason has status %d", got)
	}
	rec := errorPage(&authcode.Error{Reason: authcode.Prefetch}, browserAccept)
	if rec.Body.Len() > 0 || len(rec.Header()) > 0 {
		t.Error("ErrorPage wrote something for a prefetch")
	}
}

// titleOf checks the page of e, and returns its title.
func titleOf(t *testing.T, e *authcode.Error, status int) string {
	t.Helper()
	rec := errorPage(e, browserAccept)
	if rec.Code != status {
		t.Errorf("the page has status %d, want %d", rec.Code, status)
	}
	p := parsePage(t, rec.Body.String())
	if p.title == "" || p.title != p.heading || len(p.text) < 30 {
		t.Errorf("title %q, heading %q, text %q", p.title, p.heading, p.text)
	}
	for _, word := range []string{string(e.Reason), e.Check, e.Provider + ", "} {
		if !strings.Contains(p.small, word) {
			t.Errorf("%q does not mention %q", p.small, word)
		}
	}
	return p.title
}

func TestErrorPageHeaders(t *testing.T) {
	rec := errorPage(&authcode.Error{Reason: authcode.Denied}, browserAccept)
	h := rec.Header()
	world.WantHeaders(t, h, "no-referrer")
	if got := h.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	if got := h.Get("Vary"); got != "Accept" {
		t.Errorf("Vary is %q", got)
	}
	sum := sha256.Sum256([]byte(parsePage(t, rec.Body.String()).style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := h.Get("Content-Security-Policy"); got != want {
		t.Errorf("Content-Security-Policy is %q, want %q", got, want)
	}
	if strings.Contains(rec.Body.String(), "url(") ||
		strings.Contains(rec.Body.String(), "@import") {
		t.Error("the style loads something")
	}
	rec = httptest.NewRecorder()
	rec.Header().Set("Vary", "Cookie")
	authcode.ErrorPage(rec, world.Get("/"), &authcode.Error{Reason: authcode.Denied})
	if got := rec.Header().Values("Vary"); !slices.Equal(got, []string{"Cookie", "Accept"}) {
		t.Errorf("Vary is %q: the app's own is lost", got)
	}
}

// links are URLs of an Error, and what becomes of them on its page; an empty
// one is not shown.
var links = []struct{ claim, login, next, wantLogin, wantNext string }{
	{"none are given", "", "", "", ""},
	{"both are shown", "/login?a=1&b=2", "/home", "/login?a=1&b=2", "/home"},
	{"other sites may be linked", "https://www.example/login", "http://www.example/",
		"https://www.example/login", "http://www.example/"},
	{"a script is not", "javascript:alert(1)", "JavaScript:alert(1)", "", ""},
	{"data is not", "data:text/html,x", " /home", "", ""},
	{"a host in disguise is not", "//evil.example/", `/\evil.example/`, "", ""},
	{"a password is not", "https://app.example@evil.example/", "", "", ""},
	{"a quote stays inside the link", `/a"><script>`, "", "/a%22%3e%3cscript%3e", ""},
	{"so does a quote in a host", `https://a"onclick="x`, "https://a'b/",
		"https://a%22onclick=%22x", "https://a%27b/"},
	{"a backslash does not become a slash", `/a\b`, "/é ü`{text}",
		"/a%5cb", "/%c3%a9%20%c3%bc%60%7btext%7d"},
	{"what is escaped already stays so", "/a%22b", "/?a=%26&b=&quot;",
		"/a%22b", "/?a=%26&b=&quot;"},
}

func TestErrorPageLinks(t *testing.T) {
	for _, row := range links {
		t.Run(row.claim, func(t *testing.T) {
			got := parsePage(t, errorPage(&authcode.Error{
				Reason: authcode.AlreadyUsed, LoginURL: row.login, ContinueURL: row.next,
			}, browserAccept).Body.String()).links
			want := make(map[string]string)
			if row.wantLogin != "" {
				want["login"] = row.wantLogin
			}
			if row.wantNext != "" {
				want["continue"] = row.wantNext
			}
			if !maps.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

const again, site = "/login Start again", "/home Back to the site"

// ways are errors, and the links of their pages in their order.
var ways = []struct {
	claim       string
	reason      authcode.Reason
	continueURL string
	want        []string
}{
	{"after a finished login the person continues", authcode.AlreadyUsed, "/home",
		[]string{"/home Continue", again}},
	{"after a failed one the person starts again", authcode.AlreadyUsed, "", []string{again}},
	{"a person who said no can go back", authcode.Denied, "/home", []string{again, site}},
	{"but not to the page that asks again", authcode.Denied, "/login", []string{again}},
	{"nobody continues who is not signed in", authcode.Timeout, "/home", []string{again, site}},
}

var linkTag = regexp.MustCompile(`<a [^>]*href="([^"]*)"[^>]*>([^<]*)</a>`)

// TestErrorPageWays: which links a page has, what they say, and which one comes
// first.
func TestErrorPageWays(t *testing.T) {
	for _, row := range ways {
		page := errorPage(&authcode.Error{
			Reason: row.reason, LoginURL: "/login", ContinueURL: row.continueURL,
		}).Body.String()
		parsePage(t, page)
		var got []string
		for _, a := range linkTag.FindAllStringSubmatch(page, -1) {
			got = append(got, a[1]+" "+a[2])
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.claim, got, row.want)
		}
	}
}

// TestErrorPageWords: cases that share a reason and differ for the person have
// words of their own.
func TestErrorPageWords(t *testing.T) {
	seen := make(map[string]string)
	for claim, e := range map[string]*authcode.Error{
		"finished":        {Reason: authcode.AlreadyUsed, Check: "state.used", ContinueURL: "/"},
		"running":         {Reason: authcode.AlreadyUsed, Check: "state.running"},
		"failed":          {Reason: authcode.AlreadyUsed, Check: "state.failed"},
		"another host":    {Reason: authcode.NoLogin, Check: "cookie.host"},
		"another browser": {Reason: authcode.NoLogin, Check: "cookie"},
		"another service": {Reason: authcode.Forged, Check: "iss"},
		"another state":   {Reason: authcode.Forged, Check: "state.tag"},
	} {
		title := parsePage(t, errorPage(e).Body.String()).title
		if other := seen[title]; other != "" {
			t.Errorf("%s and %s have the same title %q", claim, other, title)
		}
		seen[title] = claim
	}
	for _, check := range []string{"iss", "iss.missing", "iss.origin"} {
		title := parsePage(t,
			errorPage(&authcode.Error{Reason: authcode.Forged, Check: check}).Body.String()).title
		if seen[title] != "another service" {
			t.Errorf("%s has the title %q", check, title)
		}
	}
}

// TestErrorPageEchoesNothing: neither the request nor the provider's words get
// onto the page.
func TestErrorPageEchoesNothing(t *testing.T) {
	for reason := range reasons {
		e := &authcode.Error{
			Reason: reason, ServerError: "canary-server", ServerDescription: "canary-server",
		}
		for _, accept := range []string{browserAccept, "application/json", "canary/accept"} {
			rec := errorPage(e, accept)
			all := rec.Body.String() + headerText(rec.Header())
			if strings.Contains(all, "canary") {
				t.Errorf("%s as %s echoes: %s", reason, accept, all)
			}
		}
	}
	// An app's own Error may hold anything: it is escaped.
	rec := errorPage(&authcode.Error{Reason: "<b>", Check: "<script>", Provider: `"><img>`},
		browserAccept)
	parsePage(t, rec.Body.String())
	if rec.Code != 500 || regexp.MustCompile(`<b>|<script|<img`).MatchString(rec.Body.String()) {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	rec = errorPage(&authcode.Error{Reason: "{links}", Check: "{text}", Provider: "{title}",
		LoginURL: "/{help}"}, browserAccept)
	p := parsePage(t, rec.Body.String())
	if !strings.HasSuffix(p.small, "{title}, {links}, {text}") || len(p.links) != 1 {
		t.Errorf("a value was filled in once more: %s", rec.Body)
	}
	if rec := errorPage(nil, browserAccept); rec.Code != 500 {
		t.Errorf("no error at all has status %d", rec.Code)
	}
}

func headerText(h http.Header) string {
	var b strings.Builder
	h.Write(&b)
	return b.String()
}
