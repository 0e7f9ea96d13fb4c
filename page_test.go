package authcode_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

// hReasons is the table of reasons and their statuses that the documentation promises.
var hReasons = map[authcode.Reason]int{
	authcode.Prefetch: 204, authcode.Malformed: 400, authcode.Forged: 400, authcode.NoLogin: 400, authcode.Expired: 400,
	authcode.GrantRejected: 400, authcode.Denied: 403, authcode.NotAdmitted: 403, authcode.InteractionRequired: 403,
	authcode.NotNavigation: 403, authcode.WrongMethod: 405, authcode.AlreadyUsed: 409, authcode.Canceled: 499,
	authcode.Configuration: 500, authcode.BadAnswer: 502, authcode.Unreachable: 502, authcode.IdentityRefused: 502,
	authcode.Overloaded: 503, authcode.Timeout: 504,
}

func hPage(err error, accept ...string) *httptest.ResponseRecorder {
	r := hGet("https://app.example/cb?code=canary-code&state=canary-state&error=canary-error")
	r.Header["Accept"] = accept
	r.Header.Set("Cookie", "login=canary-cookie")
	rec := httptest.NewRecorder()
	authcode.ErrorPage(rec, r, err)
	return rec
}

// hBrowserAccept is what Chromium sends.
const hBrowserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

func TestReasons(t *testing.T) {
	titles := make(map[string]bool)
	for reason, status := range hReasons {
		t.Run(string(reason), func(t *testing.T) {
			if got := reason.Status(); got != status {
				t.Errorf("the status is %d, want %d", got, status)
			}
			if got := reason.Error(); got != "authcode: "+string(reason) {
				t.Errorf("the text is %q", got)
			}
			e := &authcode.Error{Reason: reason, Check: "some.check", Provider: "x", LoginURL: "/login"}
			if !errors.Is(e, reason) || errors.Is(e, authcode.Reason("other")) {
				t.Error("errors.Is tells it wrong")
			}
			rec := hPage(e, hBrowserAccept)
			if rec.Code != status && reason != authcode.Prefetch {
				t.Errorf("the page has status %d, want %d", rec.Code, status)
			}
			if reason == authcode.Prefetch {
				if rec.Body.Len() > 0 || len(rec.Header()) > 0 {
					t.Error("ErrorPage wrote something for a prefetch")
				}
				return
			}
			p := hParse(t, rec.Body.String())
			if p.title == "" || p.title != p.heading || len(p.text) < 30 {
				t.Errorf("title %q, heading %q, text %q", p.title, p.heading, p.text)
			}
			titles[p.title] = true
			for _, word := range []string{string(reason), "some.check", "x, "} {
				if !strings.Contains(p.small, word) {
					t.Errorf("%q does not mention %q", p.small, word)
				}
			}
		})
	}
	if len(titles) < 12 {
		t.Errorf("only %d different titles: %v", len(titles), titles)
	}
	if got := authcode.Reason("unknown").Status(); got != 500 {
		t.Errorf("an unknown reason has status %d", got)
	}
}

// hHTML is what a page says.
type hHTML struct {
	title, heading, text, small, style string
	links                              map[string]string // by id
}

// hParse reads a page and checks that its elements are balanced and none of them active.
func hParse(t *testing.T, page string) *hHTML {
	t.Helper()
	if !strings.HasPrefix(page, "<!DOCTYPE html>\n<html lang=\"en\">") {
		t.Errorf("the page begins %q", page[:min(40, len(page))])
	}
	p := &hHTML{links: make(map[string]string)}
	into := map[string]*string{"title": &p.title, "h1": &p.heading, "p": &p.text, "small": &p.small, "style": &p.style}
	welcome := []string{"html", "head", "meta", "title", "style", "body", "main", "h1", "p", "nav", "a", "small"}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, page)
		}
		switch e := token.(type) {
		case xml.StartElement:
			if !slices.Contains(welcome, e.Name.Local) {
				t.Errorf("the page has a <%s>", e.Name.Local)
			}
			attrs := make(map[string]string)
			for _, a := range e.Attr {
				if attrs[a.Name.Local] = a.Value; strings.HasPrefix(a.Name.Local, "on") || slices.Contains([]string{"src", "style", "action"}, a.Name.Local) {
					t.Errorf("<%s> has %s", e.Name.Local, a.Name.Local)
				}
			}
			if e.Name.Local == "a" {
				p.links[attrs["id"]] = attrs["href"]
			}
			if e.Name.Local != "meta" {
				open = append(open, e.Name.Local)
			}
		case xml.EndElement:
			if len(open) == 0 || open[len(open)-1] != e.Name.Local {
				t.Fatalf("</%s> closes %v", e.Name.Local, open)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && into[open[len(open)-1]] != nil {
				*into[open[len(open)-1]] += string(e)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%v stay open", open)
	}
	return p
}

func TestErrorPageHeaders(t *testing.T) {
	rec := hPage(&authcode.Error{Reason: authcode.Denied}, hBrowserAccept)
	h := rec.Header()
	hWantHeaders(t, h, "no-referrer")
	if got := h.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type is %q", got)
	}
	if got := h.Get("Vary"); got != "Accept" {
		t.Errorf("Vary is %q", got)
	}
	sum := sha256.Sum256([]byte(hParse(t, rec.Body.String()).style))
	want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	if got := h.Get("Content-Security-Policy"); got != want {
		t.Errorf("Content-Security-Policy is %q, want %q", got, want)
	}
	if strings.Contains(rec.Body.String(), "url(") || strings.Contains(rec.Body.String(), "@import") {
		t.Error("the style loads something")
	}
	rec = httptest.NewRecorder()
	rec.Header().Set("Vary", "Cookie")
	authcode.ErrorPage(rec, hGet("/"), &authcode.Error{Reason: authcode.Denied})
	if got := rec.Header().Values("Vary"); !slices.Equal(got, []string{"Cookie", "Accept"}) {
		t.Errorf("Vary is %q: the app's own is lost", got)
	}
}

func TestErrorPageLinks(t *testing.T) {
	rows := []struct {
		claim, login, next string
		want               map[string]string
	}{
		{"none are given", "", "", map[string]string{}},
		{"both are shown", "/login?a=1&b=2", "/home", map[string]string{"login": "/login?a=1&b=2", "continue": "/home"}},
		{"other sites may be linked", "https://www.example/login", "http://www.example/", map[string]string{"login": "https://www.example/login", "continue": "http://www.example/"}},
		{"a script is not", "javascript:alert(1)", "JavaScript:alert(1)", map[string]string{}},
		{"data is not", "data:text/html,x", " /home", map[string]string{}},
		{"a host in disguise is not", "//evil.example/", `/\evil.example/`, map[string]string{}},
		{"a password is not", "https://app.example@evil.example/", "", map[string]string{}},
		{"a quote stays inside the link", `/a"><script>`, "", map[string]string{"login": "/a%22%3e%3cscript%3e"}},
		{"so does a quote in a host", `https://a"onclick="x`, "https://a'b/", map[string]string{"login": "https://a%22onclick=%22x", "continue": "https://a%27b/"}},
		{"a backslash stays no slash", `/a\b`, "/é ü`{text}", map[string]string{"login": "/a%5cb", "continue": "/%c3%a9%20%c3%bc%60%7btext%7d"}},
		{"what is escaped already stays so", "/a%22b", "/?a=%26&b=&quot;", map[string]string{"login": "/a%22b", "continue": "/?a=%26&b=&quot;"}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			e := &authcode.Error{Reason: authcode.AlreadyUsed, LoginURL: row.login, ContinueURL: row.next}
			got := hParse(t, hPage(e, hBrowserAccept).Body.String()).links
			if len(got) != len(row.want) || got["login"] != row.want["login"] || got["continue"] != row.want["continue"] {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestErrorPageWays: which links a page has, what they say, and which one comes first.
func TestErrorPageWays(t *testing.T) {
	again, site := "/login Start again", "/home Back to the site"
	for _, row := range []struct {
		claim string
		e     authcode.Error
		want  []string
	}{
		{"after a finished login the person continues", authcode.Error{Reason: authcode.AlreadyUsed, ContinueURL: "/home"}, []string{"/home Continue", again}},
		{"after a failed one the person starts again", authcode.Error{Reason: authcode.AlreadyUsed}, []string{again}},
		{"whoever said no can go back", authcode.Error{Reason: authcode.Denied, ContinueURL: "/home"}, []string{again, site}},
		{"but not to the page that asks again", authcode.Error{Reason: authcode.Denied, ContinueURL: "/login"}, []string{again}},
		{"nobody continues who is not signed in", authcode.Error{Reason: authcode.Timeout, ContinueURL: "/home"}, []string{again, site}},
	} {
		row.e.LoginURL = "/login"
		var got []string
		page := hPage(&row.e).Body.String()
		for _, a := range regexp.MustCompile(`<a [^>]*href="([^"]*)"[^>]*>([^<]*)</a>`).FindAllStringSubmatch(page, -1) {
			got = append(got, a[1]+" "+a[2])
		}
		if hParse(t, page); !slices.Equal(got, row.want) {
			t.Errorf("%s: got %q, want %q", row.claim, got, row.want)
		}
	}
}

// TestErrorPageWords: cases that share a reason and differ for the person have words of their own.
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
		title := hParse(t, hPage(e).Body.String()).title
		if other := seen[title]; other != "" {
			t.Errorf("%s and %s have the same title %q", claim, other, title)
		}
		seen[title] = claim
	}
	for _, check := range []string{"iss", "iss.missing"} {
		title := hParse(t, hPage(&authcode.Error{Reason: authcode.Forged, Check: check}).Body.String()).title
		if seen[title] != "another service" {
			t.Errorf("%s has the title %q", check, title)
		}
	}
}

// TestErrorPageEchoesNothing: neither the request nor the provider's words get onto the page.
func TestErrorPageEchoesNothing(t *testing.T) {
	for reason := range hReasons {
		e := &authcode.Error{
			Reason: reason, ServerError: "canary-server", ServerDescription: "canary-server",
		}
		for _, accept := range []string{hBrowserAccept, "application/json", "canary/accept"} {
			rec := hPage(e, accept)
			if all := rec.Body.String() + hHeaderText(rec.Header()); strings.Contains(all, "canary") {
				t.Errorf("%s as %s echoes: %s", reason, accept, all)
			}
		}
	}
	// An app's own Error may hold anything: it is escaped.
	rec := hPage(&authcode.Error{Reason: "<b>", Check: "<script>", Provider: `"><img>`}, hBrowserAccept)
	if hParse(t, rec.Body.String()); rec.Code != 500 || regexp.MustCompile(`<b>|<script|<img`).MatchString(rec.Body.String()) {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	rec = hPage(&authcode.Error{Reason: "{links}", Check: "{text}", Provider: "{title}", LoginURL: "/{help}"}, hBrowserAccept)
	if p := hParse(t, rec.Body.String()); !strings.HasSuffix(p.small, "{title}, {links}, {text}") || len(p.links) != 1 {
		t.Errorf("a value was filled in once more: %s", rec.Body)
	}
	if rec := hPage(nil, hBrowserAccept); rec.Code != 500 {
		t.Errorf("no error at all has status %d", rec.Code)
	}
}

func hHeaderText(h http.Header) string {
	var b strings.Builder
	h.Write(&b)
	return b.String()
}
