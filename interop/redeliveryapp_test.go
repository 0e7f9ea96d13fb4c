package interop

import (
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/clock"
)

// place is where a login is when the browser drops its callback.
type place string

const (
	postCame      place = "a form that the library has not seen"
	postAnswered  place = "a form whose answer is not sent yet"
	callbackCame  place = "before the library has seen it"
	tokenWanted   place = "before the token request"
	tokenAsked    place = "during the token request"
	tokenAnswered place = "after the token answer"
	loginHandled  place = "after the app has the login"
)

// gate holds the first request that reaches its place, until open.
type gate struct {
	at      place
	held    atomic.Bool
	reached chan struct{} // closed when a request is held
	opened  chan struct{}
	open    func() // may be called more than once
}

func newGate(t *testing.T, at place) *gate {
	g := &gate{at: at, reached: make(chan struct{}), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open) // before the servers close, which wait for their requests
	return g
}

func (g *gate) pass(at place) {
	if at == g.at && g.held.CompareAndSwap(false, true) {
		close(g.reached)
		<-g.opened
	}
}

// delivery is a callback as it came to the app.
type delivery struct {
	r     *http.Request
	url   string
	gone  <-chan struct{} // closed when the server sees that the browser has dropped it
	ended chan struct{}   // closed when the app has handled it
}

// slowApp is an app with sessions, whose gate may hold a login at any step.
type slowApp struct {
	url        string
	srv        *authserver.Server
	gate       *gate
	deliveries chan *delivery

	mu       sync.Mutex
	sessions map[string]bool
}

// serveSlowApp serves an app on https://localhost. Its provider is on https,
// too.
func serveSlowApp(t *testing.T, http2, formPost bool, at place) *slowApp {
	t.Helper()
	pair := theCertificate(t).pair
	a := &slowApp{
		srv:        authserver.NewTLSServer(authserver.Certificate(pair)),
		deliveries: make(chan *delivery, 16),
		sessions:   make(map[string]bool),
	}
	t.Cleanup(a.srv.Close)
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(a.watch(mux))
	server.EnableHTTP2 = http2
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	a.url = "https://localhost:" + port

	cfg := a.srv.Config(a.url + "/callback")
	cfg.Provider.TokenURL = a.slowEndpoint(t, cfg.Provider.TokenURL)
	cfg.Provider.FormPost = formPost
	cfg.LoginURL, cfg.HomeURL = "/login", "/home"
	cfg.Clock = new(clock.Clock)
	clock.Slow(cfg.Clock, 2*int64(patience/time.Second)) // a busy machine keeps a login waiting
	cfg.Wrap = func(next http.RoundTripper) http.RoundTripper { return &slowTransport{next, a} }
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	client.Mount(mux, http.HandlerFunc(a.signIn))
	mux.HandleFunc("GET /home", a.home)
	mux.HandleFunc("GET /start", func(http.ResponseWriter, *http.Request) {})
	server.StartTLS()
	t.Cleanup(server.Close)
	a.gate = newGate(t, at)
	return a
}

// slowEndpoint serves what target does, once the gate has let the request pass.
func (a *slowApp) slowEndpoint(t *testing.T, target string) string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: u.Scheme, Host: u.Host})
	proxy.Transport = theCertificate(t).transport()
	front := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			a.gate.pass(tokenAsked)
			proxy.ServeHTTP(w, r)
		}))
	front.TLS = &tls.Config{Certificates: []tls.Certificate{theCertificate(t).pair}}
	front.StartTLS()
	t.Cleanup(front.Close)
	return front.URL + u.Path
}

// slowTransport is how the app asks for tokens.
type slowTransport struct {
	next http.RoundTripper
	app  *slowApp
}

func (s *slowTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	s.app.gate.pass(tokenWanted)
	res, err := s.next.RoundTrip(r)
	s.app.gate.pass(tokenAnswered)
	return res, err
}

// watch tells the test of each callback, before next sees it.
func (a *slowApp) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" {
			next.ServeHTTP(w, r)
			return
		}
		d := &delivery{r, a.url + r.RequestURI, r.Context().Done(), make(chan struct{})}
		defer close(d.ended)
		a.deliveries <- d
		if r.Method == http.MethodPost {
			a.gate.pass(postCame)
			next.ServeHTTP(w, r)
			a.gate.pass(postAnswered)
			return
		}
		a.gate.pass(callbackCame)
		next.ServeHTTP(w, r)
	})
}

// next returns the next callback with this method.
func (a *slowApp) next(t *testing.T, method string) *delivery {
	t.Helper()
	for {
		d := await(t, a.deliveries, "a "+method+" of the callback")
		if d.r.Method == method {
			return d
		}
	}
}

// signIn starts a session, as an app does after a login.
func (a *slowApp) signIn(w http.ResponseWriter, r *http.Request) {
	id := rand.Text()
	a.mu.Lock()
	a.sessions[id] = true
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: "__Host-session", Value: id, Path: "/", Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, "/home", http.StatusSeeOther)
	a.gate.pass(loginHandled)
}

func (a *slowApp) signedIn() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.sessions)
}

func (a *slowApp) home(w http.ResponseWriter, r *http.Request) {
	id := "signed-out"
	if c, err := r.Cookie("__Host-session"); err == nil {
		a.mu.Lock()
		if a.sessions[c.Value] {
			id = "signed-in"
		}
		a.mu.Unlock()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<p id="%s">%[1]s</p>`, id)
}

// await returns what c brings next.
func await[T any](t *testing.T, c <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatalf("did not happen: %s", what)
	}
	return v
}
