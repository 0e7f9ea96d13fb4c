// Package authtest is an OAuth 2.0 and OpenID Connect authorization server for tests and
// demos, in one line, like net/http/httptest:
//
//	srv := authtest.NewServer()
//	defer srv.Close()
//	login, err := authcode.New(srv.Config("https://app.example/callback"))
//
// # Signing in
//
// A new server approves every login at once, as the first of its users; [Server.SetConsent] and
// [Server.SetUser] change that. [Server.SignIn] takes an *http.Client with a cookie jar through
// a whole login of the app under test. With [Ask] the server shows people a page where they
// choose a user and approve or deny.
//
// # Strict by default
//
// The server refuses what a good one refuses: a redirect URI that differs from a registered
// one by a single byte, a request without an S256 challenge, a repeated parameter, a client
// that authenticates in another way than the registered one or in two ways at once. A code
// works once, for 60 seconds, for its client, redirect URI and verifier; a second use revokes
// the tokens issued for it (RFC 6749 section 4.1.2). Refresh tokens rotate, and reuse of
// an old one revokes the grant (RFC 9700 section 4.14.2). Every authorization response
// carries iss (RFC 9207).
//
// # Faulty on demand
//
// [Server.SetFaults] makes one [Place] of the server misbehave, at run time: silence, endless
// answers, redirects, echoed secrets, wrong or repeated members and parameters, wrong signatures.
// Each [Fault] is documented at its constructor. [Server.RotateKeys] is no fault: every client has
// to live with it.
//
// # Signing out
//
// The server has an end_session_endpoint (OpenID Connect RP-Initiated Logout).
// [Server.LogoutToken] and [Server.FrontChannelLogout] make what it would send to the app.
//
// # Watching
//
// [Server.Requests] returns what the server saw, and [Server.Issued] every code and token it
// gave out, to search logs and pages for.
//
// # Security
//
// Anybody who reaches this server may sign in as any of its users. It listens on loopback only.
// It is for tests and demos and must never guard anything.
package authtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// Server is a running authorization server. Its methods may be called by many goroutines.
type Server struct {
	// URL is the base URL and the issuer identifier, without a trailing slash.
	URL string

	users []User
	alg   string
	cert  *x509.Certificate // nil over http

	http      *http.Server
	transport *http.Transport
	done      chan struct{}  // closed by Close: ends every handler that waits
	running   sync.WaitGroup // the accept loop and the connections
	closeOnce sync.Once

	mu      sync.Mutex // guards all below
	state   store
	keys    []*signer // the JWKS; the first signs
	consent Consent
	user    User
	shift   time.Duration
	faults  map[Place][]Fault
	visits  map[Place]int
	seen    []Request
	issued  []string
}

// Option changes a new server.
type Option func(*options)

type options struct {
	addr  string
	users []User
	alg   string
}

// Listen makes the server listen on a fixed loopback address, such as "localhost:9000" or
// "127.0.0.1:0". Its host becomes the host of [Server.URL]. Port 0 is a free port. Without
// it, the server listens on "127.0.0.1:0".
func Listen(addr string) Option { return func(o *options) { o.addr = addr } }

// Users replaces the people who can sign in. The first signs in unless [Server.SetUser] or a
// login_hint says otherwise. Without it there are alice, bob and carol; carol's e-mail address
// is not verified.
func Users(users ...User) Option {
	return func(o *options) { o.users = append([]User(nil), users...) }
}

// Algorithm chooses how ID tokens are signed: "ES256", which is the default,
// "RS256" or "EdDSA" (with Ed25519).
func Algorithm(alg string) Option { return func(o *options) { o.alg = alg } }

// NewServer starts a server over http. It panics if it cannot listen or if an option makes
// no sense. The caller closes it.
func NewServer(opts ...Option) *Server { return start(false, opts) }

// NewTLSServer starts a server over https with a certificate made for it; see
// [Server.Client] and [Server.Certificate]. It panics like [NewServer].
func NewTLSServer(opts ...Option) *Server { return start(true, opts) }

func start(secure bool, opts []Option) *Server {
	o := options{addr: "127.0.0.1:0", users: defaultUsers(), alg: "ES256"}
	for _, opt := range opts {
		opt(&o)
	}
	if len(o.users) == 0 {
		panic("authtest: Users needs at least one user")
	}
	key := newSigner(o.alg)
	if key == nil {
		panic(fmt.Sprintf("authtest: Algorithm(%q): neither ES256, RS256 nor EdDSA", o.alg))
	}
	host, listener := listen(o.addr)
	s := &Server{
		users:     o.users,
		user:      o.users[0],
		alg:       o.alg,
		keys:      []*signer{key},
		transport: &http.Transport{MaxResponseHeaderBytes: 64 << 10},
		done:      make(chan struct{}),
		faults:    map[Place][]Fault{},
		visits:    map[Place]int{},
		state:     newStore(),
	}
	scheme := "http://"
	if secure {
		cert := newCertificate(host)
		s.cert = cert.Leaf
		s.transport.TLSClientConfig = &tls.Config{RootCAs: s.pool()}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{cert}})
		scheme = "https://"
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	s.URL = scheme + net.JoinHostPort(host, port)
	s.serveHTTP(listener)
	return s
}

// listen refuses every address but loopback: this server lets anybody sign in as anybody.
func listen(addr string) (host string, l net.Listener) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		panic(fmt.Sprintf("authtest: Listen(%q): %v", addr, err))
	}
	ip, err := netip.ParseAddr(host)
	if host != "localhost" && !strings.HasSuffix(host, ".localhost") &&
		(err != nil || !ip.IsLoopback()) {
		panic(fmt.Sprintf("authtest: Listen(%q): not a loopback address", addr))
	}
	l, err = net.Listen("tcp", addr)
	if err != nil {
		panic("authtest: " + err.Error())
	}
	return host, l
}

func (s *Server) serveHTTP(listener net.Listener) {
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // clients that refuse the certificate are tests
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.running.Add(1)
				s.turnAway(conn)
			case http.StateClosed, http.StateHijacked:
				s.running.Done()
			}
		},
	}
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		s.http.Serve(listener)
	}()
}

// turnAway closes a connection that was accepted while Close ran, too late for http.Server.Close
// to know it.
func (s *Server) turnAway(conn net.Conn) {
	select {
	case <-s.done:
		conn.Close()
	default:
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", s.authorize)
	mux.HandleFunc("/decision", s.decide)
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/revoke", s.revoke)
	mux.HandleFunc("/userinfo", s.userinfo)
	mux.HandleFunc("/logout", s.endSession)
	mux.HandleFunc("GET /jwks", s.jwks)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.discovery)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.running.Add(1) // a hijacked connection is no longer counted by ConnState
		defer s.running.Done()
		mux.ServeHTTP(w, r)
	})
}

// Close stops the server and waits until its goroutines have ended, also those that a fault
// keeps busy. It may be called more than once.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.done)
		s.http.Close()
		s.transport.CloseIdleConnections()
	})
	s.running.Wait()
}

// Client returns a new HTTP client that trusts the server's certificate. It has no cookie jar,
// and it uses no proxy.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.transport} }

// Certificate returns the server's certificate, which is its own authority; nil for a server
// over http.
func (s *Server) Certificate() *x509.Certificate { return s.cert }

func (s *Server) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.cert)
	return pool
}

// Advance moves the server's clock forward, so that a test sees codes and tokens expire
// without waiting. A negative d moves it back.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shift += d
}

// now is the server's time; the caller holds s.mu.
func (s *Server) now() time.Time { return time.Now().Add(s.shift) }

// pause waits for d and reports whether there is still somebody to answer.
func (s *Server) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	case <-s.done:
		return false
	}
}
