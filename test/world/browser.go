package world

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Browser is a person's browser with its cookie jar. It follows nothing by
// itself.
type Browser struct {
	// HTTP is for other code to use as this browser. What the app answers to it
	// is in the transcript.
	HTTP *http.Client

	w *World
}

// Response is a response with its body.
type Response struct {
	*http.Response
	Text string
}

// Browser is a new one, without cookies.
func (w *World) Browser() *Browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.TB().Fatal(err)
	}
	return &Browser{w: w, HTTP: &http.Client{
		Transport: RoundTrip(w.carry),
		Jar:       jar,
		CheckRedirect: func(*http.Request,
			[]*http.Request) error {
			return http.ErrUseLastResponse
		},
	}}
}

// carry takes a browser's request to the app or the provider.
func (w *World) carry(r *http.Request) (*http.Response, error) {
	if w.isApp(r.URL) {
		resp, err := w.App.Client().Transport.RoundTrip(r)
		if err == nil && !w.quiet {
			err = w.keep(resp)
		}
		return resp, err
	}
	if w.Server == nil {
		return w.setup.Remote.RoundTrip(r)
	}
	return w.Server.Transport().RoundTrip(r)
}

func (w *World) isApp(u *url.URL) bool { return w.App.URL == u.Scheme+"://"+u.Host }

// keep adds an answer of the app to the transcript, but for the two places
// where the protocol puts secrets: the login cookie, and the redirect to the
// provider.
func (w *World) keep(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	header := resp.Header.Clone()
	if to, err := resp.Location(); err == nil && !w.isApp(to) {
		header.Del("Location")
	}
	header.Del("Set-Cookie")
	for _, c := range resp.Cookies() {
		if !isLogin(c) {
			header.Add("Set-Cookie", c.Raw)
		}
	}
	header.Write(&w.Transcript)
	w.Transcript.Write(body)
	return nil
}

func isLogin(c *http.Cookie) bool { return strings.Contains(c.Name, "login-") }

// Do sends r and reads the answer.
func (b *Browser) Do(r *http.Request) *Response {
	t := b.w.TB()
	t.Helper()
	resp, err := b.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Response{resp, string(body)}
}

// Request is a request with header as pairs of name and value.
func (b *Browser) Request(method, target, body string, header ...string) *http.Request {
	t := b.w.TB()
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, target,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// Get sends a GET request with header as pairs of name and value.
func (b *Browser) Get(target string, header ...string) *Response {
	b.w.TB().Helper()
	return b.Do(b.Request(http.MethodGet, target, "", header...))
}

// Post sends body as content of this type.
func (b *Browser) Post(target, contentType, body string) *Response {
	b.w.TB().Helper()
	return b.Do(b.Request(http.MethodPost, target, body, "Content-Type", contentType))
}

// PostAnswer posts the provider's answer, as a page of form_post does, and
// follows the app to the request that finishes the login.
func (b *Browser) PostAnswer(target, body string) *Response {
	b.w.TB().Helper()
	resp := b.Post(target, "application/x-www-form-urlencoded", body)
	if to := resp.Header.Get("Location"); strings.HasPrefix(to, "?login=") {
		target, _, _ = strings.Cut(target, "?")
		return b.Get(target + to)
	}
	return resp
}

// Start clicks the sign-in link, with a query such as ?next=/cart, and returns
// the provider's URL.
func (b *Browser) Start(query string) string {
	t := b.w.TB()
	t.Helper()
	resp := b.Get(b.w.App.URL + "/login" + query)
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("login answered %d: %s", resp.StatusCode, resp.Text)
	}
	return resp.Header.Get("Location")
}

// Approve visits the provider, which answers at once with a redirect, and
// returns the callback's URL.
func (b *Browser) Approve(providerURL string) string {
	t := b.w.TB()
	t.Helper()
	resp := b.Get(providerURL)
	if resp.StatusCode/100 != 3 {
		t.Fatalf("the provider answered %d: %s", resp.StatusCode, resp.Text)
	}
	return resp.Header.Get("Location")
}

// Callback starts a login and has it approved. It returns the callback's URL.
func (b *Browser) Callback(query string) string {
	b.w.TB().Helper()
	return b.Approve(b.Start(query))
}

// SignIn does a whole login up to the app's answer.
func (b *Browser) SignIn(query string) *Response {
	b.w.TB().Helper()
	return b.Get(b.Callback(query))
}

// LoginCookies are those of the pending logins.
func (b *Browser) LoginCookies() (found []*http.Cookie) {
	for _, c := range b.HTTP.Jar.Cookies(parse(b.w.App.URL)) {
		if isLogin(c) {
			found = append(found, c)
		}
	}
	return found
}

// SetCookie gives the browser a cookie of the app's.
func (b *Browser) SetCookie(name, value string) {
	b.HTTP.Jar.SetCookies(parse(b.w.App.URL),
		[]*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}
