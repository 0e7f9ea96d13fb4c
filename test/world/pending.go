package world

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"example.com/authcode"
)

// Pending is a login that has begun, as the browser holds it.
type Pending struct {
	URL     string     // at the provider
	Query   url.Values // of URL
	Header  http.Header
	Cookies []*http.Cookie // as they were set
}

// Get is a GET request for target as an app's handler receives it.
func Get(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

// Begin starts a login with r, or with a plain request if r is nil.
func Begin(t testing.TB, c *authcode.Client, r *http.Request,
	opts ...authcode.AuthOption) *Pending {
	t.Helper()
	if r == nil {
		r = Get(LoginURL)
	}
	rec := httptest.NewRecorder()
	target, err := c.AuthCodeURL(rec, r, opts...)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	return &Pending{target, query, rec.Result().Header, rec.Result().Cookies()}
}

// Start starts a login that may fail. It returns the provider's URL and the
// cookies that were set.
func Start(c *authcode.Client, opts ...authcode.AuthOption) (string, []*http.Cookie, error) {
	rec := httptest.NewRecorder()
	target, err := c.AuthCodeURL(rec, Get(LoginURL), opts...)
	return target, rec.Result().Cookies(), err
}

// Callback is the request with which the provider sends the browser back. Its
// code is c0de. Parameters are added or replaced in pairs of name and value; an
// empty value removes one. A pushed request hides the state from the browser:
// its test sets Query["state"] first.
func (l *Pending) Callback(pairs ...string) *http.Request {
	query := url.Values{"code": {"c0de"}, "state": l.Query["state"], "iss": {Issuer}}
	edit(query, pairs)
	target := RedirectURL
	if l.Query.Has("redirect_uri") {
		target = l.Query.Get("redirect_uri")
	}
	r := Get(target + "?" + query.Encode())
	for _, cookie := range l.Cookies {
		if cookie.MaxAge >= 0 {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	return r
}

// Exchange brings the callback to c.
func (l *Pending) Exchange(c *authcode.Client, pairs ...string) (*authcode.Login, error) {
	return c.Exchange(httptest.NewRecorder(), l.Callback(pairs...))
}

// Finish brings the callback to c, which must accept it.
func (l *Pending) Finish(t testing.TB, c *authcode.Client, pairs ...string) *authcode.Login {
	t.Helper()
	login, err := l.Exchange(c, pairs...)
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// With returns target with parameters of its query added or replaced, in pairs
// of name and value; an empty value removes one.
func With(target string, pairs ...string) string {
	u := parse(target)
	query := u.Query()
	edit(query, pairs)
	u.RawQuery = query.Encode()
	return u.String()
}

// Param is a parameter of target's query.
func Param(target, name string) string { return parse(target).Query().Get(name) }

func edit(query url.Values, pairs []string) {
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
}

// parse is for URLs that the module or a test has made.
func parse(target string) *url.URL {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	return u
}
