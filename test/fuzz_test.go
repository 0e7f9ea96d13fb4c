package test

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

const (
	fuzzSecret = "s3cret+c4n4ry/of: the client"
	fuzzCanary = "c4n4ry-of-the-provider" // what a provider or an attacker sends
)

// fuzzApp is an app whose provider answers in process: a fuzz target needs
// thousands of logins a second.
type fuzzApp struct {
	client *authcode.Client
	answer func(form url.Values) *http.Response
	posts  []url.Values // the token requests since the last begin
}

// fuzzLogin is a login that has begun, as the browser holds it.
type fuzzLogin struct {
	cookie           *http.Cookie
	state, challenge string
}

func newFuzzApp(f *testing.F, change func(*config)) *fuzzApp {
	app := &fuzzApp{answer: func(url.Values) *http.Response {
		return fuzzAnswer(200, "application/json", `{"access_token":"a","token_type":"Bearer"}`)
	}}
	cfg := authcode.Config{
		Provider: authcode.Provider{
			Name: "fuzz", Issuer: world.Issuer, Endpoints: world.Endpoints(),
		},
		ClientID: "client", ClientAuth: authcode.Secret(fuzzSecret),
		RedirectURL: world.AppURL + "/auth/callback", Scopes: []string{"profile"},
		CookieKeys: [][]byte{[]byte("a key of 32 bytes for fuzz tests")},
		Wrap:       world.Through(app),
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if app.client, err = authcode.New(cfg); err != nil {
		f.Fatal(err)
	}
	return app
}

func fuzzAnswer(status int, contentType, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1,
		Header: http.Header{"Content-Type": {contentType}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}
}

func (a *fuzzApp) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	a.posts = append(a.posts, form)
	return a.answer(form), nil
}

func (a *fuzzApp) begin(t *testing.T, opts ...authcode.AuthOption) fuzzLogin {
	t.Helper()
	a.posts = nil
	l := world.Begin(t, a.client, nil, opts...)
	if len(l.Cookies) != 1 {
		t.Fatalf("%d cookies", len(l.Cookies))
	}
	return fuzzLogin{l.Cookies[0], l.Query.Get("state"), l.Query.Get("code_challenge")}
}

// fuzzOutcome is what became of a callback.
type fuzzOutcome struct {
	rec   *httptest.ResponseRecorder
	login *authcode.Login
	err   error
}

func (a *fuzzApp) finish(l fuzzLogin, r *http.Request) (got fuzzOutcome) {
	r.AddCookie(&http.Cookie{Name: l.cookie.Name, Value: l.cookie.Value})
	got.rec = httptest.NewRecorder()
	got.login, got.err = a.client.Exchange(got.rec, r)
	if !errors.Is(got.err, authcode.Continued) {
		return got
	}
	// A form_post login finishes with a GET.
	kept, to := got.rec.Result().Cookies(), got.rec.Result().Header.Get("Location")
	got.rec = httptest.NewRecorder()
	r = httptest.NewRequest("GET", "/auth/callback"+to, nil)
	r.AddCookie(&http.Cookie{Name: l.cookie.Name, Value: l.cookie.Value})
	if len(kept) > 0 {
		r.Header.Set("Cookie", kept[0].Name+"="+kept[0].Value)
	}
	got.login, got.err = a.client.Exchange(got.rec, r)
	return got
}

func (a *fuzzApp) query(l fuzzLogin, query string) fuzzOutcome {
	r := httptest.NewRequest("GET", "/auth/callback", nil)
	r.URL.RawQuery = query
	return a.finish(l, r)
}

func (a *fuzzApp) form(l fuzzLogin, contentType, body string) fuzzOutcome {
	// What the query says never counts: a link can be forged where a form
	// cannot.
	r := httptest.NewRequest("POST",
		"/auth/callback?code=of-the-query&state="+l.state+"&iss="+world.Issuer,
		strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return a.finish(l, r)
}

// callbacks are seeds for query and body alike: STATE is the pending login's.
var callbacks = []string{
	"code=abc&state=STATE", "code=abc&state=STATE&iss=https%3A%2F%2Fprovider.example",
	"state=STATE&code=a%2Bb+c&extra=CANARY",
	"code=abc&state=STATE&iss=https://evil.example", "code=abc&state=STATE&iss=",
	"code=abc&state=STATE&iss=https://provider.example/",
	"code=abc&state=STATE&state=STATE", "code=abc&code=def&state=STATE",
	"code=abc&state=STATE&x=1&%78=2", "code=abc;state=STATE",
	"code=abc&state=STATEA", "code=abc&state=%0aSTATE", "code=abc&state=", "code=abc",
	"state=STATE", "code=&state=STATE", "",
	"error=access_denied&state=STATE&iss=https://provider.example&error_description=CANARY",
	"error=CANARY&state=STATE", "error=server_error",
	"code=abc&state=STATE&x=%zz", "code=abc&state=STATE&x=1;y=2",
	"error=&code=abc&state=STATE", "error=access_denied&code=abc&state=STATE",
	"code=%zz&state=STATE", "code=abc&state=STATE&=&&",
	"code=\xff&state=STATE&%ff", "code=abc&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	"CODE=abc&State=STATE",
}

func planted(l fuzzLogin) *strings.Replacer {
	return strings.NewReplacer("STATE", l.state, "CANARY", fuzzCanary)
}

// FuzzCallbackQuery: only the pending login's own state, once, with one code
// and no wrong issuer, is redeemed; after any forgery the pending login still
// finishes.
func FuzzCallbackQuery(f *testing.F) {
	app := newFuzzApp(f, nil)
	for _, seed := range append(callbacks, "code="+strings.Repeat("a", 16<<10)+"&state=STATE") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		login := app.begin(t)
		query = planted(login).Replace(query)
		want := judge(query, login.state, false)
		app.checkMethods(t, login, query, "HEAD", "POST")
		app.checkCallback(t, login, want, app.query(login, query))
		if want == (verdict{}) {
			if err := app.query(login, "code=good&state="+login.state).err; err != nil {
				t.Errorf("after %q the login itself fails: %v", query, err)
			}
		}
	})
}

// FuzzCallbackForm is as FuzzCallbackQuery, for a provider that posts a form
// and promises iss.
func FuzzCallbackForm(f *testing.F) {
	app := newFuzzApp(f, func(cfg *config) {
		cfg.Provider.FormPost, cfg.Provider.RequireIss = true, true
	})
	for _, seed := range callbacks {
		f.Add(formType, seed)
		f.Add(formType, seed+"&iss=https://provider.example")
	}
	for _, contentType := range []string{"", "text/plain", "multipart/form-data; boundary=x",
		formType + "; charset=utf-8", formType + ";x", "Application/X-www-form-URLencoded"} {
		f.Add(contentType, callbacks[1])
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		login := app.begin(t)
		body = planted(login).Replace(body)
		want := judge(body, login.state, true)
		if parsed, _, err := mime.ParseMediaType(contentType); err != nil || parsed != formType {
			want = verdict{}
		}
		app.checkMethods(t, login, body, "GET", "PUT")
		app.checkCallback(t, login, want, app.form(login, contentType, body))
		if want == (verdict{}) {
			good := "code=good&iss=" + world.Issuer + "&state=" + login.state
			if err := app.form(login, formType, good).err; err != nil {
				t.Errorf("after %q the login itself fails: %v", body, err)
			}
		}
	})
}
