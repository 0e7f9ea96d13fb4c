package oidc

import (
	"slices"
	"strings"

	"example.com/authcode"
)

// Option changes the provider that [Provider] describes: see [UserInfo], [TrustAudiences],
// [HostedDomain], [Tenants], [MetadataURL] and [StringEmailVerified]. A nil Option changes nothing.
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// settings are what the arguments of Provider say.
type settings struct {
	issuer       string
	metadataURL  string
	audiences    []string
	domains      []string // in lower case, as tenants
	tenants      []string
	anyTenant    bool
	userInfo     bool
	textVerified bool
	faults       []string // the Checks of what is wrong, each once
}

// fault notes what is wrong with an argument.
func (s *settings) fault(check string) {
	if !slices.Contains(s.faults, check) {
		s.faults = append(s.faults, check)
	}
}

// misconfigured is the error for the arguments with these faults, nil if there are none. A single
// fault has its own Check.
func misconfigured(faults []string) error {
	if len(faults) == 0 {
		return nil
	}
	e := &authcode.Error{Reason: authcode.Configuration, Check: "config"}
	if len(faults) == 1 {
		e.Check = faults[0]
	}
	for _, check := range faults {
		e.Faults = append(e.Faults, explain(check))
	}
	return e
}

// UserInfo asks the userinfo endpoint too (OpenID Connect Core section 5.3), and adds its claims to
// those of the ID token. If userinfo cannot be loaded, the login is refused. The answer must be about
// the subject of the ID token. A signed answer must be signed as an ID token is. Its iss, aud, azp
// and exp are checked if they are there, and may be missing: section 5.3.2 only recommends the first
// two, and the answer came over TLS to the access token of this login.
func UserInfo() Option { return option(func(s *settings) { s.userInfo = true }) }

// TrustAudiences accepts ID tokens that are meant for these audiences as well as for this app.
// Without it, an ID token with any other audience is refused: whoever else is named could have
// passed it on.
func TrustAudiences(audiences ...string) Option {
	audiences = slices.Clone(audiences)
	return option(func(s *settings) { s.audiences = audiences })
}

// HostedDomain admits only accounts of these Google Workspace domains: the token's hd must be one
// of them. It also sends hd to Google, which offers accounts by it and guarantees nothing.
func HostedDomain(domains ...string) Option {
	domains = lowered(domains)
	return option(func(s *settings) {
		s.domains = domains
		if len(domains) == 0 || slices.ContainsFunc(domains, func(d string) bool { return !isDomain(d) }) {
			s.fault("config.hosted_domain")
		}
	})
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
	return option(func(s *settings) {
		s.tenants, s.anyTenant = ids, false
		if len(ids) == 0 || !allTenants(ids) { // an empty list from a configuration does not mean "all"
			s.fault("config.tenants")
		}
	})
}

func allTenants(ids []string) bool {
	return !slices.ContainsFunc(ids, func(id string) bool { return !isTenant(id) })
}

func (s *settings) allowsTenant(id string) bool {
	return s.anyTenant || slices.Contains(s.tenants, id)
}

// MetadataURL says where the metadata document is. Without it, the document is looked for at
// {issuer}/.well-known/openid-configuration (OpenID Connect Discovery section 4). If that answers 404,
// it is looked for at /.well-known/oauth-authorization-server followed by the issuer's path (RFC 8414
// section 3).
func MetadataURL(url string) Option {
	return option(func(s *settings) {
		s.metadataURL = url
		if !isEndpoint(url) {
			s.fault("config.metadata_url")
		}
	})
}

// StringEmailVerified accepts the text "true" in email_verified as true. Apple sends either. Without
// it, only the JSON value true counts.
func StringEmailVerified() Option { return option(func(s *settings) { s.textVerified = true }) }
