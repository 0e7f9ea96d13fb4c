// Package authcode signs users in to server-side web apps with the OAuth 2.0
// authorization code grant (RFC 6749 section 4.1): "Log in with X".
//
//	client, err := authcode.New(authcode.Config{…})
//	client.Mount(mux, http.HandlerFunc(welcome))
//
// The handler welcome gets the [Login] from [FromContext], starts the app's own
// session and ends with [Login.Redirect]. Mount puts [Client.LoginHandler] and
// [Client.CallbackHandler] on an [http.ServeMux]; other routers mount the two
// themselves. Frameworks with other handlers call [Client.AuthCodeURL] and
// [Client.Exchange] instead.
//
// # Security
//
// Every login has a random state and an S256 code challenge (RFC 7636), sealed
// in its own cookie, so several tabs can sign in at once. [Client.Exchange]
// checks the whole callback before it changes anything, sends a code once and
// follows no redirect. No option turns any of this off. SECURITY.md says what
// is guaranteed, what is trusted and what is out of scope.
//
// Nothing that this package prints, logs or shows contains a secret: values
// with secrets print and marshal as REDACTED. There are two exceptions.
// [Login.Token] has x/oauth2's type, which prints its secrets. And package fmt
// bypasses the methods of a Config, Login or TokenRequest in an unexported
// field, or behind a pointer and printed with a verb that pointers do not have.
// So keep the Client in the app's structs, and not the Config.
//
// # Errors
//
// Every error is an [*Error], except from an app's own function. Its [Reason]
// says what to do: errors.Is(err, authcode.Denied). Its Check names the rule
// that failed. The handlers show [ErrorPage] or call [Config.OnError]. A failed
// login never restarts by itself.
//
// # Extending
//
// [Provider] is data. [ClientAuth], [Binding] and [MessageSigning] are structs
// of functions and facts: to wrap one, copy it and replace a function. If a
// constructor gets bad arguments, it says so in the field Err, which [New]
// reports. Each function gets a [Connection] with the rules of the Config, and
// the Client checks what it returns. A foreign error, which is not an [*Error],
// becomes [Configuration] unless the field says otherwise. Package authtest is
// an authorization server for an app's tests.
//
// # Compatibility
//
// The exported API and the names of reasons and checks follow Go's rules for
// modules. A release can open the login cookies of the one before it. It may
// refuse a Config that turned out to be unsafe.
package authcode

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync/atomic"

	"example.com/authcode/internal/clock"
	"example.com/authcode/internal/realm"
	"example.com/authcode/internal/secret"
)

// redacted is embedded in structs that hold secrets: they print and marshal as
// REDACTED.
type redacted = secret.Redacted

// clocked is embedded in Config so that package authtest can move the clock of
// a Client. An app always gets the real time: it cannot import internal/clock.
type clocked = clock.Carrier

// inRealm is embedded in Config so that package tenants can make Clients that
// belong together. An app cannot: it cannot import internal/realm.
type inRealm = realm.Carrier

// Config says how [New] builds a [Client]. New copies it. It prints and
// marshals as REDACTED.
//
// A worker, which only refreshes, uses and revokes tokens, leaves RedirectURL,
// CookieKeys, LoginURL, HomeURL, ReturnToParam, UsedStates and OnError empty. It
// counts as an app on https. Its Client refuses to sign people in.
type Config struct {
	redacted
	clocked
	inRealm

	Provider   Provider   // the authorization server that signs people in
	ClientID   string     // identifies the app to the provider (RFC 6749 section 2.2)
	ClientAuth ClientAuth // proves who the app is: [Secret], [Public] or package clientauth

	// RedirectURL is the absolute URL of [Client.CallbackHandler], as
	// registered: https, or http on loopback (localhost, *.localhost,
	// 127.0.0.0/8, ::1). With https, the login cookies are Secure and __Host-.
	RedirectURL string

	Scopes []string // requested at every login; if nil, Provider.Scopes

	// CookieKeys are secrets of 32 or more random bytes, the same in all
	// instances of an app. The first key seals, every key opens. To rotate,
	// deploy {old, new}, then {new, old}, and ten minutes later {new}.
	CookieKeys [][]byte

	// LoginURL is where a person starts again after a failure. HomeURL is where
	// a person continues without signing in. Both are local paths or absolute
	// http(s) URLs. If empty, LoginURL is HomeURL, and HomeURL is "/".
	LoginURL, HomeURL string

	// ReturnToParam names LoginURL's query parameter with the path to return
	// to, as in /login?next=/cart. If empty, "next". [ReturnTo] wins.
	ReturnToParam string

	// Transport carries requests to the provider. Clients may share it. If nil,
	// a Client makes its own, with timeouts and the environment's proxy.
	Transport *http.Transport

	// Wrap wraps Transport, for tracing or tests. It sees every request with
	// its secrets. New calls it once, and again if Certificate is set.
	Wrap func(http.RoundTripper) http.RoundTripper

	// InsecureInnerOrigins maps an inner http origin of the provider to the
	// https origin that it stands for: "http://keycloak:8080" to
	// "https://sso.example". The app then sends its own requests to the inner
	// origin, and metadata may name that. Browsers and the Provider keep the
	// https URLs. Nothing protects these requests on the way: the server that
	// answers at the inner origin decides who signs in, and anybody who listens
	// learns the client secret and every token. So use it only in a network
	// that nobody else can reach. If nil, there are none.
	InsecureInnerOrigins map[string]string

	// Certificate returns the client certificate (RFC 8705) for the token, PAR,
	// revocation and introspection endpoints, and with [Binding.Certificate]
	// for APIs. Many goroutines call it, and it ends with its context. New
	// calls it with a canceled one: a certificate that is there at once is
	// checked.
	Certificate func(context.Context) (*tls.Certificate, error)

	Binding        Binding        // binds tokens to a key of the app; if zero, they are bearer
	MessageSigning MessageSigning // signs what the browser carries; if zero, it is plain

	// Algorithms (RFC 7518 section 3.1) may sign for app and provider: New
	// checks the parts, the Client every JWT. If nil, each part has a default.
	Algorithms []string

	// DisablePAR ignores PARURL (RFC 9126), unless [Endpoints.RequirePAR] is
	// set. If false, a login goes on without a PARURL that does not work, with a
	// line in the log, unless RequirePAR or SignRequest is set. If it has never
	// worked, all logins do for ten minutes.
	DisablePAR bool

	UsedStates UsedStates // makes logins one-time across instances; if nil, in each process

	// OnError answers failed logins and can log them. If nil, [ErrorPage]
	// answers, and slog's default logger gets a line.
	OnError func(http.ResponseWriter, *http.Request, *Error)

	// Observe is told when an operation begins. It returns a context and a
	// function for the end; both may be nil. What happens inside the operation,
	// such as a request to the provider, has the values of that context, such as
	// a span. The function gets nil, or the failure; [Prefetch] and [Continued]
	// are not failures of a login. Many goroutines call both, which must return
	// quickly. If one panics, the login goes on, and slog's default logger gets
	// a line. If nil, nobody is told.
	Observe func(context.Context, Operation) (context.Context, func(*Error))
}

// Client signs users in with one provider. It never changes and is safe for
// concurrent use. It prints and marshals as REDACTED.
type Client struct {
	redacted
	cfg    Config // without CookieKeys
	scopes []string
	host   string // of RedirectURL, without port

	// The patterns for Mount. loginPattern is empty if LoginURL is empty or on
	// another host.
	loginPattern, callbackPattern string

	loopback      bool  // RedirectURL is http: cookies have neither __Host- nor Secure
	maxAge        int64 // seconds, from Provider.AuthParams; negative if not set there
	sealers       []*sealer
	plain         http.RoundTripper // shows no certificate
	withCert      http.RoundTripper // shows Config.Certificate; nil if there is none
	lastEndpoints *atomic.Pointer[resolvedEndpoints]
	knownPAR      *atomic.Pointer[knownPAR] // of the PAR endpoint; nil before the first request
}

// isWorker reports whether nobody signs in with cfg.
func (cfg *Config) isWorker() bool {
	// RedirectURL and CookieKeys alone do not tell: an app that has forgotten
	// both must learn so from New, and such an app has set one of the others.
	return cfg.RedirectURL == "" && len(cfg.CookieKeys) == 0 &&
		cfg.LoginURL == "" && cfg.HomeURL == "" && cfg.ReturnToParam == "" &&
		cfg.UsedStates == nil && cfg.OnError == nil
}

// RedirectURL returns Config.RedirectURL, or "" if c is nil. It does no I/O,
// unlike Connection.
func (c *Client) RedirectURL() string {
	if c == nil {
		return ""
	}
	return c.cfg.RedirectURL
}

// New checks cfg and returns a Client. It does no I/O. Its error is an [*Error]
// with Reason [Configuration], whose Faults list every fault and its cure.
func New(cfg Config) (*Client, error) {
	// List all faults at once, so that an operator does not need one restart
	// per fault.
	if faults := distinct(cfg.faults()); len(faults) > 0 {
		return nil, &Error{Reason: Configuration, Check: "config", Faults: faults}
	}
	c := &Client{
		cfg: cfg, maxAge: -1,
		lastEndpoints: new(atomic.Pointer[resolvedEndpoints]),
		knownPAR:      new(atomic.Pointer[knownPAR]),
	}
	c.cfg.setDefaults()
	c.scopes = c.cfg.Scopes
	if v, ok := c.cfg.Provider.AuthParams["max_age"]; ok {
		c.maxAge, _ = parseMaxAge(v) // faults has checked it
	}
	redirect, _ := url.Parse(cfg.RedirectURL) // faults has checked it
	// The scheme decides, not the request: behind a proxy that ends TLS, every
	// request arrives as http, and the cookies must still be Secure.
	c.host, c.loopback = redirect.Hostname(), redirect.Scheme == "http"
	c.callbackPattern = mountPattern(redirect)
	if login, err := redirect.Parse(cfg.LoginURL); err == nil && cfg.LoginURL != "" &&
		login.Host == redirect.Host {
		c.loginPattern = mountPattern(login)
	}
	c.makeSealers(cfg.CookieKeys)
	// Drop the keys, so that printing a struct that contains a Client cannot
	// reveal them.
	c.cfg.CookieKeys = nil
	if err := c.buildTransports(); err != nil {
		return nil, err
	}
	return c, nil
}
