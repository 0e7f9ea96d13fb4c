package oidc

import (
	"context"
	"net/http"
	"strings"

	"example.com/authcode"
	"github.com/go-jose/go-jose/v4"
)

// tenantPart stands for the tenant in an issuer template, as in Microsoft's
// metadata documents.
const tenantPart = "{tenantid}"

// issuer is one OpenID provider: the arguments of [Provider], and what was
// loaded from the provider since. Its methods are the functions of the
// [authcode.Provider]. It is safe for concurrent use.
type issuer struct {
	settings
	err    error // what is wrong with the arguments
	loaded boundedMap[http.RoundTripper, *documents]
}

// Provider describes the OpenID provider with this issuer identifier, for
// [authcode.Config]. The issuer is an https URL (http on loopback), byte for
// byte as in the provider's metadata. Provider does no I/O: the first login
// looks the endpoints up. Err holds what is wrong with the arguments.
// [authcode.New] lists it, and the Provider's functions return it.
//
// Its Name is "oidc" and its Scopes are openid, profile and email. An app may
// change both, and may wrap or replace each function. Copies share what has
// been loaded, separately for each transport. So call Provider once for each
// provider, not once for each login.
//
// An issuer with "{tenantid}" in it is a template, as in Microsoft's metadata
// for all tenants. It needs [MetadataURL], and the result has IsIssuer instead
// of Issuer.
func Provider(issuer string, opts ...Option) authcode.Provider {
	i := newIssuer(issuer, opts)
	p := authcode.Provider{
		Name:   "oidc",
		Issuer: issuer,
		Scopes: []string{"openid", "profile", "email"},

		IdentityScope: "openid",

		Metadata: i.endpoints,
		Identity: i.identify,
		Verify:   i.verify,
		Err:      i.err,
	}
	if i.isTemplate {
		p.Issuer, p.IsIssuer = "", i.acceptsIssuer
	}
	// The data says it, so that authcode.New and package fapi can refuse it.
	if i.onlyHMAC {
		p.Algorithms = []string{string(jose.HS256)}
	}
	// Google offers the accounts of the domain hd, or with "*" those of any
	// Workspace domain. The person can edit the URL, so this keeps nobody out:
	// only the check of the ID token does.
	switch len(i.domains) {
	case 0:
	case 1:
		p.AuthParams = map[string]string{"hd": i.domains[0]}
	default:
		p.AuthParams = map[string]string{"hd": "*"}
	}
	return p
}

func newIssuer(identifier string, opts []Option) *issuer {
	i := &issuer{settings: settings{identifier: identifier, anyTenant: true}}
	i.loaded.max = maxTransports
	tenants := strings.Count(identifier, tenantPart)
	i.isTemplate = tenants > 0
	if !isIssuer(identifier) || tenants > 1 {
		i.addFault("config.issuer")
	}
	// The well-known path would be appended to it once more.
	if strings.Contains(identifier, "/.well-known/") {
		i.addFault("config.well_known")
	}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&i.settings)
		}
	}
	// No well-known URL can be derived from a template: nobody serves a
	// document at a path with "{tenantid}" in it.
	if i.isTemplate && i.metadataURL == "" {
		i.addFault("config.metadata_url")
	}
	i.err = argumentsError(i.faults)
	return i
}

// isIssuer reports whether s can be an issuer identifier.
func isIssuer(s string) bool {
	// OpenID Connect Discovery section 3: a URL without query or fragment. The
	// path of the metadata document is appended to it.
	return isEndpoint(s) && !strings.Contains(s, "?")
}

// endpoints is [authcode.Provider.Metadata].
func (i *issuer) endpoints(
	ctx context.Context, conn *authcode.Connection,
) (authcode.Endpoints, error) {
	// authcode.New has refused such a provider. But an app may call Metadata
	// without a Client.
	if i.err != nil {
		return authcode.Endpoints{}, i.err
	}
	// The metadata has all URLs. An app that has set one believes that it is
	// asked, at another server for example.
	set := conn.Config.Provider.Endpoints
	set.AuthStyle, set.RequireIss, set.RequirePAR, set.Ed25519 = 0, false, false, false
	if set != (authcode.Endpoints{}) {
		return authcode.Endpoints{}, newError(authcode.Configuration, "discovery.unused", nil)
	}
	docs, err := i.documentsFor(conn)
	if err != nil {
		return authcode.Endpoints{}, err
	}
	m, err := docs.metadata.get(ctx, &docs.allowances[forLogins])
	if err != nil {
		return authcode.Endpoints{}, err
	}
	return m.endpoints, nil
}

// acceptsIssuer is [authcode.Provider.IsIssuer] of a template: it reports
// whether iss fits the template and its tenant is admitted.
func (i *issuer) acceptsIssuer(iss string) bool {
	tenant, ok := tenantIn(i.identifier, iss)
	// A provider with bad arguments accepts no issuer: its list of tenants may
	// be what is wrong.
	return i.err == nil && ok && i.admitsTenant(tenant)
}

// tenantIn returns the tenant that iss has where the template has tenantPart.
// ok is false if template has no tenantPart, or iss does not fit it.
func tenantIn(template, iss string) (tenant string, ok bool) {
	before, after, isTemplate := strings.Cut(template, tenantPart)
	rest, hasBefore := strings.CutPrefix(iss, before)
	tenant, hasAfter := strings.CutSuffix(rest, after)
	return tenant, isTemplate && hasBefore && hasAfter && isTenant(tenant)
}
