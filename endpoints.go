package authcode

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// Endpoints says where a provider is and what it promises (RFC 8414 section 2).
// URLs are https, without fragment or user information; a query is kept. If
// RedirectURL is http, loopback (localhost, 127.0.0.0/8, ::1) may be http. What
// Metadata finds may also be at one of [Config.InsecureInnerOrigins], except for
// AuthURL and EndSessionURL.
type Endpoints struct {
	AuthURL          string // authorization endpoint (RFC 6749 section 3.1)
	TokenURL         string // token endpoint (RFC 6749 section 3.2)
	RevocationURL    string // RFC 7009, or the provider's own; see [Revocation]
	PARURL           string // pushed authorization requests (RFC 9126)
	UserInfoURL      string // OpenID Connect Core section 5.3, or a provider's own API
	IntrospectionURL string // RFC 7662
	EndSessionURL    string // OpenID Connect RP-Initiated Logout section 2.1
	JWKSURL          string // the provider's keys (RFC 7517 section 5)

	MTLS *Endpoints // only URLs, for requests with a certificate (RFC 8705 section 5); may be nil

	// AuthStyle says where a [Secret] goes: [oauth2.AuthStyleInHeader] is HTTP
	// Basic, [oauth2.AuthStyleInParams] the body. If zero, Basic; never probed.
	AuthStyle oauth2.AuthStyle

	RequireIss bool // refuses a callback without iss; for servers that promise it (RFC 9207)
	RequirePAR bool // refuses to sign in without a pushed request (RFC 9126 section 5)
	Ed25519    bool // Ed25519 keys sign under this name (RFC 9864), not EdDSA

	// DPoPAlgorithms may sign DPoP proofs (RFC 9449 section 5.1); spaces separate
	// their names. If "none", the provider offers no DPoP. A login with a Binding
	// that needs another one is refused. If empty, they are not known.
	DPoPAlgorithms string
}

// Connection is what each function of a [Config] gets: a copy, but do not
// change what its slices, maps and pointers hold. It prints and marshals as
// REDACTED.
type Connection struct {
	redacted
	Config Config // with its defaults, without CookieKeys

	// Endpoints are in use, with the URLs of MTLS where the app shows its
	// certificate. [Provider.Metadata] gets the Provider's own.
	Endpoints Endpoints

	// Transport carries requests without token and certificate, and follows no
	// redirect. Do not use what one Transport has loaded for a Connection with
	// another: that one may trust other certificates.
	Transport http.RoundTripper
}

// Connection returns the rules and endpoints in use. It may look them up, for
// ten seconds at most. Its error is an [*Error].
func (c *Client) Connection(ctx context.Context) (*Connection, error) {
	ep, err := c.resolve(ctx)
	if err != nil {
		return nil, c.completeError(err)
	}
	conn := ep.connection()
	return &conn, nil
}

// resolvedEndpoints are checked endpoints, and the part of the authorization
// URL that all logins share.
type resolvedEndpoints struct {
	Endpoints
	client *Client
	found  *Endpoints // before the URLs of MTLS replaced any
	digest [16]byte   // see loginDigest
	base   string     // AuthURL, and "?" or "&"
	prefix string     // the parameters that never change
	scope  string     // the parameter scope, with the Client's own scopes
	query  url.Values // of AuthURL
	token  *url.URL   // TokenURL
	push   bool       // the request goes to PARURL first
	server string     // one of Provider.Servers; empty for that of TokenURL
}

// resolve returns the endpoints to use now. It checks what Metadata found like
// New checks a Config, and prepares it once for as long as it stays the same.
func (c *Client) resolve(ctx context.Context) (*resolvedEndpoints, error) {
	p := &c.cfg.Provider
	found := p.Endpoints
	if p.Metadata != nil {
		// A provider that hangs must not hold up a person's request.
		ctx, cancel := context.WithTimeout(ctx, requestTimeout)
		defer cancel()
		var err error
		if found, err = p.Metadata(ctx, c.metadataConnection()); err != nil {
			return nil, seamError(ctx, err, Unreachable, "metadata",
				"the provider's metadata could not be loaded")
		}
		// Metadata can add a requirement, but it cannot remove one that the app
		// has set: an attacker who can change the document could otherwise turn
		// off a check.
		found.RequireIss = found.RequireIss || p.RequireIss
		found.RequirePAR = found.RequirePAR || p.RequirePAR
		found.Ed25519 = found.Ed25519 || p.Ed25519
		found.AuthStyle = cmp.Or(p.AuthStyle, found.AuthStyle)
		found.DPoPAlgorithms = cmp.Or(p.DPoPAlgorithms, found.DPoPAlgorithms)
	}
	// Every login and every refresh comes here. Escaping and hashing again
	// would cost more than this comparison.
	if last := c.lastEndpoints.Load(); last != nil && last.found.equal(&found) {
		return last, nil
	}
	if p.Metadata != nil {
		if err := c.checkMetadata(found); err != nil {
			return nil, err
		}
	}
	// Two goroutines may both get here. They prepare equal values, so the last
	// store can win.
	e := c.prepareEndpoints(found)
	c.lastEndpoints.Store(e)
	return e, nil
}

// metadataConnection is what Metadata gets, before any endpoint is known.
func (c *Client) metadataConnection() *Connection {
	return &Connection{Config: c.cfg, Endpoints: c.cfg.Provider.Endpoints, Transport: c.plain}
}

// checkMetadata applies the checks of New to endpoints that Metadata found.
func (c *Client) checkMetadata(found Endpoints) error {
	// The document comes from the network. Without these checks it could name
	// plain http or set parameters such as redirect_uri in AuthURL.
	p := &c.cfg.Provider
	outer := c.cfg.outerEndpoints(found)
	faults := append(p.endpointFaults("metadata: ", &outer, !c.loopback),
		parFaults("metadata: ", outer)...)
	if len(faults) > 0 {
		return &Error{Reason: BadAnswer, Check: "metadata.endpoints", Faults: faults}
	}
	// RFC 9207 section 2.4: a server that promises iss is checked against the
	// issuer. Without an issuer there is nothing to compare with.
	if found.RequireIss && p.IsIssuer == nil {
		return errorf(Configuration, "metadata.issuer",
			"the provider promises iss: set Provider.Issuer, so that it can be checked")
	}
	return nil
}

// equal compares by value: a lookup may allocate a new MTLS each time.
func (e Endpoints) equal(other *Endpoints) bool {
	a, b := e.MTLS, other.MTLS
	if a == nil || b == nil {
		return e == *other
	}
	aliases := *b
	aliases.MTLS = nil // as in cloneEndpoints
	e.MTLS = b         // so that == ignores the pointers
	return e == *other && *a == aliases
}

// cloneEndpoints copies the URLs of MTLS, which may be nil.
func cloneEndpoints(e *Endpoints) *Endpoints {
	if e == nil {
		return nil
	}
	clone := *e
	clone.MTLS = nil // not used, see Endpoints.MTLS
	return &clone
}

// prepareEndpoints computes once what all logins with these endpoints share.
func (c *Client) prepareEndpoints(found Endpoints) *resolvedEndpoints {
	u, _ := url.Parse(found.AuthURL) // New or checkMetadata has checked it
	// What was checked must stay as it is, even if the Metadata function goes on
	// to change its own.
	found.MTLS = cloneEndpoints(found.MTLS)
	e := &resolvedEndpoints{
		Endpoints: found, found: &c.cfg.Provider.Endpoints, client: c,
		scope: c.scopeParam(c.scopes),
	}
	if c.cfg.Provider.Metadata != nil {
		kept := found
		e.found = &kept
	}
	if u.RawQuery != "" {
		e.query = u.Query()
	}
	e.base, e.prefix = c.authURLPrefix(found.AuthURL)
	// RFC 9126 section 5: a provider may require PAR for all of its clients.
	// Then DisablePAR would only make every login fail.
	e.push = found.PARURL != "" && (!c.cfg.DisablePAR || found.RequirePAR)
	// Zero is x/oauth2's AuthStyleAutoDetect, which sends the secret twice. RFC
	// 6749 section 2.3.1: every server with client secrets must support Basic.
	e.AuthStyle = cmp.Or(found.AuthStyle, oauth2.AuthStyleInHeader)
	e.useAliases(c.withCert != nil, c.cfg.Binding.Certificate)
	e.token, _ = url.Parse(e.TokenURL) // New or checkMetadata has checked it
	// Do this after the aliases: the digest has to name the server that gets
	// the code. It does not name the inner origins: a login may end at an
	// instance of the app that knows none.
	outer := c.cfg.outerEndpoints(e.Endpoints)
	e.digest = c.loginDigest(&outer)
	return e
}

// connection returns a Connection of its own for each function that gets one, so
// that none can change the Client's. It copies a whole Config, and has 14 callers.
//
//go:noinline
func (e *resolvedEndpoints) connection() Connection {
	return Connection{Config: e.client.cfg, Endpoints: e.Endpoints, Transport: e.client.plain}
}

// useAliases replaces the endpoints that see the certificate by their aliases.
func (e *resolvedEndpoints) useAliases(hasCertificate, boundTokens bool) {
	// RFC 8705 section 5: a client that uses mutual TLS must prefer the
	// aliases. One host can ask for certificates there without asking every
	// browser.
	alias := e.found.MTLS
	if alias == nil || !hasCertificate {
		return
	}
	e.TokenURL = cmp.Or(alias.TokenURL, e.TokenURL)
	e.RevocationURL = cmp.Or(alias.RevocationURL, e.RevocationURL)
	e.PARURL = cmp.Or(alias.PARURL, e.PARURL)
	e.IntrospectionURL = cmp.Or(alias.IntrospectionURL, e.IntrospectionURL)
	// RFC 8705 section 3: an API accepts a bound token only with the
	// certificate. Other tokens are sent without one.
	if boundTokens {
		e.UserInfoURL = cmp.Or(alias.UserInfoURL, e.UserInfoURL)
	}
}

// loginDigest identifies what a login belongs to. It goes into the login
// cookie.
func (c *Client) loginDigest(e *Endpoints) (digest [16]byte) {
	// Two Clients may share keys, name and client ID. The digest stops a login
	// that began with one of them from ending with the other (RFC 9700 section
	// 4.4). It also stops the code and the verifier from reaching a provider
	// whose endpoints have changed in the meantime.
	h := sha256.New()
	for _, s := range []string{
		c.cfg.Provider.Issuer, c.cfg.ClientID, c.cfg.RedirectURL,
		e.AuthURL, e.TokenURL, e.UserInfoURL, e.JWKSURL,
	} {
		// Each length goes first. Otherwise "ab"+"c" and "a"+"bc" would be
		// equal.
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		h.Write(length[:])
		h.Write([]byte(s))
	}
	// 128 bits are enough: an attacker would need a second preimage, not a
	// collision, and the cookie stays small.
	copy(digest[:], h.Sum(nil))
	return digest
}
