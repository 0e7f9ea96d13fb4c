package authcode

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"example.com/authcode/internal/once"
	"example.com/authcode/internal/web"
	"golang.org/x/oauth2"
)

// Config says what [New] builds a [Client] from. It is copied; later changes have no effect.
type Config struct {
	// Provider is the authorization server to sign in with.
	Provider Provider

	// ClientID is the client identifier that the provider gave the app (RFC 6749 section 2.2).
	ClientID string

	// ClientAuth proves who the app is: [Secret], [Public] for an app without one, or package clientauth.
	ClientAuth ClientAuth

	// RedirectURL is the absolute URL of the app's [Client.CallbackHandler], exactly as
	// registered with the provider. It must be https, or http on loopback (localhost, *.localhost,
	// 127.0.0.0/8, ::1), and decides what cookies look like: __Host- and Secure for https.
	RedirectURL string

	// Scopes are requested at every login. If nil, Provider.Scopes.
	Scopes []string

	// CookieKeys are secrets of 32 or more random bytes each. The first seals, all open: to
	// rotate, put the new key first and drop the old one ten minutes later. Instances of
	// the same app share them. Keys may be shared by several Clients.
	CookieKeys [][]byte

	// LoginURL is where a person starts this login again: the path of [Client.LoginHandler]. Error
	// pages link it. A local path or an absolute http(s) URL. If empty, HomeURL.
	LoginURL string

	// HomeURL is where a person goes on after a login that is already finished. If empty, "/".
	HomeURL string

	// HTTPClient carries the requests to the provider: its Transport, and its Timeout where that is
	// shorter than ten seconds. It is copied; redirects and cookies are switched off in the copy. If
	// nil, a client of its own with bounded headers, handshake and waiting times, and the proxy from
	// the environment.
	HTTPClient *http.Client

	// OnError answers a failed login in [Client.LoginHandler] and [Client.CallbackHandler]. If nil,
	// [ErrorPage]. It is the place to log: the error is safe to log as it is.
	OnError func(http.ResponseWriter, *http.Request, *Error)

	PAR PAR // when to push authorization requests; if zero, wherever the provider has an endpoint for it

	// Binding binds tokens to a key of the app's. If nil, whoever has a token can use it (bearer).
	Binding Binding

	// Messages signs authorization requests and verifies signed responses. If nil, both are plain.
	Messages Messages

	// UsedStates makes a login one-time over several instances. If nil, it is one-time in each
	// process, and over all by the provider's one-time code and PKCE.
	UsedStates UsedStates
}

// Client signs users in with one provider. It is safe for concurrent use and never changes
// after New. It prints and marshals without its secrets.
type Client struct {
	cfg      Config // without CookieKeys
	scopes   []string
	host     string // of RedirectURL, without port
	loopback bool   // http on loopback: cookies without __Host- and Secure
	maxAge   int64
	sealers  []*sealer
	http     *http.Client
	back     http.RoundTripper // for what goes to the provider with client authentication
	mtls     bool              // back shows a certificate
	used     *once.Set
	resolved *atomic.Pointer[endpoints]
}

// New checks cfg as a whole and returns a Client. It does no I/O. Its error is an [*Error] with Reason
// [Configuration] that lists all faults, a line each, with field, fault and cure.
func New(cfg Config) (*Client, error) {
	if faults := slices.Compact(cfg.faults()); len(faults) > 0 { // one part may have two places
		return nil, fail(Configuration, "config", "%s", strings.Join(faults, "\nauthcode: "))
	}
	c := &Client{cfg: cfg, scopes: cfg.Scopes, maxAge: -1, used: &once.Set{Max: maxUsed}, resolved: new(atomic.Pointer[endpoints])}
	p := &c.cfg.Provider
	if c.scopes == nil {
		c.scopes = p.Scopes
	}
	c.scopes = slices.Clone(c.scopes)
	p.AuthParams = maps.Clone(p.AuthParams)
	p.ScopeSep = cmp.Or(p.ScopeSep, " ")
	p.ClientIDParam = cmp.Or(p.ClientIDParam, "client_id")
	c.cfg.HomeURL = cmp.Or(cfg.HomeURL, "/")
	c.cfg.LoginURL = cmp.Or(cfg.LoginURL, c.cfg.HomeURL)
	if v, ok := p.AuthParams["max_age"]; ok {
		c.maxAge, _ = parseMaxAge(v)
	}
	redirect, _ := url.Parse(cfg.RedirectURL) // checked above
	c.host, c.loopback = redirect.Hostname(), redirect.Scheme == "http"
	for _, key := range cfg.CookieKeys {
		k, err := newSealer(key, p.Name, p.Issuer, cfg.ClientID, cfg.RedirectURL)
		if err != nil {
			return nil, fail(Configuration, "config", "Config.CookieKeys: %v", err)
		}
		c.sealers = append(c.sealers, k)
	}
	// Whoever prints a struct that has a Client inside an unexported field sees no keys.
	c.cfg.CookieKeys = nil
	c.http = backChannel(cfg.HTTPClient)
	c.back = c.http.Transport
	for _, part := range []any{cfg.ClientAuth, cfg.Binding} {
		if own, ok := part.(certified); ok {
			c.back, c.mtls = own.Transport(), true
		}
	}
	return c, nil
}

// endpoints are checked endpoints with the constant part of the authorization URL.
type endpoints struct {
	Endpoints
	looked Endpoints  // as found
	base   string     // AuthURL with what separates it from the next parameter
	prefix string     // the parameters that do not change
	scope  string     // the parameter, with the Client's own scopes
	query  url.Values // of AuthURL
	push   bool
}

// endpoints returns where to send people and requests. What Metadata found passes the checks
// of New first, and is escaped once for as long as it stays the same.
func (c *Client) endpoints(ctx context.Context) (*endpoints, *Error) {
	p := &c.cfg.Provider
	found := p.endpoints()
	if p.Metadata != nil {
		ctx, cancel := c.withBudget(ctx)
		defer cancel()
		var err error
		if found, err = p.Metadata.Load(ctx, c.clientCopy()); err != nil {
			return nil, asFailure(ctx, err, Unreachable, "metadata", "the provider's metadata could not be loaded")
		}
		found.RequireIss = found.RequireIss || p.RequireIss
		found.RequirePAR = found.RequirePAR || p.RequirePAR
	}
	if known := c.resolved.Load(); known != nil && known.looked == found {
		return known, nil
	}
	if p.Metadata != nil {
		if faults := append(p.endpointFaults("metadata: ", found), c.cfg.parFaults("metadata: ", found)...); len(faults) > 0 {
			return nil, fail(BadAnswer, "metadata.endpoints", "%s", strings.Join(faults, "; "))
		}
		if found.RequireIss && p.Issuer == "" {
			return nil, fail(Configuration, "metadata.issuer", "the provider promises iss: set Provider.Issuer")
		}
	}
	u, _ := url.Parse(found.AuthURL) // checked above, or by New
	e := &endpoints{Endpoints: found, looked: found, scope: c.scopeParam(c.scopes), query: u.Query()}
	e.base, e.prefix = c.authURLPrefix(found.AuthURL)
	e.push = found.PARURL != "" && (c.cfg.PAR != OnlyIfRequired || found.RequirePAR)
	e.AuthStyle = cmp.Or(p.AuthStyle, found.AuthStyle, oauth2.AuthStyleInHeader)
	if c.mtls {
		e.TokenURL = cmp.Or(found.MTLS.TokenURL, found.TokenURL)
		e.RevocationURL = cmp.Or(found.MTLS.RevocationURL, found.RevocationURL)
		e.PARURL = cmp.Or(found.MTLS.PARURL, found.PARURL)
	}
	c.resolved.Store(e)
	return e, nil
}

// backChannel copies h for requests to the provider.
func backChannel(h *http.Client) *http.Client {
	var own http.Client
	if h != nil {
		own = *h
	}
	if own.Transport == nil {
		own.Transport = web.NewTransport()
	}
	// A redirect would carry code, verifier and secret to wherever the server points (307).
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	own.Jar = nil
	return &own
}

// clientCopy is for seams: what they change in it changes nobody else's.
func (c *Client) clientCopy() *http.Client {
	own := *c.http
	return &own
}

// faults lists all that is wrong with cfg.
func (cfg *Config) faults() []string {
	f := cfg.Provider.faults()
	f = append(f, cfg.clientFaults()...)
	if cfg.Provider.Metadata == nil {
		f = append(f, cfg.parFaults("Provider.", cfg.Provider.endpoints())...)
	}
	if cfg.Messages != nil && cfg.Provider.Issuer == "" {
		f = append(f, "Provider.Issuer is empty: signed requests and responses name it")
	}
	f = append(f, web.CheckURL("Config.RedirectURL", cfg.RedirectURL)...)
	f = append(f, queryFaults("Config.RedirectURL", cfg.RedirectURL, reserved)...)
	if cfg.Provider.FormPost && strings.HasPrefix(strings.ToLower(cfg.RedirectURL), "http:") {
		f = append(f, "Config.RedirectURL must be https: with Provider.FormPost the cookie needs SameSite=None; Secure")
	}
	for _, part := range []any{cfg.ClientAuth, cfg.Binding, cfg.Messages, cfg.Provider.Identity, cfg.Provider.Metadata} {
		if own, ok := part.(interface{ Validate() error }); ok {
			if err := own.Validate(); err != nil { // a line for each fault
				f = append(f, strings.Split(strings.ReplaceAll(err.Error(), "authcode: ", ""), "\n")...)
			}
		}
	}
	f = append(f, cfg.transportFaults()...)
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
	switch auth := cfg.ClientAuth.(type) {
	case nil:
		f = append(f, "Config.ClientAuth is nil: use authcode.Secret, or authcode.Public for an app without a secret")
	case secret:
		if strings.TrimSpace(auth.reveal()) == "" {
			f = append(f, "Config.ClientAuth is an empty Secret: set it, or use authcode.Public for an app without one")
		} else if isUntidy(auth.reveal()) {
			f = append(f, "Config.ClientAuth"+untidy)
		}
	}
	return f
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
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] is one byte over and over: use random bytes", i))
		case slices.ContainsFunc(keys[:i], func(k []byte) bool { return bytes.Equal(k, key) }):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats an earlier key: remove it", i))
		}
	}
	return f
}

// Format prints cfg without its secrets, whatever the verb.
func (cfg Config) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "authcode.Config{Provider: %q, ClientID: %q, RedirectURL: %q, secrets: REDACTED}",
		cfg.Provider.Name, cfg.ClientID, cfg.RedirectURL)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (cfg Config) MarshalText() ([]byte, error) { return fmt.Append(nil, cfg), nil }

// Format prints c without its secrets, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "authcode.Client{Provider: %q, ClientID: %q, RedirectURL: %q, secrets: REDACTED}",
		c.cfg.Provider.Name, c.cfg.ClientID, c.cfg.RedirectURL)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (c Client) MarshalText() ([]byte, error) { return fmt.Append(nil, c), nil }
