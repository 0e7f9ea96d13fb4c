package oidc

import (
	"context"
	"net/http"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/urls"
)

// tenantPart stands for the tenant in an issuer template, as in Microsoft's metadata documents.
const tenantPart = "{tenantid}"

// issuer is one OpenID provider: its metadata, its keys and the rules for its tokens. The functions
// of the [authcode.Provider] that [Provider] returns are its methods. It is safe for concurrent use.
type issuer struct {
	settings
	err    error // what is wrong with the arguments of Provider
	caches recent[http.RoundTripper, *cache]
}

// cache holds what was loaded through one transport. Another transport may trust other
// certificates, so it has a cache of its own.
type cache struct {
	documents  cached[*metadata]
	keySets    recent[string, *cached[*keySet]] // by the URL of the JWKS
	allowances [3]allowance                     // by purpose
}

// purpose says on whose behalf something is loaded. Each purpose has an allowance of its own: what
// anybody can send to a logout handler or to the callback must not use up the key fetches of logins.
type purpose int

const (
	forLogins    purpose = iota // tokens that the provider itself handed over
	forHandlers                 // logout tokens, which anybody can post
	forResponses                // signed responses, which anybody can send to the callback
)

// maxTransports bounds the caches of one issuer: usually there is one transport for each Client.
const maxTransports = 32

// maxKeySets bounds the key sets of one cache: there is more than one only if Clients that share a
// transport disagree about the JWKS URL, or after the provider has moved it.
const maxKeySets = 4

// Provider returns the description of the OpenID provider with this issuer identifier, for
// [authcode.Config]. The issuer is an https URL (http on loopback), byte for byte as in the
// provider's metadata. Provider does no I/O: the endpoints are looked up at the first login. What is wrong
// with the arguments stands in Err: [authcode.New] lists it, and the functions of the description
// fail with it.
//
// The description's name is "oidc" and its scopes are openid, profile and email; an app may change
// both, and may wrap or replace each of its functions. Its copies share what has been loaded, for
// each transport by itself, so call Provider once for each provider, not once for each login.
//
// An issuer whose path has the part "{tenantid}" is a template, as in Microsoft's metadata for all
// tenants. It needs [MetadataURL]. Its description has IsIssuer in the place of Issuer.
func Provider(issuer string, opts ...Option) authcode.Provider {
	i := newIssuer(issuer, opts)
	p := authcode.Provider{
		Name:     "oidc",
		Issuer:   issuer,
		Scopes:   []string{"openid", "profile", "email"},
		Metadata: i.endpoints,
		Identity: i.identify,
		Verify:   i.verify,
		Err:      i.err,
	}
	if i.isTemplate() {
		p.Issuer, p.IsIssuer = "", i.names
	}
	switch len(i.domains) {
	case 0:
	case 1: // so that Google offers the right accounts; the check of the token is what counts
		p.AuthParams = map[string]string{"hd": i.domains[0]}
	default:
		p.AuthParams = map[string]string{"hd": "*"}
	}
	return p
}

func newIssuer(name string, opts []Option) *issuer {
	i := &issuer{settings: settings{issuer: name, anyTenant: true}}
	i.caches.most = maxTransports
	if !isIssuer(name) || i.isTemplate() && strings.Count(name, tenantPart) != 1 {
		i.fault("config.issuer")
	}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&i.settings)
		}
	}
	if i.isTemplate() && i.metadataURL == "" {
		i.fault("config.metadata_url")
	}
	i.err = misconfigured(i.faults)
	return i
}

// cacheOf returns the cache of a Connection's transport.
func (i *issuer) cacheOf(conn *authcode.Connection) *cache {
	return i.caches.get(conn.Transport, func() *cache {
		c := new(cache)
		c.documents.name, c.documents.lifetime = "discovery", metadataLifetime
		c.keySets.most = maxKeySets
		return c
	})
}

// endpoints is [authcode.Provider.Metadata]: the endpoints of the metadata document, which is
// fetched at the first call, once for concurrent callers, and again after an hour, while the old
// document goes on serving. The last good document serves while the provider is down.
func (i *issuer) endpoints(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
	if i.err != nil {
		return authcode.Endpoints{}, i.err
	}
	m, err := i.metadata(ctx, conn, forLogins)
	if err != nil {
		return authcode.Endpoints{}, err
	}
	return m.endpoints, nil
}

// metadata returns the current document.
func (i *issuer) metadata(ctx context.Context, conn *authcode.Connection, p purpose) (*metadata, error) {
	c := i.cacheOf(conn)
	return c.documents.get(ctx, func(ctx context.Context) (*metadata, error) {
		return i.loadMetadata(ctx, conn.Transport)
	}, &c.allowances[p])
}

func (i *issuer) isTemplate() bool { return strings.Contains(i.issuer, tenantPart) }

// tenantOf returns the tenant that iss has in the place that the template leaves open.
func (i *issuer) tenantOf(iss string) (tenant string, ok bool) {
	before, after, _ := strings.Cut(i.issuer, tenantPart)
	rest, hasBefore := strings.CutPrefix(iss, before)
	tenant, hasAfter := strings.CutSuffix(rest, after)
	return tenant, hasBefore && hasAfter && isTenant(tenant)
}

// isTenant bounds what may stand in a template's place: never a slash, or another path would fit.
func isTenant(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// names is [authcode.Provider.IsIssuer] of a template: it reports whether iss is an issuer that
// the template and the tenants allow.
func (i *issuer) names(iss string) bool {
	tenant, ok := i.tenantOf(iss)
	return i.err == nil && ok && i.allowsTenant(tenant)
}

// isIssuer holds for an issuer identifier (OpenID Connect Discovery section 3): a URL without
// query or fragment.
func isIssuer(s string) bool { return isEndpoint(s) && !strings.Contains(s, "?") }

// isEndpoint holds for what the root package accepts as a URL too: https, or http on loopback,
// with a host, without user information and fragment.
func isEndpoint(s string) bool { return len(urls.Check("", s)) == 0 }

// isPlain holds for an http URL: in a development setup, where the provider is on loopback.
func isPlain(endpoint string) bool {
	return !strings.EqualFold(endpoint[:min(len(endpoint), 6)], "https:")
}
