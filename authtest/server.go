// Package authtest is an OAuth 2.0 and OpenID Connect authorization server for
// testing an app that signs people in with package authcode:
//
//	srv := authtest.NewServer(app.URL + "/callback")
//	defer srv.Close()
//	client, err := authcode.New(srv.Config())
//	…
//	resp, err := srv.SignIn(browser, app.URL+"/login")
//
// The example below is a whole test.
//
// # Signing in
//
// [Server.SignIn] takes an *http.Client with a cookie jar through a whole
// login, from the app's login link to what the app answers at its callback. The
// answer of the server comes back in a redirect, or in a form that the browser
// posts if Provider.FormPost is set. A new server approves every login at once,
// as the first of its users. [Server.SetConsent] makes it refuse, or ask a
// person. [NewServer] takes users with any claims, and [Server.SetUser] chooses
// who signs in.
//
// [Server.Callback] stops just before the app's callback, to send the request
// twice, late, or from another browser. [Server.Register] adds further clients.
//
// # Faults
//
// [Server.SetFaults] makes the server misbehave as real providers do: it is
// down, slow or busy, refuses the code or the client, or sends an ID token that
// is not valid. Each [Fault] says which [authcode.Reason] the app sees. A test
// checks what the app does then: what it shows and logs, and which sessions it
// ends.
//
// # Time
//
// [Server.Advance] moves the time of the server and of every Client that was
// made from its Configs, so that a login or a token expires without waiting.
// The cookies of an http.Client keep the real time.
//
// # Signing out
//
// [Server.LogoutToken] and [Server.FrontChannelLogoutURL] make what a provider
// sends to an app when a person signs out elsewhere. The server also takes
// sign-outs that begin at the app: see [Registration].
//
// # Watching
//
// [Server.Requests] returns what the server saw, and [Server.Secrets] every
// code, token and secret that it gave out, so that a test can search logs and
// pages for them. The endpoints are /authorize, /par, /token, /userinfo,
// /introspect, /revoke, /logout and /jwks. /resource is an API: it takes an
// access token and says whose it is.
//
// # Strictness
//
// The server refuses what a good provider refuses: a redirect URI that differs
// by a byte, a login without PKCE, a code or a refresh token that is used
// twice. It can demand what FAPI 2.0 demands: see [Registration].
//
// Anybody who reaches the server can sign in as any of its users. It listens on
// loopback only, and must never guard anything.
package authtest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/clock"
)

// Server is a running authorization server. It is safe for concurrent use.
type Server struct {
	// URL is the base URL of the server and its issuer identifier, without a
	// slash at the end.
	URL string

	server *authserver.Server
	client Registration // of Config
	users  []User
	clock  clock.Clock

	mu      sync.Mutex
	secrets []string // of the clients, once each
}

// NewServer starts a server on a free loopback port, for an app whose callback
// is at redirectURL. It serves TLS if the app does, that is if redirectURL is
// https. The first of users signs in unless [Server.SetUser] or a login_hint
// says otherwise; without users there are alice, bob and carol, whose e-mail
// address is not verified.
//
// NewServer panics if redirectURL is not an absolute http or https URL, if two
// users have the same Subject or one has none, if a claim cannot be encoded, or
// if it cannot listen. The caller closes the server.
func NewServer(redirectURL string, users ...User) *Server {
	secure := checkURL("NewServer", redirectURL).Scheme == "https"
	if len(users) == 0 {
		users = defaultUsers
	}
	start := authserver.NewServer
	if secure {
		start = authserver.NewTLSServer
	}
	// RS256 is what a provider signs with, unless an app registers for another
	// algorithm.
	server := start(authserver.Users(checked(users)...), authserver.Algorithm("RS256"))
	return &Server{
		URL: server.URL, server: server, users: slices.Clone(users),
		client: Registration{
			ClientID: "authtest-app", ClientSecret: rand.Text(), RedirectURLs: []string{redirectURL},
		},
	}
}

// Close stops the server and waits until its goroutines have ended. It may be
// called more than once.
func (s *Server) Close() { s.server.Close() }

// Config returns a configuration that [authcode.New] accepts, for a client with
// the redirect URL that [NewServer] was given. The client has a secret, which
// it sends with HTTP Basic. Provider is an OpenID provider named "authtest", so
// that logins have an Identity. If the server serves TLS, the configuration
// trusts its certificate. Every call makes a new cookie key.
//
// LoginURL is empty: the app sets it to its own. A test changes what it likes
// in the configuration, such as CookieKeys, OnError or Provider.FormPost.
// [Server.Advance] moves the time of a Client only if its Config came from here
// or from [Server.Register].
func (s *Server) Config() authcode.Config { return s.Register(s.client) }

// Transport returns an HTTP transport that trusts the server's certificate. A
// test calls the server's endpoints with it, and an app that builds its own
// Config uses it as Config.Transport.
func (s *Server) Transport() *http.Transport {
	return s.server.Transport()
}

// Advance moves the time of the server and of the Clients made from its Configs
// forward by d. A login that is under way expires after ten minutes, an access
// token after an hour, a code after a minute. A negative d moves the time back.
// What an app signs itself, such as a client assertion, has the real time and
// is checked against the real time. Sessions and grants go by the clock of their
// store, which does not move.
func (s *Server) Advance(d time.Duration) {
	s.server.Advance(d)
	clock.Advance(&s.clock, d)
}
