// Package authserver is the OAuth 2.0 and OpenID Connect authorization server
// that the tests of this module run against. It is strict by default and faulty
// on demand, with a switch for everything that can go wrong. Users of this
// module test with package authtest, which offers a small part of it.
//
//	srv := authserver.NewServer()
//	defer srv.Close()
//	client, err := authcode.New(srv.Config("https://app.example/callback"))
//
// # Signing in
//
// A new server approves every login at once, as the first of its users.
// [Server.SetConsent] and [Server.SetUser] change that. [Server.SignIn] takes
// an *http.Client with a cookie jar through a whole login at the app under
// test. [Server.Callback] stops before the app's callback. With [Ask], the
// server shows a page where a person chooses a user and approves or denies.
//
// # Strict by default
//
// The server refuses what a good server refuses: a redirect URI that differs
// from a registered one by a single byte, a request without an S256 challenge,
// a repeated parameter, and a client that authenticates in any other way than
// the registered one, or in two ways at once. A code works once, for 60
// seconds, and only for its client, redirect URI and verifier. A second use
// revokes the tokens issued for it (RFC 6749 section 4.1.2). Refresh tokens
// rotate, and the reuse of an old one revokes the grant (RFC 9700 section
// 4.14.2). Every authorization response has iss (RFC 9207).
//
// # High security
//
// The server supports what FAPI 2.0 demands, for clients that are registered
// for it. Other clients notice nothing. [FAPIClient] is a registration to start
// from. A [ClientRegistration] chooses the client authentication (keys with
// [PrivateKeyJWT], certificates with [SelfSignedTLS] and [TLSClientAuth]),
// pushed requests (RFC 9126), signed requests (RFC 9101), and tokens that are
// bound by DPoP (RFC 9449) or to a certificate (RFC 8705). [MutualTLS] adds the
// listener for certificates.
//
// Any client may ask for a signed response (JARM), authorization_details (RFC
// 9396), resource (RFC 8707) and acr_values. /resource is an API to call with
// the tokens. [Server.SetStepUp] makes it demand a better login (RFC 9470).
// /introspect gives plain and signed answers (RFC 7662, RFC 9701).
// [Server.SetNonces] demands nonces in proofs.
//
// The server checks assertions, proofs and request objects as the strictest
// servers do: typ, a registered algorithm, the salt of PS256, a jti that has
// not been used, aud as a single string, htu byte for byte, no repeated
// members.
//
// # Faulty on demand
//
// [Server.SetFaults] makes one [Place] of the server misbehave, at run time:
// silence, endless answers, redirects, echoed secrets, wrong or repeated
// members and parameters, wrong signatures. Each [Fault] is documented at its
// constructor. [Server.RotateKeys] is not a fault: every client must cope with
// it. [FAPI2ClientTests] are the tests of the conformance suite for FAPI 2.0
// clients, expressed as faults.
//
// # Signing out
//
// The server has an end_session_endpoint (OpenID Connect RP-Initiated Logout).
// [Server.LogoutToken] and [Server.FrontChannelLogout] make the messages that a
// provider would send to the app.
//
// # Watching
//
// [Server.Requests] returns the requests that the server received, with the
// certificates that were shown and the JWTs that were sent. [Server.Issued]
// returns every code and token that it issued, so that a test can search logs
// and pages for them.
//
// # Security
//
// Anybody who reaches this server can sign in as any of its users. It listens
// on loopback only. It is for tests and demos, and must never protect anything.
package authserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Server is a running authorization server. Its methods may be called by many
// goroutines.
type Server struct {
	// URL is the base URL and the issuer identifier, without a trailing slash.
	URL string

	// MTLSURL is the base URL of the listener that asks for client
	// certificates. It is empty without [MutualTLS].
	MTLSURL string

	users    []User
	alg      string
	cert     *x509.Certificate // nil over http
	askMain  bool              // AskCertificates
	pushed   pushOptions
	mustSign bool // RequireSignedRequest
	renamed  bool // Ed25519Name

	codeLifetime time.Duration

	servers   []*http.Server
	transport *http.Transport
	done      chan struct{}  // closed by Close: ends every handler that waits
	running   sync.WaitGroup // the accept loop and the connections
	closeOnce sync.Once

	mu      sync.Mutex // guards all below
	state   store
	keys    []*signer // the JWKS; the first signs
	dropped []*signer // from the JWKS, and held until Close: see rsaKeys
	consent Consent
	user    User
	shift   time.Duration
	faults  map[Place][]Fault
	visits  map[Place]int
	seen    []Request
	issued  []string
	stepUp  stepUp

	serverNonces, resourceNonces nonceBook
}

// NewServer starts a server over http. It panics if it cannot listen, or if the
// options contradict each other. The caller closes the server.
func NewServer(opts ...Option) *Server { return start(false, opts) }

// NewTLSServer starts a server over https, with a certificate made for it: see
// [Server.Client] and [Server.Certificate]. It panics like [NewServer].
func NewTLSServer(opts ...Option) *Server { return start(true, opts) }

// start makes the server and its listeners. The URL is known only once the
// listener has a port.
func start(secure bool, opts []Option) *Server {
	o := newOptions(secure, opts)
	host, listener := listen(o.addr)
	s := &Server{
		users:    o.users,
		user:     o.users[0],
		alg:      o.alg,
		keys:     []*signer{newSigner(o.alg)},
		askMain:  o.askMain,
		pushed:   o.pushed,
		mustSign: o.mustSign, renamed: o.renamed,

		codeLifetime: o.codeLifetime,

		transport: &http.Transport{MaxResponseHeaderBytes: 64 << 10},
		done:      make(chan struct{}),
		faults:    map[Place][]Fault{},
		visits:    map[Place]int{},
		state:     newStore(),
	}
	if !secure {
		s.URL = "http://" + net.JoinHostPort(host, portOf(listener))
		s.serve(listener, s.URL, s.routes())
		return s
	}
	cert := o.cert
	if cert.Leaf == nil {
		cert = newCertificate(host)
	}
	s.cert = cert.Leaf
	s.transport.TLSClientConfig = &tls.Config{RootCAs: s.pool()}
	s.URL = "https://" + net.JoinHostPort(host, portOf(listener))
	if o.mtls {
		_, second := listen(net.JoinHostPort(host, "0"))
		s.MTLSURL = "https://" + net.JoinHostPort(host, portOf(second))
		s.serve(withTLS(second, cert, true), s.MTLSURL, s.appRoutes(http.NewServeMux()))
	}
	s.serve(withTLS(listener, cert, o.askMain), s.URL, s.routes())
	return s
}

// routes returns the handler of the main listener, for browsers and for apps.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/authorize", s.authorize)
	mux.HandleFunc("/decision", s.decide)
	mux.HandleFunc("/logout", s.endSession)
	mux.HandleFunc("GET /jwks", s.jwks)
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /.well-known/oauth-authorization-server", s.discovery)
	return s.appRoutes(mux)
}

// appRoutes adds the endpoints that apps call, as opposed to browsers.
func (s *Server) appRoutes(mux *http.ServeMux) http.Handler {
	mux.HandleFunc("/token", s.token)
	mux.HandleFunc("/revoke", s.revoke)
	mux.HandleFunc("/par", s.par)
	mux.HandleFunc("/introspect", s.introspect)
	mux.HandleFunc("/userinfo", s.userinfo)
	mux.HandleFunc("/resource", s.resource)
	mux.HandleFunc("/resource/", s.resource)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// ConnState stops counting a connection when a fault hijacks it. Close
		// has to wait for its handler, too.
		s.running.Add(1)
		defer s.running.Done()
		mux.ServeHTTP(w, r)
	})
}

// Close stops the server and waits until its goroutines have ended, including
// those that a fault keeps busy. It may be called more than once.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.done)
		for _, server := range s.servers {
			server.Close()
		}
		s.transport.CloseIdleConnections()
		s.running.Wait()
		s.releaseKeys()
	})
}

func (s *Server) releaseKeys() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Concat(s.keys, s.dropped) {
		k.release()
	}
}

// Client returns a new HTTP client that trusts the server's certificate. It has
// no cookie jar and uses no proxy.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s.transport} }

// Transport returns the transport of [Server.Client], for authcode.Config.
func (s *Server) Transport() *http.Transport { return s.transport }

// Certificate returns the server's certificate, which is its own authority. It
// returns nil for a server over http.
func (s *Server) Certificate() *x509.Certificate { return s.cert }

func (s *Server) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.cert)
	return pool
}

// Advance moves the server's clock forward by d, so that a test sees codes and
// tokens expire without waiting. A negative d moves it back. What clients sign
// is checked against the real time, as if their clocks had moved as well.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shift += d
}

// now returns the server's time. The caller holds s.mu.
func (s *Server) now() time.Time { return time.Now().Add(s.shift) }

// pause waits for d. It reports whether the client is still waiting for an
// answer.
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
