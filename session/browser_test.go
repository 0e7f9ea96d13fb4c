package session_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"
)

// browser is a person's browser. It follows nothing by itself.
type browser struct {
	*http.Client
	t   *testing.T
	app *app
}

func (a *app) browser(t *testing.T) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, app: a}
	pool := a.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	app := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	t.Cleanup(app.CloseIdleConnections)
	b.Client = &http.Client{
		Jar: jar, Transport: app,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return b
}

// answer is a response that was read.
type answer struct {
	*http.Response
	text string
}

func (b *browser) do(method, path string, header ...string) *answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.app.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return b.read(b.Do(r))
}

func (b *browser) read(resp *http.Response, err error) *answer {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return &answer{resp, string(text)}
}

func (b *browser) get(path string, header ...string) *answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, header...)
}

// signIn signs a user in, and wants to be sent to path.
func (b *browser) signIn(user, path string) {
	b.t.Helper()
	b.app.provider.SetUser(user)
	resp := b.read(b.app.provider.SignIn(b.Client, b.app.URL+"/login?next="+url.QueryEscape(path)))
	if resp.StatusCode != 303 || resp.Header.Get("Location") != path {
		b.t.Fatalf("the sign-in ended with %d to %q: %s", resp.StatusCode, resp.Header.Get("Location"), resp.text)
	}
}

// signInLater signs a user in when the mark of an End is old enough for that.
func (b *browser) signInLater(user string) {
	b.t.Helper()
	b.app.advance(2 * time.Minute)
	b.signIn(user, "/account")
}

// approve opens a link to the provider and returns the path of the callback.
func (b *browser) approve(link string) string {
	b.t.Helper()
	provider := &http.Client{Transport: b.app.provider.Transport(), CheckRedirect: b.CheckRedirect}
	resp := b.read(provider.Get(link))
	to, err := resp.Location()
	if err != nil {
		b.t.Fatalf("the provider answered %d: %s", resp.StatusCode, resp.text)
	}
	return to.RequestURI()
}

// loginAt opens a page that begins a login, changes the request to the provider,
// and returns what the app answers in the end.
func (b *browser) loginAt(path, user string, change func(url.Values)) *answer {
	b.t.Helper()
	b.app.provider.SetUser(user)
	resp := b.get(path)
	to, err := resp.Location()
	if err != nil {
		b.t.Fatalf("%s answered %d: %s", path, resp.StatusCode, resp.text)
	}
	query := to.Query()
	if change != nil {
		change(query)
	}
	to.RawQuery = query.Encode()
	return b.get(b.approve(to.String()))
}

// wantSeen checks who the app says is signed in; "" is nobody.
func (b *browser) wantSeen(want string) {
	b.t.Helper()
	resp := b.get("/account")
	switch {
	case want == "" && resp.StatusCode != 303 && resp.StatusCode != 401:
		b.t.Errorf("got %d %s, want to be sent to sign in", resp.StatusCode, resp.text)
	case want != "" && (resp.StatusCode != 200 || resp.text != want):
		b.t.Errorf("got %d %s, want the page of %s", resp.StatusCode, resp.text, want)
	}
}

// cookie is the value of a cookie that the browser has, or "".
func (b *browser) cookie(name string) string {
	u, _ := url.Parse(b.app.URL)
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// setCookie gives the browser a cookie of the app's host.
func (b *browser) setCookie(c *http.Cookie) {
	u, _ := url.Parse(b.app.URL)
	b.Jar.SetCookies(u, []*http.Cookie{c})
}

// wantStatus checks the answer and that its text has each of these.
func (a *answer) wantStatus(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("got %d: %s, want %d", a.StatusCode, a.text, status)
	}
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("got %q, want it to have %q", a.text, text)
		}
	}
}
