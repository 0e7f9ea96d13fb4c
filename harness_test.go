package authcode_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
)

const (
	hAuthURL   = "https://provider.example/authorize"
	hTokenURL  = "https://provider.example/token"
	hRevokeURL = "https://provider.example/revoke"
	hIssuer    = "https://provider.example"
	hRedirect  = "https://app.example/auth/x/callback"
	hSecret    = "s3cret"
	hTokenJSON = `{"access_token":"at-1","token_type":"Bearer","expires_in":3600,"refresh_token":"rt-1"}`
)

// hProvider is a provider in memory: an http.RoundTripper that records each request and answers as
// it is told. It opens no socket, so it runs inside a testing/synctest bubble too.
type hProvider struct {
	answer func(*hRequest) (*http.Response, error) // nil: a good token answer

	mu       sync.Mutex
	requests []*hRequest
}

// hRequest is a request with its form read.
type hRequest struct {
	*http.Request
	form url.Values
}

func (p *hProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	req := &hRequest{Request: r}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		if req.form, err = url.ParseQuery(string(body)); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	p.requests = append(p.requests, req)
	p.mu.Unlock()
	if p.answer == nil {
		return hReply(200, hTokenJSON), nil
	}
	return p.answer(req)
}

// seen returns the requests so far.
func (p *hProvider) seen() []*hRequest {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[:len(p.requests):len(p.requests)]
}

func (p *hProvider) wantRequests(t testing.TB, n int) {
	t.Helper()
	if got := len(p.seen()); got != n {
		t.Errorf("the provider saw %d requests, want %d", got, n)
	}
}

// hAnswering is a provider that gives every request the same answer.
func hAnswering(status int, body string, header ...string) *hProvider {
	return &hProvider{answer: func(*hRequest) (*http.Response, error) {
		return hReply(status, body, header...), nil
	}}
}

// hReply is a response with header as pairs of name and value.
func hReply(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// hConfig is a valid configuration for p, changed.
func hConfig(p *hProvider, changes ...func(*authcode.Config)) authcode.Config {
	cfg := authcode.Config{
		Provider: authcode.Provider{
			Name: "x", Endpoints: authcode.Endpoints{AuthURL: hAuthURL, TokenURL: hTokenURL, RevocationURL: hRevokeURL}, Issuer: hIssuer,
		},
		ClientID: "client", ClientAuth: authcode.Secret(hSecret), RedirectURL: hRedirect,
		CookieKeys: [][]byte{hKey('k')}, LoginURL: "/auth/x", HomeURL: "/home",
		Wrap: through(p),
	}
	for _, change := range changes {
		change(&cfg)
	}
	return cfg
}

// hKey is a good key that differs for each letter.
func hKey(letter byte) []byte { return append(bytes.Repeat([]byte{letter}, 31), '.') }

func hNew(t testing.TB, p *hProvider, changes ...func(*authcode.Config)) *authcode.Client {
	t.Helper()
	c, err := authcode.New(hConfig(p, changes...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func hGet(target string) *http.Request { return httptest.NewRequest("GET", target, nil) }

// hLogin is a login that has begun: what the browser now holds.
type hLogin struct {
	target  string
	query   url.Values
	header  http.Header
	cookies []*http.Cookie
}

// hStart begins a login with r, or with a plain request if r is nil.
func hStart(t testing.TB, c *authcode.Client, r *http.Request, opts ...authcode.AuthOption) *hLogin {
	t.Helper()
	if r == nil {
		r = hGet("https://app.example/auth/x")
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
	return &hLogin{target, query, rec.Result().Header, rec.Result().Cookies()}
}

// callback is the request with which the provider sends the browser back, with parameters
// added or replaced; an empty value removes one.
func (l *hLogin) callback(pairs ...string) *http.Request {
	query := url.Values{"code": {"c0de"}, "state": l.query["state"], "iss": {hIssuer}}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	r := hGet(hRedirect + "?" + query.Encode())
	for _, cookie := range l.cookies {
		if cookie.MaxAge >= 0 {
			r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
		}
	}
	return r
}

// finish brings the callback to c.
func (l *hLogin) finish(t testing.TB, c *authcode.Client, pairs ...string) *authcode.Login {
	t.Helper()
	login, err := c.Exchange(httptest.NewRecorder(), l.callback(pairs...))
	if err != nil {
		t.Fatal(err)
	}
	return login
}

// hWantError checks that err is an *authcode.Error with this reason and check.
func hWantError(t testing.TB, err error, reason authcode.Reason, check string) *authcode.Error {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want an *authcode.Error", err, err)
	}
	if e.Reason != reason || e.Check != check || !errors.Is(err, reason) {
		t.Errorf("got %v, want %s (%s)", err, reason, check)
	}
	return e
}

// through has rt in place of the Client's transport.
func through(rt http.RoundTripper) func(http.RoundTripper) http.RoundTripper {
	return func(http.RoundTripper) http.RoundTripper { return rt }
}
