package world

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// CanarySecret is the client secret of a World.
const CanarySecret = "canary-client-secret-7f3a"

// World is an app over TLS, an authorization server that can misbehave, and a
// record of everything that the app lets out.
//
// The app signs people in at /login, takes them back at /callback, and then to
// the return path of the login, which /login?next=… sets; /home tells who is
// signed in.
type World struct {
	Server *authserver.Server // nil with Setup.Remote
	App    *httptest.Server
	Config authcode.Config  // of Client
	Client *authcode.Client // see Configure

	Transcript Transcript

	setup Setup
	quiet bool

	mu      sync.Mutex
	t       testing.TB
	handler http.Handler
	logins  []*authcode.Login
	errors  []*authcode.Error
	secrets []string // beyond those that the server gave out or saw
}

// Setup says how a World differs from the usual one.
type Setup struct {
	// Server is a server to use, which stays open. If nil, New starts one with
	// Options, over TLS, and closes it when the test ends.
	Server  *authserver.Server
	Options []authserver.Option

	// HTTP2 has the app speak HTTP/2 with the browser.
	HTTP2 bool

	// Remote plays all hosts but the app's. If it is set, there is no Server,
	// and Config begins as [Config] does.
	Remote http.RoundTripper

	// Register describes the app to the server. If nil, it has the secret
	// CanarySecret and authenticates with Basic.
	Register func(w *World) authserver.ClientRegistration

	// Config changes the configuration that the server has made. The server's
	// URL is its Provider.Issuer.
	Config func(*authcode.Config)

	// New makes the Client. If nil, authcode.New.
	New func(authcode.Config) (*authcode.Client, error)

	// Login are the options of the link /login. If nil, the return path is the
	// parameter next, and the value cart is 42.
	Login []authcode.AuthOption
}

// New starts the usual world, with changes to its configuration.
func New(t testing.TB, changes ...func(*authcode.Config)) *World {
	t.Helper()
	return Open(t, Setup{Config: func(cfg *authcode.Config) {
		for _, change := range changes {
			change(cfg)
		}
	}})
}

// Open starts a world that differs. When the test ends, all that the app let
// out is searched for secrets.
func Open(t testing.TB, s Setup) *World {
	t.Helper()
	w := &World{t: t, setup: s, Server: s.Server}
	if s.Server == nil && s.Remote == nil {
		w.Server = authserver.NewTLSServer(s.Options...) // an app on https takes no other
		t.Cleanup(w.Server.Close)
	}
	w.App = httptest.NewUnstartedServer(http.HandlerFunc(w.serve))
	w.App.EnableHTTP2, w.App.TLS = s.HTTP2, authserver.ServerTLS()
	w.App.StartTLS()
	t.Cleanup(w.App.Close)
	w.register()
	change := s.Config
	if change == nil {
		change = func(*authcode.Config) {}
	}
	w.Configure(change)
	t.Cleanup(w.WantNoSecret)
	return w
}

func (w *World) register() {
	callback := w.App.URL + "/callback"
	switch {
	case w.Server == nil:
		w.Config = Config(nil)
		w.Config.RedirectURL, w.Config.Wrap = callback, Through(w.setup.Remote)
	case w.setup.Register != nil:
		w.Config = w.Server.Register(w.setup.Register(w))
	default:
		w.Config = w.Server.Register(authserver.ClientRegistration{
			ID: "canary-client", Secret: CanarySecret, RedirectURIs: []string{callback},
		})
	}
}

// Register registers the app anew, and configures it as the server says.
func (w *World) Register(reg authserver.ClientRegistration, changes ...func(*authcode.Config)) {
	w.TB().Helper()
	reg.RedirectURIs = []string{w.App.URL + "/callback"}
	w.Hide(reg.Secret)
	w.Config = w.Server.Register(reg)
	w.Configure(changes...)
}

// Configure changes the configuration, and puts the app behind a new Client, as
// a restart does.
func (w *World) Configure(changes ...func(*authcode.Config)) {
	t := w.TB()
	t.Helper()
	w.Config.LoginURL, w.Config.HomeURL, w.Config.OnError = "/login", "/home", w.onError
	for _, change := range changes {
		change(&w.Config)
	}
	build := w.setup.New
	if build == nil {
		build = authcode.New
	}
	client, err := build(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	w.Client = client
	w.Serve(w.Handler(client))
	for _, key := range w.Config.CookieKeys {
		w.Hide(string(key))
	}
	w.dump(w.Config, &w.Config, client, *client)
}

// Handler is the app with this Client.
func (w *World) Handler(client *authcode.Client) http.Handler {
	options := w.setup.Login
	if options == nil {
		options = []authcode.AuthOption{
			authcode.Value("cart", "42"),
		}
	}
	mux := http.NewServeMux()
	mux.Handle("/login", client.LoginHandler(options...))
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(w.Welcome)))
	mux.HandleFunc("/home", home)
	return mux
}

func home(rw http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie("session"); err != nil {
		http.Error(rw, "nobody", http.StatusUnauthorized)
		return
	}
	io.WriteString(rw, "signed in")
}

// Welcome is the app's own handler, behind CallbackHandler: it keeps the login,
// starts a session and sends the person to the return path.
func (w *World) Welcome(rw http.ResponseWriter, r *http.Request) {
	login, ok := authcode.FromContext(r.Context())
	if !ok {
		w.TB().Error("CallbackHandler called the app without a login")
		return
	}
	w.mu.Lock()
	w.logins = append(w.logins, login)
	w.mu.Unlock()
	w.dump(login, *login)
	http.SetCookie(rw, &http.Cookie{
		Name: "session", Value: "1", Path: "/", Secure: true, HttpOnly: true,
	})
	login.Redirect(rw, r)
}

func (w *World) onError(rw http.ResponseWriter, r *http.Request, err *authcode.Error) {
	w.mu.Lock()
	w.errors = append(w.errors, err)
	w.mu.Unlock()
	w.dump(err, *err, fmt.Errorf("app: %w", err))
	authcode.ErrorPage(rw, r, err)
}

// Serve puts h in place of the app. The usual app is w.Handler(w.Client).
func (w *World) Serve(h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = h
}

// Before has the app's requests pass through f first.
func (w *World) Before(f func(http.ResponseWriter, *http.Request, http.Handler)) {
	next := w.Handler(w.Client)
	w.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { f(rw, r, next) }))
}

func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	h := w.handler
	w.mu.Unlock()
	h.ServeHTTP(rw, r)
}

// In has failures reported to t, which is a subtest, until it ends.
func (w *World) In(t testing.TB) {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.t
	w.t = t
	t.Cleanup(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.t = before
	})
}

// TB is the test that runs now.
func (w *World) TB() testing.TB {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t
}

// Quiet ends the transcript. What it has so far is searched for the app's own
// secrets alone: thousands of logins have more than can be searched for.
func (w *World) Quiet() { w.quiet = true }

func (w *World) dump(values ...any) {
	if !w.quiet {
		w.Transcript.Dump(values...)
	}
}

// Logins are those that reached the app.
func (w *World) Logins() []*authcode.Login {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.logins)
}

// Errors are those that reached OnError.
func (w *World) Errors() []*authcode.Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.errors)
}
