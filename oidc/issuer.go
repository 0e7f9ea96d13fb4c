package oidc

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/once"
	"example.com/authcode/internal/web"
	"github.com/go-jose/go-jose/v4"
)

// tenantPart stands for the tenant in an issuer template, as Microsoft's documents have it.
const tenantPart = "{tenantid}"

// Issuer is one OpenID provider: where its endpoints are and who its tokens are about. It is an
// [authcode.Metadata], an [authcode.Identifier] and an [authcode.RefreshChecker]. It caches what
// it has loaded, so make one per provider, not one per login. It is safe for concurrent use.
type Issuer struct {
	settings

	documents  cached[*metadata]
	logins     allowance // loads on behalf of tokens that the provider handed us
	handlers   allowance // and by client, on behalf of requests that may be anybody's
	responses  allowance // and for signed responses: what is posted to a logout handler must not keep logins away
	tokensSeen once.Set  // logout tokens: only the provider can fill it, and logging out twice is no harm worth memory
}

// settings are what New and its options say.
type settings struct {
	issuer       string
	metadataURL  string
	algorithms   []jose.SignatureAlgorithm // empty: those that the provider advertises
	audiences    []string
	domains      []string
	tenants      []string // in lower case, as domains
	anyTenant    bool
	userInfo     bool
	textVerified bool
	client       *http.Client // for handlers; nil: one of our own
	onError      func(http.ResponseWriter, *http.Request, *authcode.Error)
	notify       func(*http.Request, *authcode.Error)
	fault        *authcode.Error // what is wrong with the arguments of New
}

// Validate implements what [authcode.New] asks of the parts of a Config: what is wrong with the arguments of [New].
func (i *Issuer) Validate() error {
	switch {
	case i == nil:
		return misused("config.issuer")
	case i.fault != nil:
		return i.fault
	}
	return nil
}

// IssuerOf returns the Issuer behind a provider of this package or of package provider, for its handlers;
// false if there is none, as for providers that are not OpenID providers.
func IssuerOf(p authcode.Provider) (*Issuer, bool) {
	if i, ok := p.Metadata.(*Issuer); ok {
		return i, true
	}
	i, ok := p.Identity.(*Issuer)
	return i, ok
}

// New returns the provider with this issuer identifier: an https URL (http on loopback), byte for
// byte as in the provider's metadata. It does no I/O. A faulty argument is reported by [authcode.New], and
// at every use, as an [*authcode.Error] with Reason [authcode.Configuration].
//
// An issuer whose path has the part "{tenantid}" is a template, as Microsoft's multi-tenant
// documents have it; it needs [MetadataURL].
func New(issuer string, opts ...Option) *Issuer {
	i := withSettings(settings{issuer: issuer, anyTenant: true, client: newHTTPClient(), onError: authcode.ErrorPage,
		notify: func(*http.Request, *authcode.Error) {}})
	if !isIssuer(issuer) || i.isTemplate() && strings.Count(issuer, tenantPart) != 1 {
		i.fault = misused("config.issuer")
	}
	for _, opt := range opts {
		opt(i)
	}
	if i.isTemplate() && i.metadataURL == "" && i.fault == nil {
		i.fault = misused("config.metadata_url")
	}
	return i
}

func withSettings(s settings) *Issuer {
	i := &Issuer{settings: s, tokensSeen: once.Set{Max: 4096}}
	i.documents.name, i.documents.lifetime = "discovery", metadataLifetime
	return i
}

// Pinned reports whether i accepts these algorithms only, whatever the provider advertises.
func (i *Issuer) Pinned(algorithms ...string) bool {
	return i != nil && len(i.algorithms) > 0 && !slices.ContainsFunc(i.algorithms, func(alg jose.SignatureAlgorithm) bool {
		return !slices.Contains(algorithms, string(alg))
	})
}

// Restrict returns a copy for a profile: it accepts these algorithms only, named as for [Algorithms], and no
// http, on loopback neither. If i has been given algorithms, they must be among these. The copy shares nothing
// of what i has loaded.
func (i *Issuer) Restrict(algorithms ...string) *Issuer {
	if i == nil {
		return nil // Validate says so
	}
	own := withSettings(i.settings)
	if isPlain(i.issuer) || i.metadataURL != "" && isPlain(i.metadataURL) {
		own.fault = misused("config.plain")
	}
	for _, alg := range i.algorithms {
		if !slices.Contains(algorithms, string(alg)) {
			own.fault = misused("config.restricted")
			return own
		}
	}
	if len(i.algorithms) == 0 {
		Algorithms(algorithms...)(own)
	}
	return own
}

// Provider is New(issuer, opts...).Provider().
func Provider(issuer string, opts ...Option) authcode.Provider {
	return New(issuer, opts...).Provider()
}

// Provider returns the description of the provider for [authcode.Config]: its name is "oidc", its
// scopes are openid, profile and email, and both may be changed. Its endpoints are looked up at
// the first login.
func (i *Issuer) Provider() authcode.Provider {
	p := authcode.Provider{
		Name:     "oidc",
		Issuer:   i.issuer,
		Scopes:   []string{"openid", "profile", "email"},
		Identity: i,
		Metadata: i,
	}
	if i.isTemplate() {
		// Which tenant answers is known only with the ID token: Identify compares a callback's iss.
		p.Issuer = ""
	}
	switch len(i.domains) {
	case 0:
	case 1: // so that Google offers the right accounts; what counts is the check in the token
		p.AuthParams = map[string]string{"hd": i.domains[0]}
	default:
		p.AuthParams = map[string]string{"hd": "*"}
	}
	return p
}

// Load implements [authcode.Metadata]: it returns the provider's endpoints from its metadata
// document, which is fetched at the first call, once for concurrent callers, and again after an hour,
// while the old one goes on serving. The last good document serves while the provider is down.
func (i *Issuer) Load(ctx context.Context, client *http.Client) (authcode.Endpoints, error) {
	m, err := i.metadata(ctx, client, &i.logins)
	if err != nil {
		return authcode.Endpoints{}, err
	}
	return m.endpoints, nil
}

// metadata returns the current document.
func (i *Issuer) metadata(ctx context.Context, client *http.Client, by *allowance) (*metadata, *authcode.Error) {
	if i.fault != nil {
		return nil, i.fault
	}
	return i.documents.get(ctx, func(ctx context.Context) (*metadata, *authcode.Error) {
		return i.loadMetadata(ctx, client, i.documents.last())
	}, by)
}

func (i *Issuer) isTemplate() bool { return strings.Contains(i.issuer, tenantPart) }

// tenantOf returns the tenant that iss has in the place where the template leaves it open.
func (i *Issuer) tenantOf(iss string) (tenant string, ok bool) {
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

// names reports whether iss is this provider's issuer identifier, or one that the template
// and the tenants allow.
func (i *Issuer) names(iss string) bool {
	if !i.isTemplate() {
		return iss == i.issuer
	}
	tenant, ok := i.tenantOf(iss)
	return ok && i.allowsTenant(tenant)
}

// isIssuer holds for an issuer identifier (OpenID Connect Discovery section 3): a URL without
// query or fragment.
func isIssuer(s string) bool { return isEndpoint(s) && !strings.Contains(s, "?") }

// isEndpoint holds for what the root package accepts as a URL too: https, or http on loopback,
// with a host, without user information and fragment.
func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Opaque != "" || u.User != nil || u.Hostname() == "" || strings.Contains(s, "#") {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && web.IsLoopback(u.Hostname())
}

// isPlain holds for an http URL: in a development setup, where the provider is on loopback.
func isPlain(endpoint string) bool {
	return !strings.EqualFold(endpoint[:min(len(endpoint), 6)], "https:")
}
