package authcode

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync/atomic"

	"example.com/authcode/internal/clock"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/secret"
)

// redacted is embedded in structs that hold secrets: they print and marshal as REDACTED.
type redacted = secret.Redacted

// clocked is embedded in Config so that package authtest can move the time that a Client goes by.
// For every app it is the real time: see package internal/clock.
type clocked = clock.Carrier

// Config says what [New] builds a [Client] from. It is copied; later changes have no effect. It
// prints and marshals as REDACTED.
type Config struct {
	redacted
	clocked

	// Provider is the authorization server to sign in with.
	Provider Provider

	// ClientID is the client identifier that the provider gave the app (RFC 6749 section 2.2).
	ClientID string

	// ClientAuth proves who the app is: [Secret], [Public] for an app without a secret, or
	// package clientauth.
	ClientAuth ClientAuth

	// RedirectURL is the absolute URL of the app's [Client.CallbackHandler], exactly as
	// registered with the provider. It must be https, or http on loopback (localhost, *.localhost,
	// 127.0.0.0/8, ::1). Its scheme decides what the login cookies look like: __Host- and Secure
	// for https.
	RedirectURL string

	// Scopes are requested at every login. If nil, Provider.Scopes.
	Scopes []string

	// CookieKeys are secrets of 32 or more random bytes each. The first seals, all open. To
	// rotate, put the new key first and drop the old one ten minutes later. Instances of
	// the same app share them. Several Clients may share them too.
	CookieKeys [][]byte

	// LoginURL is where a person starts this login again: the path of [Client.LoginHandler]. Error
	// pages link to it. A local path or an absolute http(s) URL. If empty, HomeURL.
	LoginURL string

	// HomeURL is where a person goes on after a login that is already finished. If empty, "/".
	HomeURL string

	// Transport carries the requests to the provider. It is used as it is, so several Clients may
	// share it and its connections. If nil, a transport of the Client's own with bounded
	// headers, handshake and waiting times, and the proxy from the environment.
	Transport *http.Transport

	// Wrap is put around Transport: for tracing, or for a test. It is called by [New], once, and
	// once more if there is a Certificate. It sees every request to the provider, with its
	// secrets. If nil, nothing is around Transport.
	Wrap func(http.RoundTripper) http.RoundTripper

	// Certificate returns the client certificate of each request that shows one (RFC 8705), on many
	// goroutines: see package clientauth. A changed certificate gets new connections. It is shown to the
	// provider's token, PAR, revocation and introspection endpoints (their aliases in
	// [Endpoints.MTLS], where there are some), and to APIs if [Binding.Certificate] is set; to nobody
	// else. New calls it once with a context that has already ended, to check a certificate that
	// needs no waiting for. If nil, no certificate is shown.
	Certificate func(context.Context) (*tls.Certificate, error)

	// Binding binds tokens to a key of the app's, so that a stolen token is of no use: package
	// dpop, or clientauth.CertificateBound. If zero, whoever has a token can use it (bearer).
	Binding Binding

	// MessageSigning signs authorization requests (JAR) and demands signed responses (JARM). If
	// zero, both are plain.
	MessageSigning MessageSigning

	// Algorithms are the JWS algorithms (RFC 7518 section 3.1) that are admitted for all that the app
	// or the provider signs. [New] refuses parts that use others as far as it can know, and every
	// later signature is checked. If nil, each part has its own default.
	Algorithms []string

	// DisablePAR sends authorization requests through the browser even if the provider offers an
	// endpoint for pushed ones (RFC 9126), unless it requires them. If false, requests are pushed
	// wherever there is an endpoint. To insist on them, set Provider.RequirePAR.
	DisablePAR bool

	// UsedStates makes a login one-time over several instances. If nil, it is one-time in each
	// process, and over all instances by the provider's one-time code and PKCE.
	UsedStates UsedStates

	// OnError answers a failed login in [Client.LoginHandler] and [Client.CallbackHandler]. If nil,
	// [ErrorPage]. It is the place to log: the error is safe to log as it is.
	OnError func(http.ResponseWriter, *http.Request, *Error)
}

// Client signs users in with one provider. It is safe for concurrent use and never changes
// after New. It prints and marshals as REDACTED.
type Client struct {
	redacted
	cfg       Config // without CookieKeys
	scopes    []string
	host      string // of RedirectURL, without port
	loopback  bool   // http on loopback: cookies without __Host- and Secure
	maxAge    int64
	sealers   []*sealer
	plain     http.RoundTripper // shows no certificate
	certified http.RoundTripper // shows Config.Certificate; nil if there is none
	used      *once.Set
	known     *atomic.Pointer[resolved]
}

// New checks cfg as a whole and returns a Client. It does no I/O. Its error is an [*Error] with Reason
// [Configuration] whose Faults lists all that is wrong, each with field, fault and cure.
func New(cfg Config) (*Client, error) {
	if faults := distinct(cfg.faults()); len(faults) > 0 {
		return nil, &Error{Reason: Configuration, Check: "config", Faults: faults}
	}
	c := &Client{cfg: cfg, maxAge: -1, used: &once.Set{Max: maxUsed}, known: new(atomic.Pointer[resolved])}
	c.cfg.complete()
	c.scopes = c.cfg.Scopes
	if v, ok := c.cfg.Provider.AuthParams["max_age"]; ok {
		c.maxAge, _ = parseMaxAge(v)
	}
	redirect, _ := url.Parse(cfg.RedirectURL) // checked above
	c.host, c.loopback = redirect.Hostname(), redirect.Scheme == "http"
	for _, key := range cfg.CookieKeys {
		k, err := newSealer(key)
		if err != nil {
			return nil, fail(Configuration, "config", "Config.CookieKeys: %v", err)
		}
		c.sealers = append(c.sealers, k)
	}
	// Drop the keys, so that nothing that prints the Client's fields can reveal them.
	c.cfg.CookieKeys = nil
	if !c.connect() {
		return nil, fail(Configuration, "config", "Config.Wrap returned nil: return the RoundTripper that wraps its argument")
	}
	return c, nil
}
