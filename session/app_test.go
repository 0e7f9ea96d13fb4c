package session_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestMain keeps the lines of refused logins out of the output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	testmain.Run(m)
}

// app is an app with any number of instances over one store, and its provider.
type app struct {
	URL       string
	provider  *authtest.Server
	store     *stoppable
	instances []*instance
	at        atomic.Int32 // the instance that answers
	server    *httptest.Server
	former    map[string]bool // the secrets that the provider had given before

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
	a.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := current.Load()
		now.instances[now.at.Load()].mux.ServeHTTP(w, r)
	}))
	a.server.TLS = authserver.ServerTLS()
	a.server.StartTLS()
	a.URL = a.server.URL
	a.provider = authtest.NewServer(a.URL+"/callback", users...)
	return a
})

var current atomic.Pointer[app] // the app of the test that runs

// newApp is an app on https. The zero setup has one instance.
func newApp(t *testing.T, su setup) *app {
	t.Helper()
	a := &app{URL: base().URL, server: base().server, provider: base().provider}
	a.store, a.former = &stoppable{shifted: newShifted()}, make(map[string]bool)
	for _, secret := range a.provider.Secrets() {
		a.former[secret] = true
	}
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
	return slices.DeleteFunc(a.provider.Secrets(), func(s string) bool { return a.former[s] })
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
