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

// Endpoints says where a provider is reached and what it promises there (RFC 8414 section 2). All
// URLs are https, or http on loopback, without fragment or user information; a query is kept.
type Endpoints struct {
	AuthURL          string // authorization endpoint (RFC 6749 section 3.1)
	TokenURL         string // token endpoint (RFC 6749 section 3.2)
	RevocationURL    string // RFC 7009; if empty, [Client.Revoke] fails with [Configuration]
	PARURL           string // pushed authorization requests (RFC 9126)
	UserInfoURL      string // who signed in: OpenID Connect Core section 5.3, or a provider's own API
	IntrospectionURL string // RFC 7662
	EndSessionURL    string // OpenID Connect RP-Initiated Logout section 2.1
	JWKSURL          string // the provider's keys (RFC 7517 section 5)

	// MTLS holds the mtls_endpoint_aliases (RFC 8705 section 5): its URLs take the place of the ones
	// above where the app shows a certificate. Its other fields are ignored. If nil, there are none.
	MTLS *Endpoints

	// AuthStyle says where a [Secret] goes (RFC 6749 section 2.3.1):
	// [oauth2.AuthStyleInHeader] is HTTP Basic, [oauth2.AuthStyleInParams] is the request
	// body. If zero, Basic. Nothing is ever probed, unlike in golang.org/x/oauth2.
	AuthStyle oauth2.AuthStyle

	// RequireIss refuses a callback without iss. Set it when the provider promises
	// authorization_response_iss_parameter_supported (RFC 9207 section 3). It needs Provider.Issuer.
	RequireIss bool

	// RequirePAR refuses to sign in without a pushed request. Set it when the provider demands one
	// (require_pushed_authorization_requests, RFC 9126 section 5), or to demand it for the app.
	RequirePAR bool
}

// Connection is what every seam of a [Config] is handed: the rules that the app has set, and what is
// known of the provider. It is a copy; its slices, maps and functions are shared and must not be changed. It
// prints and marshals as REDACTED.
type Connection struct {
	redacted

	// Config is the Client's, as [New] checked and completed it, without CookieKeys. Its
	// Provider.Algorithms are the provider's own, or else Config.Algorithms.
	Config Config

	// Endpoints are resolved: looked up, with an AuthStyle, and with the aliases of MTLS in the places
	// where the app shows its certificate. For a call of Provider.Metadata they are the Provider's
	// fields.
	Endpoints Endpoints

	// Transport carries requests that need neither token nor certificate. It follows no redirect.
	// What was loaded through one Transport may serve another Connection only if that has an equal
	// Transport: another one may trust other certificates.
	Transport http.RoundTripper
}

// Connection returns what the Client and its provider have agreed on, and looks the endpoints up if
// need be. It takes ten seconds at most. Its error is an [*Error].
func (c *Client) Connection(ctx context.Context) (*Connection, error) {
	ends, err := c.resolve(ctx)
	if err != nil {
		return nil, c.failed(err)
	}
	conn := *ends.conn
	return &conn, nil
}

// resolved are checked endpoints with the constant part of the authorization URL.
type resolved struct {
	Endpoints
	conn   *Connection
	looked Endpoints  // as found
	digest [16]byte   // what a login belongs to
	base   string     // AuthURL with what separates it from the next parameter
	prefix string     // the parameters that do not change
	scope  string     // the parameter, with the Client's own scopes
	query  url.Values // of AuthURL
	push   bool
}

// resolve returns where to send people and requests. What Metadata found passes the checks
// of New first, and is escaped once for as long as it stays the same.
func (c *Client) resolve(ctx context.Context) (*resolved, error) {
	p := &c.cfg.Provider
	found := p.Endpoints
	if p.Metadata != nil {
		ctx, cancel := context.WithTimeout(ctx, budget)
		defer cancel()
		var err error
		if found, err = p.Metadata(ctx, c.firstConnection()); err != nil {
			return nil, asFailure(ctx, err, Unreachable, "metadata", "the provider's metadata could not be loaded")
		}
		found.RequireIss = found.RequireIss || p.RequireIss
		found.RequirePAR = found.RequirePAR || p.RequirePAR
		found.AuthStyle = cmp.Or(p.AuthStyle, found.AuthStyle)
	}
	if known := c.known.Load(); known != nil && known.looked.same(&found) {
		return known, nil
	}
	if p.Metadata != nil {
		if err := c.checkMetadata(found); err != nil {
			return nil, err
		}
	}
	e := c.resolved(found)
	c.known.Store(e)
	return e, nil
}

// firstConnection is what a lookup of the endpoints is handed.
func (c *Client) firstConnection() *Connection {
	return &Connection{Config: c.cfg, Endpoints: c.cfg.Provider.Endpoints, Transport: c.plain}
}

func (c *Client) checkMetadata(found Endpoints) error {
	p := &c.cfg.Provider
	faults := append(p.endpointFaults("metadata: ", &found), parFaults("metadata: ", found)...)
	if len(faults) > 0 {
		return &Error{Reason: BadAnswer, Check: "metadata.endpoints", Faults: faults}
	}
	if found.RequireIss && p.IsIssuer == nil {
		return fail(Configuration, "metadata.issuer", "the provider promises iss: set Provider.Issuer")
	}
	return nil
}

// same compares all that e and other say. Their MTLS are pointers, which a lookup may make anew.
func (e Endpoints) same(other *Endpoints) bool {
	a, b := e.MTLS, other.MTLS
	e.MTLS = b
	return e == *other && (a == b || a != nil && b != nil && *a == *b)
}

func (c *Client) resolved(found Endpoints) *resolved {
	u, _ := url.Parse(found.AuthURL) // checked before
	e := &resolved{Endpoints: found, looked: found, scope: c.scopeParam(c.scopes), query: u.Query()}
	e.digest = c.loginDigest(&found)
	e.base, e.prefix = c.authURLPrefix(found.AuthURL)
	e.push = found.PARURL != "" && (!c.cfg.DisablePAR || found.RequirePAR)
	e.AuthStyle = cmp.Or(found.AuthStyle, oauth2.AuthStyleInHeader)
	if alias := found.MTLS; alias != nil && c.certified != nil {
		e.TokenURL = cmp.Or(alias.TokenURL, found.TokenURL)
		e.RevocationURL = cmp.Or(alias.RevocationURL, found.RevocationURL)
		e.PARURL = cmp.Or(alias.PARURL, found.PARURL)
		e.IntrospectionURL = cmp.Or(alias.IntrospectionURL, found.IntrospectionURL)
		if c.cfg.Binding.Certificate {
			e.UserInfoURL = cmp.Or(alias.UserInfoURL, found.UserInfoURL)
		}
	}
	e.conn = &Connection{Config: c.cfg, Endpoints: e.Endpoints, Transport: c.plain}
	return e
}

// loginDigest is what a login belongs to. It stands in the login cookie, so that a login that began
// with one Client is of no use to another, even if both have the same keys, name and client id, and so
// that a provider whose endpoints change on the way gets neither code nor verifier.
func (c *Client) loginDigest(e *Endpoints) (digest [16]byte) {
	h := sha256.New()
	for _, s := range []string{
		c.cfg.Provider.Issuer, c.cfg.ClientID, c.cfg.RedirectURL, e.AuthURL, e.TokenURL, e.UserInfoURL, e.JWKSURL,
	} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(s)))
		h.Write(length[:])
		h.Write([]byte(s))
	}
	copy(digest[:], h.Sum(nil))
	return digest
}
