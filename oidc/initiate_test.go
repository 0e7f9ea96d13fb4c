package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// memIss is the parameter that names the provider.
var memIss = "iss=" + url.QueryEscape(memIssuer)

// initiations are requests of other sites to begin a login.
var initiations = []struct {
	claim, method, query string
	check                string
	reason               authcode.Reason
}{
	{claim: "this issuer starts a login", query: memIss},
	{claim: "a form starts a login", method: "POST", query: memIss},
	{claim: "another issuer does not", query: "iss=https%3A%2F%2Fevil.example", reason: authcode.Forged, check: "initiate.iss"},
	{claim: "the issuer with a slash more does not", query: memIss + "%2F", reason: authcode.Forged, check: "initiate.iss"},
	{claim: "no issuer does not", query: "login_hint=x", reason: authcode.Forged, check: "initiate.iss"},
	{claim: "two issuers do not", query: memIss + "&" + memIss, reason: authcode.Malformed, check: "initiate.repeated"},
	{claim: "a malformed query does not", query: memIss + "&%zz", reason: authcode.Malformed, check: "initiate.form"},
	{claim: "a huge query does not", query: memIss + "&login_hint=" + strings.Repeat("x", 70_000), reason: authcode.Malformed, check: "initiate.form"},
	{claim: "another method does not", method: "PUT", query: memIss, reason: authcode.WrongMethod, check: "initiate.method"},
}

func TestInitiateLogin(t *testing.T) {
	for _, row := range initiations {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			var got error
			i := oidc.Provider(memIssuer)
			h := oidc.InitiateLoginHandler(newMemLogin(t, p, i, func(c *authcode.Config) {
				c.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
					if got = err; err.Provider != "oidc" || err.LoginURL != "/auth/op" {
						t.Errorf("the error of %q leads to %q", err.Provider, err.LoginURL)
					}
					authcode.ErrorPage(w, r, err)
				}
			}))
			r := httptest.NewRequest("GET", "https://app.example/initiate?"+row.query, nil)
			if row.method == "POST" {
				r = form(row.query)
			} else if row.method != "" {
				r.Method = row.method
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			if row.reason == "" && row.method == "POST" {
				rec = follow(h, r, rec)
			}
			if row.reason != "" {
				wantError(t, got, row.reason, row.check)
				if rec.Code != row.reason.Status() || rec.Header().Get("Set-Cookie") != "" {
					t.Errorf("status %d, %v", rec.Code, rec.Header())
				}
				return
			}
			if got != nil || rec.Code != 303 || !strings.HasPrefix(rec.Header().Get("Location"), "https://op.example/authorize?") {
				t.Errorf("status %d, %v, %v", rec.Code, rec.Header(), got)
			}
		})
	}
}

// TestInitiateLoginHint: login_hint goes to the provider, and the app's own options stay.
func TestInitiateLoginHint(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	h := oidc.InitiateLoginHandler(newMemLogin(t, p, i), authcode.Param("prompt", "login"))
	for hint, want := range map[string]string{
		"alice&state=x":            "alice&state=x",
		strings.Repeat("x", 2048):  strings.Repeat("x", 2048),
		strings.Repeat("x", 2049):  "",
		strings.Repeat("x", 60000): "",
	} {
		rec, r := httptest.NewRecorder(), form(url.Values{"iss": {memIssuer}, "login_hint": {hint}}.Encode())
		h.ServeHTTP(rec, r)
		query := must(url.Parse(follow(h, r, rec).Header().Get("Location"))).Query()
		if query.Get("login_hint") != want || query.Get("prompt") != "login" || len(query["state"]) != 1 {
			t.Errorf("sent %v", query)
		}
	}
}

// follow does what a browser does with the answer to a form.
func follow(h http.Handler, r *http.Request, rec *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	next := httptest.NewRequest("GET", must(r.URL.Parse(rec.Header().Get("Location"))).String(), nil)
	next.Header = r.Header.Clone()
	next.Header.Del("Content-Type")
	rec = httptest.NewRecorder()
	h.ServeHTTP(rec, next)
	return rec
}

// TestInitiateLoginByPortal: the form is another site's, which LoginHandler alone would refuse, and sets
// no cookie before the browser has shown those it has.
func TestInitiateLoginByPortal(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	h := oidc.InitiateLoginHandler(newMemLogin(t, p, i))
	r := form(url.Values{"iss": {memIssuer}, "target_link_uri": {"/inbox?x=1&y=2"}, "other": {"x"}}.Encode())
	r.URL.Path, r.URL.RawQuery = "/from/a/portal", "iss=https%3A%2F%2Fevil.example"
	for name, value := range map[string]string{
		"Origin": "https://op.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
	} {
		r.Header.Set(name, value)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	const to = "?iss=https%3A%2F%2Fop.example%2Frealm&target_link_uri=%2Finbox%3Fx%3D1%26y%3D2"
	if head := rec.Header(); rec.Code != 303 || head.Get("Location") != to || head.Get("Set-Cookie") != "" ||
		head.Get("Cache-Control") != "no-store" || head.Get("Referrer-Policy") != "no-referrer" ||
		head.Get("X-Content-Type-Options") != "nosniff" || head.Get("X-Frame-Options") != "DENY" {
		t.Errorf("status %d, %v", rec.Code, head)
	}
	rec = follow(h, r, rec)
	if rec.Code != 303 || !strings.HasPrefix(rec.Header().Get("Location"), "https://op.example/authorize?") || rec.Header().Get("Set-Cookie") == "" {
		t.Errorf("status %d, %v", rec.Code, rec.Header())
	}
}

// TestInitiateLoginIsByAPerson: the rules of the root package's LoginHandler hold.
func TestInitiateLoginIsByAPerson(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	r := httptest.NewRequest("GET", "https://app.example/initiate?iss="+url.QueryEscape(memIssuer), nil)
	r.Header.Set("Sec-Fetch-Mode", "no-cors")
	rec := httptest.NewRecorder()
	oidc.InitiateLoginHandler(newMemLogin(t, p, i)).ServeHTTP(rec, r)
	if rec.Code != 403 || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d, %v", rec.Code, rec.Header())
	}
}

// loginTargets are values of target_link_uri, and where each leads.
var loginTargets = []struct{ target, to string }{
	{"", "/own"}, // the app's own ReturnTo
	{"/" + strings.Repeat("x", 2048), "/own"},
	{"/" + strings.Repeat("x", 2047), "/"}, // too long for the root package
	{"/inbox?x=1#y", "/inbox?x=1#y"},
	{"https://app.example/inbox?x=1#y", "/inbox?x=1#y"},
	{"https://APP.example/inbox", "/inbox"},
	{"https://app.example", "/"},
	{"https://app.example?x=1", "/"},
	{"https://app.example//evil.example", "/"},
	{"https://app.example/\\evil.example", "/"},
	{"https://evil.example/inbox", "/"},
	{"https://app.example@evil.example/inbox", "/"},
	{"https://app.example:8443/inbox", "/"},
	{"//evil.example", "/"},
	{"/\\evil.example", "/"},
	{"javascript:alert(1)", "/"},
	{"https:app.example/inbox", "/"},
	{"https:///inbox", "/"},
	{"https://app.example/%zz", "/"},
	{"ftp://app.example/inbox", "/"},
	{"//app.example/inbox", "/"},
}

// TestInitiateLoginTarget: after the login the person is on this origin, whatever target_link_uri says.
func TestInitiateLoginTarget(t *testing.T) {
	for _, row := range loginTargets {
		t.Run(row.target, func(t *testing.T) {
			p := newMemOP("RS256")
			i := oidc.Provider(memIssuer)
			c := newMemLogin(t, p, i)
			query := url.Values{"iss": {memIssuer}}
			if row.target != "" {
				query.Set("target_link_uri", row.target)
			}
			rec := httptest.NewRecorder()
			r := httptest.NewRequest("GET", "https://app.example/initiate?"+query.Encode(), nil)
			oidc.InitiateLoginHandler(c, authcode.ReturnTo("/own")).ServeHTTP(rec, r)
			if login := p.finish(t, c, rec); login.ReturnTo != row.to {
				t.Errorf("returns to %q, want %q", login.ReturnTo, row.to)
			}
		})
	}
}

// finish does the rest of the login that rec began: the person approves.
func (p *memOP) finish(t *testing.T, c *authcode.Client, rec *httptest.ResponseRecorder) *authcode.Login {
	t.Helper()
	login, err := p.callback(c, rec)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// callback brings the person back.
func (p *memOP) callback(c *authcode.Client, rec *httptest.ResponseRecorder) (*authcode.Login, error) {
	sent := must(url.Parse(rec.Header().Get("Location"))).Query()
	p.answer("/token", func(*http.Request) (*http.Response, error) {
		token := p.token(members{"nonce": sent.Get("nonce")})
		return reply(200, "application/json", `{"access_token":"`+memAccess+`","token_type":"Bearer","id_token":"`+token+`"}`), nil
	})
	back := url.Values{"state": {sent.Get("state")}, "code": {"c"}, "iss": {memIssuer}}
	r := httptest.NewRequest("GET", "https://app.example/callback?"+back.Encode(), nil)
	for _, cookie := range rec.Result().Cookies() {
		r.AddCookie(cookie)
	}
	return c.Exchange(httptest.NewRecorder(), r)
}
