package test

import (
	"crypto/sha256"
	"encoding/base64"
	unescape "html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)

// TestLongAnswerComesBackByForm: what does not fit into a cookie is posted again
// by a page of the app's own origin.
func TestLongAnswerComesBackByForm(t *testing.T) {
	w, b, values := formWorld(t)
	w.Quiet() // the page is where the protocol puts code and state
	values.Set("user", `{"name":"<b>&\"'`+strings.Repeat("n", 4000)+`"}`)
	callback, pending := w.App.URL+"/callback", b.LoginCookies()[0]
	page := crossPost(w, b, callback, values.Encode(), pending)
	w.WantStatus(page, http.StatusOK)
	w.WantTokenRequests(0)
	world.WantHeaders(t, page.Header, "same-origin")
	if len(page.Cookies()) > 0 || len(w.Logins())+len(w.Errors()) > 0 {
		t.Errorf("the page set %v", page.Cookies())
	}
	wantPagePolicy(t, page)
	_, action, _ := strings.Cut(page.Text, `action="`)
	action, _, _ = strings.Cut(action, `"`)
	if !strings.HasPrefix(action, "?login=") || !strings.Contains(page.Text, "<button") {
		t.Fatalf("the form leads to %q: %s", action, page.Text)
	}
	form := url.Values{}
	for _, field := range hiddenInput.FindAllStringSubmatch(page.Text, -1) {
		form.Set(unescape.UnescapeString(field[1]), unescape.UnescapeString(field[2]))
	}
	if form.Encode() != values.Encode() {
		t.Errorf("the form has %v", form)
	}
	// Another site may post to this address, too. It does not finish the login.
	w.WantStatus(crossPost(w, b, callback+action, form.Encode(), pending), http.StatusOK)
	w.WantTokenRequests(0)
	w.WantStatus(b.Do(b.Request("POST", callback+action, form.Encode(), "Content-Type", formType,
		"Sec-Fetch-Site", "same-origin", "Origin", w.App.URL)), http.StatusSeeOther)
	w.WantTokenRequests(1)
	if len(b.LoginCookies()) > 0 {
		t.Error("the login cookie is still there")
	}
}

// wantPagePolicy checks that the page's style and script may run, and nothing
// else.
func wantPagePolicy(t *testing.T, page *world.Response) {
	t.Helper()
	policy := page.Header.Get("Content-Security-Policy")
	for _, element := range []string{"style", "script"} {
		_, text, _ := strings.Cut(page.Text, "<"+element+">")
		text, _, ok := strings.Cut(text, "</"+element+">")
		sum := sha256.Sum256([]byte(text))
		if !ok || !strings.Contains(policy, element+"-src 'sha256-"+
			base64.StdEncoding.EncodeToString(sum[:])+"';") {
			t.Errorf("%s is not allowed by %q", element, policy)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none'; ") ||
		!strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy is %q", policy)
	}
}

// TestFormPostRefusals: a refusal reaches the app by the finishing request, and
// a forged answer harms no pending login.
func TestFormPostRefusals(t *testing.T) {
	w, b, values := formWorld(t)
	callback := w.App.URL + "/callback"
	forged := url.Values{"code": {"x"}, "state": values["state"], "iss": {"https://evil.example"}}
	w.WantFailure(crossPost(w, b, callback, forged.Encode(), b.LoginCookies()[0]),
		authcode.Forged, "iss")
	denied := url.Values{"error": {"access_denied"}, "state": values["state"],
		"iss": values["iss"]}
	target := finishing(w, crossPost(w, b, callback, denied.Encode(), b.LoginCookies()[0]))
	if len(w.Errors()) != 1 {
		t.Error("the POST of a refusal reached the app")
	}
	w.WantFailure(b.Get(target), authcode.Denied, "authorization.error")
	w.WantTokenRequests(0)
	if len(b.LoginCookies()) > 0 {
		t.Error("the login cookie is still there")
	}
}

// TestFormPostBehindCrossOriginProtection: the protection needs its bypass for
// the POST alone, and Mount serves both methods.
func TestFormPostBehindCrossOriginProtection(t *testing.T) {
	w, b, values := formWorld(t)
	mux := http.NewServeMux()
	w.Client.Mount(mux, http.HandlerFunc(w.Welcome))
	guard := http.NewCrossOriginProtection()
	guard.AddInsecureBypassPattern("POST /callback")
	w.Serve(guard.Handler(mux))
	target := finishing(w, crossPost(w, b, w.App.URL+"/callback", values.Encode(),
		b.LoginCookies()[0]))
	w.WantStatus(b.Get(target, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"),
		http.StatusSeeOther)
	w.WantTokenRequests(1)
}

// TestFormPostKeepsRedirectURLsQuery: a site with one path for everything tells
// its pages apart by the query.
func TestFormPostKeepsRedirectURLsQuery(t *testing.T) {
	w := world.New(t)
	redirect := w.App.URL + "/callback?page=in&tab=2"
	w.Config = w.Server.Register(authserver.ClientRegistration{ID: "query", Secret: "secret-of-query",
		RedirectURIs: []string{redirect}})
	w.Hide("secret-of-query")
	w.Configure(formPost)
	b := w.Browser()
	u, _ := url.Parse(b.Approve(world.With(b.Start(""), "response_mode", "query")))
	query := u.Query()
	query.Del("page")
	query.Del("tab")
	resp := crossPost(w, b, redirect+"&added=by-anybody", query.Encode(), b.LoginCookies()[0])
	to := resp.Header.Get("Location")
	if !strings.HasPrefix(to, "?page=in&tab=2&login=") || strings.Contains(to, "added") {
		t.Fatalf("the POST leads to %q", to)
	}
	w.WantStatus(b.Get(w.App.URL+"/callback"+to), http.StatusSeeOther)
	_, err := authcode.New(world.Config(&world.Provider{}, formPost, func(c *config) {
		c.RedirectURL = "https://app.example/cb?login=1"
	}))
	if err == nil || !strings.Contains(err.Error(), "Config.RedirectURL") {
		t.Errorf("a RedirectURL with login: %v", err)
	}
}

// TestKeptAnswerExpiresNoLogin: an answer of thousands of bytes lives for a
// minute, and must not push out the logins of other tabs.
func TestKeptAnswerExpiresNoLogin(t *testing.T) {
	w, b, values := formWorld(t)
	values.Set("user", strings.Repeat("u", 2000))
	target := finishing(w, crossPost(w, b, w.App.URL+"/callback", values.Encode(),
		b.LoginCookies()[0]))
	if kept := b.LoginCookies()[0]; len(kept.Value) < 2500 {
		t.Fatalf("the answer has %d bytes only", len(kept.Value))
	}
	b.Start("")
	b.Start("")
	if n := len(b.LoginCookies()); n != 3 {
		t.Errorf("%d login cookies are left, want 3", n)
	}
	w.WantStatus(b.Get(target), http.StatusSeeOther)
}

// TestRotationBetweenPostAndGet: a login that began under an older key has one
// id in the used states, whichever request finishes it.
func TestRotationBetweenPostAndGet(t *testing.T) {
	w, b, values := formWorld(t)
	old, pending := w.Config.CookieKeys[0], b.LoginCookies()[0]
	w.Configure(func(c *config) { c.CookieKeys = [][]byte{world.Key('f'), old} })
	callback := w.App.URL + "/callback"
	target := finishing(w, crossPost(w, b, callback, values.Encode(), pending))
	w.WantStatus(b.Get(target), http.StatusSeeOther)
	// The form of the app's own page, with the cookie of the pending login.
	b.SetCookie(pending.Name, pending.Value)
	resp := b.Do(b.Request("POST", target, values.Encode(), "Content-Type", formType,
		"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate"))
	w.WantFailure(resp, authcode.AlreadyUsed, "state.used")
	w.WantTokenRequests(1)
}
