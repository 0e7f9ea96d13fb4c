package authcode

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"example.com/authcode/internal/clock"
	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/web"
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
	resolved  *atomic.Pointer[endpoints]
}

// New checks cfg as a whole and returns a Client. It does no I/O. Its error is an [*Error] with Reason
// [Configuration] whose Faults lists all that is wrong, each with field, fault and cure.
func New(cfg Config) (*Client, error) {
	if faults := distinct(cfg.faults()); len(faults) > 0 {
		return nil, &Error{Reason: Configuration, Check: "config", Faults: faults}
	}
	c := &Client{cfg: cfg, maxAge: -1, used: &once.Set{Max: maxUsed}, resolved: new(atomic.Pointer[endpoints])}
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

// distinct drops repeats: one part may stand in several places of a Config.
func distinct(faults []string) (list []string) {
	for _, f := range faults {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// complete fills in the defaults of a Config that has passed the checks, and copies its slices and maps.
func (cfg *Config) complete() {
	p := &cfg.Provider
	if cfg.Scopes == nil {
		cfg.Scopes = p.Scopes
	}
	if p.Algorithms == nil {
		p.Algorithms = cfg.Algorithms
	}
	cfg.Scopes, p.Scopes = slices.Clone(cfg.Scopes), slices.Clone(p.Scopes)
	cfg.Algorithms, p.Algorithms = slices.Clone(cfg.Algorithms), slices.Clone(p.Algorithms)
	p.AuthParams = maps.Clone(p.AuthParams)
	p.ScopeSep = cmp.Or(p.ScopeSep, " ")
	p.ClientIDParam = cmp.Or(p.ClientIDParam, "client_id")
	if issuer := p.Issuer; issuer != "" && p.IsIssuer == nil {
		p.IsIssuer = func(iss string) bool { return iss == issuer }
	}
	cfg.HomeURL = cmp.Or(cfg.HomeURL, "/")
	cfg.LoginURL = cmp.Or(cfg.LoginURL, cfg.HomeURL)
	cfg.Binding.TokenType = cmp.Or(cfg.Binding.TokenType, "Bearer")
}

// connect makes the ways to the provider. It reports whether Wrap returned something.
func (c *Client) connect() bool {
	base := c.cfg.Transport
	if base == nil {
		base = web.NewTransport()
	}
	ok := true
	wrap := func(rt http.RoundTripper) http.RoundTripper {
		if c.cfg.Wrap == nil {
			return rt
		}
		rt = c.cfg.Wrap(rt)
		ok = ok && rt != nil
		return &wrapped{rt}
	}
	c.plain = wrap(base)
	if c.cfg.Certificate != nil {
		c.certified = wrap(&certified{mtls.New(c.cfg.Certificate, base)})
	}
	return ok
}

// wrapped gives what Wrap returned an identity, since some RoundTrippers cannot be compared.
type wrapped struct{ http.RoundTripper }

// certified makes the faults of a certificate errors of this package.
type certified struct{ *mtls.Transport }

// RoundTrip implements [http.RoundTripper].
func (t *certified) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	var fault mtls.Fault
	if errors.As(err, &fault) {
		return nil, fail(Configuration, "client_auth.certificate", "%v", fault)
	}
	return resp, err
}

// faults lists all that is wrong with cfg.
func (cfg *Config) faults() []string {
	f := cfg.Provider.faults()
	f = append(f, cfg.clientFaults()...)
	if cfg.Provider.Metadata == nil {
		f = append(f, parFaults("Provider.", cfg.Provider.Endpoints)...)
	}
	f = append(f, web.CheckURL("Config.RedirectURL", cfg.RedirectURL)...)
	f = append(f, queryFaults("Config.RedirectURL", cfg.RedirectURL, reserved)...)
	if cfg.Provider.FormPost && strings.HasPrefix(strings.ToLower(cfg.RedirectURL), "http:") {
		f = append(f, "Config.RedirectURL must be https: with Provider.FormPost the cookie needs SameSite=None; Secure")
	}
	f = append(f, cfg.seamFaults()...)
	f = append(f, cfg.certificateFaults()...)
	f = append(f, cfg.algorithmFaults()...)
	f = append(f, scopeFaults("Config.Scopes", cfg.Scopes, cfg.Provider.ScopeSep)...)
	f = append(f, keyFaults(cfg.CookieKeys)...)
	f = append(f, web.CheckLink("Config.LoginURL", cfg.LoginURL)...)
	return append(f, web.CheckLink("Config.HomeURL", cfg.HomeURL)...)
}

func (cfg *Config) clientFaults() (f []string) {
	switch {
	case cfg.ClientID == "":
		f = append(f, "Config.ClientID is empty: set it to the id that the provider gave the app")
	case isUntidy(cfg.ClientID):
		f = append(f, "Config.ClientID"+untidy)
	case cfg.Provider.RawBasic && strings.Contains(cfg.ClientID, ":"):
		f = append(f, "Config.ClientID has a colon, which Provider.RawBasic cannot carry")
	}
	return f
}

// seamFaults lists the faults that the constructors of the parts found in their arguments, and parts
// that lack what they need.
func (cfg *Config) seamFaults() (f []string) {
	p := &cfg.Provider
	f = append(f, faultsOf(p.Err)...)
	f = append(f, faultsOf(cfg.ClientAuth.Err)...)
	f = append(f, faultsOf(cfg.Binding.Err)...)
	f = append(f, faultsOf(cfg.MessageSigning.Err)...)
	if cfg.ClientAuth.Authenticate == nil && cfg.ClientAuth.Err == nil {
		f = append(f, "Config.ClientAuth is empty: use authcode.Secret, or authcode.Public for an app without a secret")
	}
	if !isTokenType(cfg.Binding.TokenType) {
		f = append(f, "Config.Binding.TokenType is not the name of an authentication scheme such as DPoP")
	}
	signing := &cfg.MessageSigning
	if (signing.SignRequest != nil || signing.SignedResponses) && p.Issuer == "" {
		f = append(f, "Provider.Issuer is empty: signed requests and responses name it")
	}
	if signing.SignedResponses && p.Verify == nil {
		f = append(f, "Config.MessageSigning.SignedResponses needs Provider.Verify: use oidc.Provider")
	}
	return f
}

// faultsOf lists what a constructor found wrong with its arguments.
func faultsOf(err error) []string {
	if err == nil {
		return nil
	}
	if own := (*Error)(nil); errors.As(err, &own) && own != nil {
		if len(own.Faults) > 0 {
			return own.Faults
		}
		return []string{own.detail}
	}
	return []string{err.Error()}
}

// isTokenType holds for an authentication scheme (RFC 9110 section 11.1), or nothing.
func isTokenType(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !web.IsAlphanumeric(r) && r != '-' })
}

// certificateFaults looks at the client certificate and at who is to see it.
func (cfg *Config) certificateFaults() (f []string) {
	isCredential := cfg.ClientAuth.showsCertificate()
	if cfg.Certificate == nil {
		if isCredential {
			f = append(f, "Config.Certificate is nil: it is the credential of Config.ClientAuth")
		}
		if cfg.Binding.Certificate {
			f = append(f, "Config.Certificate is nil: Config.Binding binds tokens to it")
		}
		return f
	}
	if !isCredential && !cfg.Binding.Certificate {
		f = append(f, "Config.Certificate is used for nothing: set ClientAuth to clientauth.MutualTLS(), or Binding to "+
			"clientauth.CertificateBound()")
	}
	if err := mtls.CheckBase(cfg.Transport); err != nil {
		f = append(f, "Config.Transport "+err.Error())
	}
	// A function that would have to wait for the certificate returns an error now, and is not judged.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if cert, err := cfg.Certificate(ctx); err == nil {
		if err := mtls.CheckCertificate(cert, time.Now()); err != nil {
			f = append(f, "Config.Certificate: "+err.Error())
		}
	}
	return f
}

// algorithmFaults holds all that signs to Config.Algorithms, as far as the parts say what they use.
func (cfg *Config) algorithmFaults() (f []string) {
	for _, list := range []struct {
		field string
		names []string
	}{{"Config.Algorithms", cfg.Algorithms}, {"Provider.Algorithms", cfg.Provider.Algorithms}} {
		if list.names != nil && len(list.names) == 0 {
			f = append(f, list.field+" is empty: leave it nil, or name algorithms such as ES256")
		}
		for _, alg := range list.names {
			if !isAlgorithm(alg) {
				f = append(f, fmt.Sprintf("%s has %q: want names such as RS256, PS256, ES256 or EdDSA; none and HMAC are never admitted",
					list.field, alg))
			}
		}
	}
	if cfg.Algorithms == nil {
		return f
	}
	for _, part := range []struct {
		field string
		names []string
	}{
		{"Provider.Algorithms", cfg.Provider.Algorithms},
		{"Config.ClientAuth", cfg.ClientAuth.Algorithms},
		{"Config.Binding", cfg.Binding.Algorithms},
		{"Config.MessageSigning", cfg.MessageSigning.Algorithms},
	} {
		for _, alg := range part.names {
			if !slices.Contains(cfg.Algorithms, alg) {
				f = append(f, fmt.Sprintf("%s uses the algorithm %s, which Config.Algorithms does not admit: want one of %s",
					part.field, alg, strings.Join(cfg.Algorithms, ", ")))
			}
		}
	}
	return f
}

// isAlgorithm holds for the algorithms of digital signatures that are supported (RFC 7518 section 3.1,
// RFC 8037 section 3.1). An HMAC's key would be the client secret or, where a check is fooled, the
// provider's public key.
func isAlgorithm(name string) bool {
	switch name {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return true
	}
	return false
}

const untidy = " has a control character, or white space at an end: is there a newline at its end?"

func isUntidy(s string) bool { return web.HasControl(s) || strings.TrimSpace(s) != s }

func keyFaults(keys [][]byte) (f []string) {
	if len(keys) == 0 {
		return []string{"Config.CookieKeys is empty: it needs one key of 32 or more random bytes"}
	}
	for i, key := range keys {
		switch {
		case len(key) < 32:
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] has %d bytes, want 32 or more", i, len(key)))
		case bytes.Count(key, key[:1]) == len(key):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats a single byte: use random bytes", i))
		case slices.ContainsFunc(keys[:i], func(k []byte) bool { return bytes.Equal(k, key) }):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats an earlier key: remove it", i))
		}
	}
	return f
}
