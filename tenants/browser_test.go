package tenants_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// browser is a person's browser.
type browser struct {
	*http.Client
	app *app
}

func (a *app) browser() *browser {
	a.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	pool := a.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	a.t.Cleanup(transport.CloseIdleConnections)
	return &browser{app: a, Client: &http.Client{
		Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (a *app) loginURL(key string) string { return a.URL + "/login?tenant=" + url.QueryEscape(key) }

// callback begins a login and returns the request that brings the answer.
func (b *browser) callback(key string, srv *authserver.Server) *http.Request {
	b.app.t.Helper()
	r, page, err := srv.Callback(b.Client, b.app.loginURL(key))
	if page != nil {
		page.Body.Close()
		b.app.t.Fatalf("the app answered %d: %v", page.StatusCode, b.app.lastError())
	}
	if err != nil {
		b.app.t.Fatal(err)
	}
	return r
}

// posted is callback for a provider that posts its answer, which is in PostForm.
func (b *browser) posted(key string, srv *authserver.Server) *http.Request {
	b.app.t.Helper()
	r := b.callback(key, srv)
	if err := r.ParseForm(); err != nil {
		b.app.t.Fatal(err)
	}
	return r
}

// deliver brings an answer to the app and returns what it says.
func (b *browser) deliver(srv *authserver.Server, r *http.Request) (int, string) {
	b.app.t.Helper()
	resp, err := srv.Deliver(b.Client, r)
	if err != nil {
		b.app.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.app.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func (b *browser) get(target string) (int, string) {
	b.app.t.Helper()
	r, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		b.app.t.Fatal(err)
	}
	resp, err := b.Do(r)
	if err != nil {
		b.app.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.app.t.Fatal(err)
	}
	return resp.StatusCode, string(text) + resp.Header.Get("Location")
}

// wantSignIn does a whole login with a tenant.
func (b *browser) wantSignIn(key string, srv *authserver.Server) {
	b.app.t.Helper()
	status, text := b.deliver(srv, b.callback(key, srv))
	if status != http.StatusOK || text != "alice of "+key {
		b.app.t.Errorf("%q: the login ended with %d %q: %v", key, status, text, b.app.lastError())
	}
}

func (a *app) lastError() *authcode.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// wantRefusal checks why the last login was refused.
func (a *app) wantRefusal(status int, reason authcode.Reason, check string) {
	a.t.Helper()
	e := a.lastError()
	if e == nil || e.Reason != reason || e.Check != check || status != reason.Status() {
		a.t.Errorf("the answer has status %d, and the last error is %v, want %s (%s)", status, e, reason, check)
	}
}

// wantNothingSent checks that a server was sent no code and no secret.
func wantNothingSent(t *testing.T, servers ...*authserver.Server) {
	t.Helper()
	for _, srv := range servers {
		if n := len(srv.TokenRequests()); n != 0 {
			t.Errorf("%s was sent %d token requests", srv.URL, n)
		}
	}
}
