package oidc

import (
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

// Option changes the provider that [Provider] describes: see [UserInfo],
// [TrustAudiences], [HostedDomain], [Tenants], [MetadataURL], [HS256] and
// [StringEmailVerified]. A nil Option changes nothing.
type Option interface{ apply(*settings) }

type option func(*settings)

func (o option) apply(s *settings) { o(s) }

// settings are the arguments of [Provider].
type settings struct {
	identifier  string // the issuer identifier, or a template of it
	isTemplate  bool   // identifier contains tenantPart
	metadataURL string // if empty, derived from identifier

	audiences []string // trusted beside the app's own
	domains   []string // in lower case; if empty, any
	tenants   []string // in lower case
	anyTenant bool

	hmac     secret.Value[string] // the key of HS256
	onlyHMAC bool                 // HS256 is used

	userInfo       bool // asks the userinfo endpoint, too
	stringVerified bool // accepts "true" as email_verified

	faults []string // the Checks of bad arguments, each once
}

func (s *settings) addFault(check string) {
	// Two options may find the same fault, and one line about it is enough.
	if !slices.Contains(s.faults, check) {
		s.faults = append(s.faults, check)
	}
}

// argumentsError returns the error for bad arguments of Provider, nil if there
// are none. A single fault has its own Check.
func argumentsError(faults []string) error {
	// Return a plain nil. A nil *Error in an error does not equal nil, so New
	// would refuse every provider.
	if len(faults) == 0 {
		return nil
	}
	e := &authcode.Error{Reason: authcode.Configuration, Check: "config"}
	if len(faults) == 1 {
		e.Check = faults[0]
	}
	for _, check := range faults {
		e.Faults = append(e.Faults, describe(check))
	}
	return e
}

// UserInfo asks the userinfo endpoint as well (OpenID Connect Core section
// 5.3), and adds its claims to those of the ID token. If its answer cannot be
// loaded, or has a different subject, the login is refused. If the metadata has
// no userinfo_endpoint, the claims of the ID token are all that there is.
//
// The signature of a signed answer is checked like that of an ID token. Its
// iss, aud, azp and exp may be missing, and are checked if present: section
// 5.3.2 only recommends iss and aud, and the answer came over TLS, in exchange
// for the access token of this login. Only a key that names an issuer needs iss
// to be there.
func UserInfo() Option { return option(func(s *settings) { s.userInfo = true }) }

// TrustAudiences accepts ID tokens that name these audiences beside this app.
// Without it, an ID token with any other audience is refused: that audience
// also has the token, and could have passed it on.
func TrustAudiences(audiences ...string) Option {
	// The caller may change its slice later, while logins read it.
	audiences = slices.Clone(audiences)
	return option(func(s *settings) { s.audiences = audiences })
}

// HostedDomain admits only accounts of these Google Workspace domains: the ID
// token's hd must be one of them. It also sends hd to Google, which then offers
// matching accounts but does not enforce it. The case of letters does not
// matter.
func HostedDomain(domains ...string) Option {
	domains = lowerCase(domains)
	return option(func(s *settings) {
		s.domains = domains
		// An empty list, perhaps from a missing setting, must not admit every
		// account.
		if len(domains) == 0 || !all(domains, isDomain) {
			s.addFault("config.hosted_domain")
		}
	})
}

// isDomain reports whether s is a bare domain in lower case.
func isDomain(s string) bool {
	return s != "" && strings.Trim(s, ".") == s &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

// Tenants admits only people of these Microsoft tenants: the token's tid must
// be one of them. The case of letters does not matter. Without it, a template
// issuer admits every tenant.
func Tenants(ids ...string) Option {
	ids = lowerCase(ids)
	return option(func(s *settings) {
		s.tenants, s.anyTenant = ids, false
		// An empty list, perhaps from a missing setting, must not admit every
		// tenant.
		if len(ids) == 0 || !all(ids, isTenant) {
			s.addFault("config.tenants")
		}
	})
}

// MetadataURL says where the metadata document is: an absolute https URL (http
// on loopback). Without it, the document is at the issuer followed by
// /.well-known/openid-configuration (OpenID Connect Discovery section 4). If
// that answers 404, it is at /.well-known/oauth-authorization-server followed
// by the issuer's path (RFC 8414 section 3).
func MetadataURL(url string) Option {
	return option(func(s *settings) {
		s.metadataURL = url
		if !isEndpoint(url) {
			s.addFault("config.metadata_url")
		}
	})
}

// StringEmailVerified accepts the string "true" as email_verified, as well as
// the JSON value true. Apple sends either.
func StringEmailVerified() Option { return option(func(s *settings) { s.stringVerified = true }) }

func lowerCase(texts []string) []string {
	lower := make([]string, len(texts))
	for n, s := range texts {
		lower[n] = strings.ToLower(s)
	}
	return lower
}

func all(texts []string, holds func(string) bool) bool {
	return !slices.ContainsFunc(texts, func(s string) bool { return !holds(s) })
}
