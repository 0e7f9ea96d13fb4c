package oidc

import (
	"net/http"
	"slices"
	"strings"

	"example.com/authcode"
	"github.com/go-jose/go-jose/v4"
)

// Option changes a provider that [New] makes.
type Option func(*Issuer)

// supported are the algorithms that a provider may sign with. There is no "none", and no HMAC: its
// key would be the client secret, or, where the check is fooled, the provider's public key.
var supported = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// Algorithms pins the algorithms that tokens may be signed with: RS256, RS384, RS512, PS256, PS384,
// PS512, ES256, ES384, ES512 or EdDSA. Without it, those of them that the provider's
// metadata advertises, and RS256 if it advertises none.
func Algorithms(algorithms ...string) Option {
	return func(i *Issuer) {
		i.algorithms = known(algorithms)
		if len(i.algorithms) != len(algorithms) || len(algorithms) == 0 {
			i.fault = misused("config.algorithms")
		}
	}
}

// known returns those of names that are supported.
func known(names []string) (algorithms []jose.SignatureAlgorithm) {
	for _, name := range names {
		if alg := jose.SignatureAlgorithm(name); slices.Contains(supported, alg) {
			algorithms = append(algorithms, alg)
		}
	}
	return algorithms
}

// UserInfo asks the userinfo endpoint too (OpenID Connect Core section 5.3), and adds its claims to
// those of the ID token. A login whose userinfo cannot be had is refused. The answer must be about the
// ID token's subject. A signed one must be signed as an ID token is; its iss, aud, azp and exp are
// checked where it has them, and may be missing: section 5.3.2 recommends the first two, and the answer
// came over TLS to this login's access token.
func UserInfo() Option { return func(i *Issuer) { i.userInfo = true } }

// TrustAudiences accepts ID tokens that are meant for others besides this app, as long as they are
// these. Without it, an ID token with any other audience is refused: whoever else is named could
// have passed it on.
func TrustAudiences(audiences ...string) Option {
	audiences = slices.Clone(audiences)
	return func(i *Issuer) { i.audiences = audiences }
}

// HostedDomain admits only accounts of these Google Workspace domains: the token's hd must be one
// of them. It also sends hd to Google, which chooses accounts by it and guarantees nothing.
func HostedDomain(domains ...string) Option {
	domains = lowered(domains)
	return func(i *Issuer) {
		i.domains = domains
		if len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return !isDomain(d) }) {
			i.fault = misused("config.hosted_domain")
		}
	}
}

// isDomain holds for a bare domain in lower case.
func isDomain(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == "" && strings.Trim(s, ".") == s
}

func lowered(texts []string) (all []string) {
	for _, s := range texts {
		all = append(all, strings.ToLower(s))
	}
	return all
}

// Tenants admits only people of these Microsoft tenants: the token's tid must be one of them.
// Without it, a template issuer admits every tenant.
func Tenants(ids ...string) Option {
	ids = lowered(ids)
	return func(i *Issuer) {
		i.tenants, i.anyTenant = ids, false
		if len(ids) == 0 || !allTenants(ids) { // an empty list from a configuration is no "all"
			i.fault = misused("config.tenants")
		}
	}
}

func allTenants(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !isTenant(id) })
}

func (i *Issuer) allowsTenant(id string) bool {
	return i.anyTenant || slices.Contains(i.tenants, id)
}

// MetadataURL is where the metadata document is. Without it, at
// {issuer}/.well-known/openid-configuration (OpenID Connect Discovery section 4), and if that answers 404,
// at /.well-known/oauth-authorization-server with the issuer's path behind it (RFC 8414
// section 3).
func MetadataURL(url string) Option {
	return func(i *Issuer) {
		i.metadataURL = url
		if !isEndpoint(url) {
			i.fault = misused("config.metadata_url")
		}
	}
}

// StringEmailVerified takes the text "true" in email_verified for true. For Apple, which sends
// either. Without it, only the JSON value true counts.
func StringEmailVerified() Option { return func(i *Issuer) { i.textVerified = true } }

// HTTPClient carries the requests of the handlers of this package, by its Transport: no redirect is
// followed and no cookie kept. Logins and refreshes use the client of [authcode.Config]. Without
// it, a client with bounded headers and waiting times, and the proxy from the environment.
func HTTPClient(client *http.Client) Option {
	return func(i *Issuer) {
		if client != nil {
			i.client = &http.Client{Transport: client.Transport}
		}
	}
}

// Notify calls f with what no person is shown, for the log: a back- or front-channel logout that was refused,
// and a logout that could not go on to the provider. Many goroutines may call f. The error is safe to log.
func Notify(f func(*http.Request, *authcode.Error)) Option {
	return func(i *Issuer) {
		if f != nil {
			i.notify = f
		}
	}
}

// OnError answers a request that [Issuer.LogoutHandler] refuses itself. Without it, [authcode.ErrorPage].
func OnError(f func(http.ResponseWriter, *http.Request, *authcode.Error)) Option {
	return func(i *Issuer) {
		if f != nil {
			i.onError = f
		}
	}
}
