package interop

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"example.com/authcode"
)

// app is the smallest app with the root package's handlers: /login, /callback, /.
type app struct {
	url    string // https://localhost:PORT or http://127.0.0.1:PORT
	client *authcode.Client

	mu    sync.Mutex
	last  outcome
	pages map[string]http.Handler // besides /login and /callback
}

// outcome is what the last callback came to: a login or an error.
type outcome struct {
	login *authcode.Login
	err   *authcode.Error
}

// outcome returns the last outcome and forgets it.
func (a *app) outcome() (o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o, a.last = a.last, o
	return o
}

func (a *app) note(o outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last = o
}

// handle adds a page to a.
func (a *app) handle(path string, page http.Handler) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pages == nil {
		a.pages = make(map[string]http.Handler)
	}
	a.pages[path] = page
}

func (a *app) page(path string) http.Handler {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.pages[path]
}

// newApp serves an app and registers it as p with o. With form_post it is an https app on
// localhost, another site than the provider on 127.0.0.1; else an http app on loopback.
// change may alter the configuration before the app is built from it.
func newApp(t testing.TB, o *oidcProvider, p peer, change func(*authcode.Config)) *app {
	t.Helper()
	cfg := authcode.Config{
		Provider:   o.provider(t),
		ClientAuth: p.auth(),
		CookieKeys: [][]byte{newKey()},
		Transport:  o.transport,
	}
	cfg.Provider.AuthStyle = p.style
	change(&cfg)
	return serveApp(t, cfg.Provider.FormPost, func(redirectURL string) authcode.Config {
		cfg.RedirectURL = redirectURL
		cfg.ClientID = o.register(t, p, redirectURL)
		return cfg
	})
}

// serveApp serves the app that configure describes once the redirect URL is known.
func serveApp(t testing.TB, secure bool, configure func(redirectURL string) authcode.Config) *app {
	t.Helper()
	return serveAppOf(t, secure, configure, authcode.New)
}

// serveAppOf is serveApp with another way to make the Client.
func serveAppOf(
	t testing.TB, secure bool, configure func(redirectURL string) authcode.Config,
	make func(authcode.Config) (*authcode.Client, error),
) *app {
	t.Helper()
	a := new(app)
	server := httptest.NewUnstartedServer(a)
	a.url = "http://" + server.Listener.Addr().String()
	if secure {
		_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
		a.url = "https://localhost:" + port
	}
	cfg := configure(a.url + "/callback")
	cfg.LoginURL = "/login"
	cfg.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
		a.note(outcome{err: err})
		authcode.ErrorPage(w, r, err)
	}
	var err error
	if a.client, err = make(cfg); err != nil {
		t.Fatal(err)
	}
	if secure {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{theCertificate(t).pair}}
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return a
}

// ServeHTTP has no http.ServeMux: it would clean paths, and tests look at them as they came.
func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		a.client.LoginHandler().ServeHTTP(w, r)
	case "/callback":
		a.client.CallbackHandler(http.HandlerFunc(a.welcome)).ServeHTTP(w, r)
	default:
		if page := a.page(r.URL.Path); page != nil {
			page.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "at %q", r.RequestURI)
	}
}

func (a *app) welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	a.note(outcome{login: login})
	login.Redirect(w, r)
}

func newKey() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}

func unchanged(*authcode.Config) {}

// offline asks for a refresh token: oidc-provider gives one to a web app only after it has
// asked the person (OpenID Connect Core section 11).
func offline(cfg *authcode.Config) {
	cfg.Scopes = []string{"openid", "offline_access"}
	cfg.Provider.AuthParams = map[string]string{"prompt": "consent"}
}
