package authcode_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
)

const (
	fuzzIssuer = "https://provider.example"
	fuzzSecret = "s3cret+c4n4ry/of: the client"
	fuzzCanary = "c4n4ry-of-the-provider" // what a provider or an attacker sends
)

// fuzzApp is an app whose provider answers in process: a fuzz target needs thousands of logins a
// second.
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

func newFuzzApp(f *testing.F, change func(*authcode.Config)) *fuzzApp {
	app := &fuzzApp{answer: func(url.Values) *http.Response {
		return fuzzAnswer(200, "application/json", `{"access_token":"a","token_type":"Bearer"}`)
	}}
	cfg := authcode.Config{
		Provider: authcode.Provider{
			Name: "fuzz", Endpoints: authcode.Endpoints{AuthURL: fuzzIssuer + "/authorize", TokenURL: fuzzIssuer + "/token"}, Issuer: fuzzIssuer,
		},
		ClientID: "client", ClientAuth: authcode.Secret(fuzzSecret), RedirectURL: appOrigin + "/auth/callback",
		Scopes: []string{"profile"}, CookieKeys: [][]byte{[]byte("a key of 32 bytes for fuzz tests")},
		Wrap: through(app),
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
		Header: http.Header{"Content-Type": {contentType}}, Body: io.NopCloser(strings.NewReader(body)),
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
	rec := httptest.NewRecorder()
	target, err := a.client.AuthCodeURL(rec, httptest.NewRequest("GET", appOrigin+"/login", nil), opts...)
	if err != nil {
		t.Fatal(err)
	}
	cookies := rec.Result().Cookies()
	u, err := url.Parse(target)
	if err != nil || len(cookies) != 1 {
		t.Fatalf("%v, %d cookies", err, len(cookies))
	}
	return fuzzLogin{cookies[0], u.Query().Get("state"), u.Query().Get("code_challenge")}
}

func (a *fuzzApp) finish(l fuzzLogin, r *http.Request) (*httptest.ResponseRecorder, *authcode.Login, error) {
	r.AddCookie(&http.Cookie{Name: l.cookie.Name, Value: l.cookie.Value})
	rec := httptest.NewRecorder()
	login, err := a.client.Exchange(rec, r)
	return rec, login, err
}

func (a *fuzzApp) query(l fuzzLogin, query string) (*httptest.ResponseRecorder, *authcode.Login, error) {
	r := httptest.NewRequest("GET", "/auth/callback", nil)
	r.URL.RawQuery = query
	return a.finish(l, r)
}

func (a *fuzzApp) form(l fuzzLogin, contentType, body string) (*httptest.ResponseRecorder, *authcode.Login, error) {
	// What the query says never counts: a link can be forged where a form cannot.
	r := httptest.NewRequest("POST", "/auth/callback?code=of-the-query&state="+l.state+"&iss="+fuzzIssuer, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return a.finish(l, r)
}

// verdict is what the protocol asks of the parameters of one callback.
type verdict struct {
	code    string // to be redeemed; "" for none
	refusal bool   // the provider's own answer to this login, which ends it
}

// judge reads parameters by the rules of the form encoding and RFC 6749, 9207, and decides. It
// shares nothing with the package.
func judge(raw, state string, issRequired bool) verdict {
	got := make(map[string]string)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, errN := url.QueryUnescape(name)
		v, errV := url.QueryUnescape(value)
		if _, again := got[n]; errN != nil || errV != nil || again || strings.Contains(part, ";") {
			return verdict{}
		}
		got[n] = v
	}
	iss, hasIss := got["iss"]
	switch {
	case len(raw) > 16<<10, got["state"] != state, hasIss && iss != fuzzIssuer, !hasIss && issRequired:
		return verdict{}
	}
	if got["error"] != "" {
		return verdict{refusal: true}
	}
	return verdict{code: got["code"]}
}

// checkCallback compares what became of a callback with what judge says of it.
func (a *fuzzApp) checkCallback(t *testing.T, l fuzzLogin, want verdict, rec *httptest.ResponseRecorder, got *authcode.Login, err error) {
	t.Helper()
	if (err == nil) != (want.code != "") || (got == nil) != (err != nil) {
		t.Fatalf("got %v, %v; want %+v", got, err, want)
	}
	if err == nil {
		if len(a.posts) != 1 || a.posts[0].Get("code") != want.code || challengeOf(a.posts[0]) != l.challenge {
			t.Errorf("the provider saw %v", a.posts)
		}
		return
	}
	checkError(t, err, fuzzCanary, l.state, l.cookie.Value)
	if len(a.posts) != 0 {
		t.Errorf("%v, but the provider saw %v", err, a.posts)
	}
	if touched := len(rec.Result().Header["Set-Cookie"]) > 0; touched != want.refusal {
		t.Errorf("%v: cookie touched: %v, want %v", err, touched, want.refusal)
	}
}

// checkMethods fails if a request with another method than the provider's answer comes with is
// anything but refused, before all else is looked at.
func (a *fuzzApp) checkMethods(t *testing.T, l fuzzLogin, params string, methods ...string) {
	t.Helper()
	for _, method := range methods {
		r := httptest.NewRequest(method, "/auth/callback", strings.NewReader(params))
		r.URL.RawQuery = params
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		rec, _, err := a.finish(l, r)
		if !errors.Is(err, authcode.WrongMethod) || len(rec.Result().Header["Set-Cookie"]) > 0 || len(a.posts) > 0 {
			t.Errorf("%s: %v, %d requests to the provider", method, err, len(a.posts))
		}
	}
}

func challengeOf(form url.Values) string {
	sum := sha256.Sum256([]byte(form.Get("code_verifier")))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkError fails unless err is an *Error with a reason that prints none of the secrets.
func checkError(t *testing.T, err error, secrets ...string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason == "" || e.Check == "" || e.Provider != "fuzz" || e.LoginURL == "" || !errors.Is(err, e.Reason) {
		t.Fatalf("%T is no complete *authcode.Error: %v", err, err)
	}
	encoded, jsonErr := json.Marshal(e)
	texts := fmt.Sprintf("%s\n%v\n%+v\n%#v\n%q\n%s\n%v", err.Error(), err, err, err, err, encoded, e.LogValue())
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s))} {
			if strings.Contains(texts, form) || jsonErr != nil {
				t.Errorf("the error prints %q: %s (%v)", form, texts, jsonErr)
			}
		}
	}
}

// callbacks are seeds for query and body alike: STATE is the pending login's.
var callbacks = []string{
	"code=abc&state=STATE", "code=abc&state=STATE&iss=https%3A%2F%2Fprovider.example", "state=STATE&code=a%2Bb+c&extra=CANARY",
	"code=abc&state=STATE&iss=https://evil.example", "code=abc&state=STATE&iss=", "code=abc&state=STATE&iss=https://provider.example/",
	"code=abc&state=STATE&state=STATE", "code=abc&code=def&state=STATE", "code=abc&state=STATE&x=1&%78=2", "code=abc;state=STATE",
	"code=abc&state=STATEA", "code=abc&state=%0aSTATE", "code=abc&state=", "code=abc", "state=STATE", "code=&state=STATE", "",
	"error=access_denied&state=STATE&iss=https://provider.example&error_description=CANARY", "error=CANARY&state=STATE", "error=server_error",
	"code=abc&state=STATE&x=%zz", "code=abc&state=STATE&x=1;y=2",
	"error=&code=abc&state=STATE", "error=access_denied&code=abc&state=STATE", "code=%zz&state=STATE", "code=abc&state=STATE&=&&",
	"code=\xff&state=STATE&%ff", "code=abc&state=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "CODE=abc&State=STATE",
}

func planted(l fuzzLogin) *strings.Replacer {
	return strings.NewReplacer("STATE", l.state, "CANARY", fuzzCanary)
}

// Only the pending login's own state, once, with one code and no wrong issuer, is redeemed; after any
// forgery the pending login still finishes.
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
		rec, got, err := app.query(login, query)
		app.checkCallback(t, login, want, rec, got, err)
		if want == (verdict{}) {
			if _, _, err := app.query(login, "code=good&state="+login.state); err != nil {
				t.Errorf("after %q the login itself fails: %v", query, err)
			}
		}
	})
}

// As FuzzCallbackQuery, for a provider that posts a form and promises iss.
func FuzzCallbackForm(f *testing.F) {
	const kind = "application/x-www-form-urlencoded"
	app := newFuzzApp(f, func(cfg *authcode.Config) { cfg.Provider.FormPost, cfg.Provider.RequireIss = true, true })
	for _, seed := range callbacks {
		f.Add(kind, seed)
		f.Add(kind, seed+"&iss=https://provider.example")
	}
	for _, contentType := range []string{"", "text/plain", "multipart/form-data; boundary=x", kind + "; charset=utf-8", kind + ";x", "Application/X-www-form-URLencoded"} {
		f.Add(contentType, callbacks[1])
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		login := app.begin(t)
		body = planted(login).Replace(body)
		want := judge(body, login.state, true)
		if parsed, _, err := mime.ParseMediaType(contentType); err != nil || parsed != kind {
			want = verdict{}
		}
		app.checkMethods(t, login, body, "GET", "PUT")
		rec, got, err := app.form(login, contentType, body)
		app.checkCallback(t, login, want, rec, got, err)
		if want == (verdict{}) {
			if _, _, err := app.form(login, kind, "code=good&iss="+fuzzIssuer+"&state="+login.state); err != nil {
				t.Errorf("after %q the login itself fails: %v", body, err)
			}
		}
	})
}
