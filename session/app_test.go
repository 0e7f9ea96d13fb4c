package session_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestMain keeps the lines of refused logins out of the output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// app is an app with any number of instances over one store, and its provider.
type app struct {
	URL       string
	provider  *authtest.Server
	store     *stoppable
	instances []*instance
	at        atomic.Int32 // the instance that answers
	server    *httptest.Server
	former    []string // the secrets that the provider had given before

	mu     sync.Mutex
	events []string
}

// instance is one instance of the app.
type instance struct {
	*session.Sessions
	client *authcode.Client
	mux    *http.ServeMux
}

// setup is what a test changes.
type setup struct {
	instances int
	session   func(i int, c *session.Config)
	client    func(*authcode.Config)
}

// users are those of the provider. The sessions of alice and bob have a sid,
// that of erin ends in an hour, and that of frank has ended.
var users = []authtest.User{
	{Subject: "alice", Name: "Alice", Claims: map[string]any{"sid": "alice-1"}},
	{Subject: "bob", Name: "Bob", Claims: map[string]any{"sid": "bob-1"}},
	{Subject: "carol", Name: "Carol", Email: "carol@example.com"},
	{Subject: "erin", Claims: map[string]any{"session_expiry": time.Now().Add(time.Hour).Unix()}},
	{Subject: "frank", Claims: map[string]any{"session_expiry": time.Now().Add(-time.Hour).Unix()}},
	{Subject: "grace", Claims: map[string]any{"session_expiry": "tomorrow"}},
}

// base is the server of the apps, and their provider. To make one takes a
// while, so the tests share it, one after the other.
var base = sync.OnceValue(func() *app {
	a := &app{}
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := current.Load()
		now.instances[now.at.Load()].mux.ServeHTTP(w, r)
	}))
	a.URL = a.server.URL
	a.provider = authtest.NewServer(a.URL+"/callback", users...)
	return a
})

var current atomic.Pointer[app] // the app of the test that runs

// newApp is an app on https. The zero setup has one instance.
func newApp(t *testing.T, su setup) *app {
	t.Helper()
	a := &app{URL: base().URL, server: base().server, provider: base().provider}
	a.store, a.former = &stoppable{shifted: newShifted()}, a.provider.Secrets()
	t.Cleanup(func() { a.advance(-a.store.ahead) })
	cfg := a.provider.Config()
	cfg.LoginURL = "/login"
	if su.client != nil {
		su.client(&cfg)
	}
	for i := range max(1, su.instances) {
		in := &instance{mux: http.NewServeMux()}
		sc := session.Config{
			Store: a.store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login", Observe: a.observe,
		}
		if su.session != nil {
			su.session(i, &sc)
		}
		var err error
		if in.client, err = authcode.New(cfg); err != nil {
			t.Fatal(err)
		}
		if in.Sessions, err = session.New(sc); err != nil {
			t.Fatal(err)
		}
		in.routes()
		a.instances = append(a.instances, in)
	}
	current.Store(a)
	return a
}

// advance moves the time of the store, the provider and the app.
func (a *app) advance(d time.Duration) {
	a.store.advance(d)
	a.provider.Advance(d)
}

// secrets are what the provider has given in this test.
func (a *app) secrets() []string {
	return slices.DeleteFunc(a.provider.Secrets(), func(s string) bool { return slices.Contains(a.former, s) })
}

// routes are the pages of the app.
func (in *instance) routes() {
	in.client.Mount(in.mux, in.SignIn(in.client))
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := session.FromContext(r.Context())
		if s == nil {
			fmt.Fprint(w, "nobody")
			return
		}
		fmt.Fprint(w, s.Identity().Subject)
	})
	in.mux.Handle("/account", in.Require(who))
	in.mux.Handle("/maybe", in.Optional(who))
	in.mux.Handle("/poll", in.Passive(in.Require(who)))
	in.mux.Handle("/logout", in.SignOut())
	in.mux.Handle("/status", in.StatusHandler())
	in.mux.Handle("/devices", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := session.FromContext(r.Context()).Identity()
		list, err := in.Sessions.Sessions(r.Context(), id.Issuer, id.Subject)
		for _, d := range list {
			fmt.Fprintln(w, d.Label, d.Current, err)
		}
	})))
	in.mux.Handle("/set", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := session.FromContext(r.Context()).SetValue(r.Context(), "v", r.FormValue("v"))
		fmt.Fprint(w, session.FromContext(r.Context()).Value("v"), err)
	})))
	in.mux.Handle("/token", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t, err := session.FromContext(r.Context()).Token(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprint(w, t.AccessToken)
	})))
}

func (a *app) observe(_ context.Context, e session.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	text := string(e.Kind)
	if e.Why != "" {
		text += " " + string(e.Why)
	}
	a.events = append(a.events, text)
}

// wantEvents checks what was observed since the last call.
func (a *app) wantEvents(t *testing.T, want ...string) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.events, want) {
		t.Errorf("the events are %q, want %q", a.events, want)
	}
	a.events = nil
}

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
