package authcode

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/urls"
)

// endpointFaults lists what is wrong with e: the fields of p, or what its
// Metadata found.
func (p *Provider) endpointFaults(prefix string, e *Endpoints, secure bool) (f []string) {
	f = append(f, serverFaults(prefix+"AuthURL", e.AuthURL, secure)...)
	// RFC 6749 section 3.1: request parameters must not be included more than
	// once. With two of a name, the server chooses.
	f = append(f, p.endpointQueryFaults(prefix+"AuthURL", e.AuthURL, func(key string) bool {
		_, again := p.AuthParams[key]
		return again || isReserved(key) || key == p.ClientIDParam
	})...)
	// The other URLs may be empty: a Client works without them.
	if e.TokenURL == "" {
		f = append(f, urls.Check(prefix+"TokenURL", e.TokenURL)...)
	}
	f = append(append(f, p.urlFaults(prefix, e, secure)...), p.originFaults(prefix, e)...)
	f = append(f, p.homeFaults(prefix, e)...)
	// The certificate, and with it the app's identity, goes to these.
	if e.MTLS != nil {
		f = append(f, p.urlFaults(prefix+"MTLS.", e.MTLS, secure)...)
	}
	if !isAuthStyle(e.AuthStyle) {
		f = append(f, prefix+"AuthStyle"+authStyleFault)
	}
	return f
}

// endpointsPlace says where an app sets an endpoint. The Endpoints of a
// Provider with Metadata are not used.
func (p *Provider) endpointsPlace() string {
	if p.Metadata != nil {
		return "a function around Provider.Metadata"
	}
	return "Provider.Endpoints"
}

// urlFaults checks the URLs that the app itself sends requests to.
func (p *Provider) urlFaults(prefix string, e *Endpoints, secure bool) (f []string) {
	for _, u := range []struct {
		name, url string
		posted    bool
	}{
		{"TokenURL", e.TokenURL, true}, {"RevocationURL", e.RevocationURL, true},
		{"PARURL", e.PARURL, true}, {"IntrospectionURL", e.IntrospectionURL, true},
		{"UserInfoURL", e.UserInfoURL, false}, {"EndSessionURL", e.EndSessionURL, false},
		{"JWKSURL", e.JWKSURL, false},
	} {
		if u.url == "" {
			continue
		}
		f = append(f, serverFaults(prefix+u.name, u.url, secure)...)
		// Some servers merge query and body. A client_secret or token in the
		// URL could win over the one in the form, and would appear in logs.
		if u.posted {
			f = append(f, p.endpointQueryFaults(prefix+u.name, u.url, isReserved)...)
		}
	}
	return f
}

// originFaults checks that the URLs still belong together.
func (p *Provider) originFaults(prefix string, e *Endpoints) (f []string) {
	if p.Origins == nil {
		return nil
	}
	var listed, seen []string
	for _, o := range p.Origins {
		listed = append(listed, urls.OriginOf(o))
	}
	type named struct{ name, url string }
	all := []named{
		{prefix + "AuthURL", e.AuthURL}, {prefix + "TokenURL", e.TokenURL},
		{prefix + "RevocationURL", e.RevocationURL}, {prefix + "PARURL", e.PARURL},
		{prefix + "UserInfoURL", e.UserInfoURL}, {prefix + "IntrospectionURL", e.IntrospectionURL},
		{prefix + "EndSessionURL", e.EndSessionURL}, {prefix + "JWKSURL", e.JWKSURL},
		// With the former issuer, an iss of the new server would be refused.
		{"Provider.Issuer", p.Issuer},
	}
	for _, server := range p.Servers {
		all = append(all, named{"Provider.Servers", server})
	}
	for _, u := range all {
		if u.url == "" {
			continue
		}
		origin := urls.OriginOf(u.url)
		seen = append(seen, origin)
		if !slices.Contains(listed, origin) {
			f = append(f, u.name+" has an origin that is not in Provider.Origins, and other "+
				"URLs have another one: move all URLs to one origin, or add this one to Provider.Origins")
		}
	}
	// If all URLs have one other origin, it is another installation or a test.
	if len(slices.Compact(seen)) == 1 {
		return nil
	}
	return f
}

// endpointQueryFaults is queryFaults for an endpoint.
func (p *Provider) endpointQueryFaults(field, raw string, taken func(key string) bool) []string {
	f := queryFaults(field, raw, taken)
	// The names in a URL of the metadata are the provider's words, and there
	// may be thousands. They must not reach the app's logs.
	if p.Metadata != nil && len(f) > 0 {
		return []string{field + " sets a parameter twice, or one that the protocol or another " +
			"field sets, or has a malformed query: report it to the provider"}
	}
	return f
}

// serverFaults checks the URL of a server.
func serverFaults(field, raw string, secure bool) []string {
	f := urls.Check(field, raw)
	// Services on loopback often trust every caller. Where customers name their
	// provider, one of them could make a deployed app call these.
	if len(f) == 0 && secure && isPlain(raw) {
		f = []string{field + " must be https: http on loopback is for an app that has its " +
			"Config.RedirectURL there, too (a worker sets that app's RedirectURL and CookieKeys)"}
	}
	return f
}

// isPlain reports whether raw is an http URL.
func isPlain(raw string) bool { return len(raw) >= 5 && strings.EqualFold(raw[:5], "http:") }

// queryFaults checks the parameters that a URL of the Config already has.
func queryFaults(field, raw string, taken func(key string) bool) (f []string) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil // urls.Check reports it
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		f = append(f, field+" has a malformed query: percent-encode it")
	}
	// A map has no order. Sort, so that the same faults give the same text.
	for _, key := range slices.Sorted(maps.Keys(query)) {
		if taken(key) || len(query[key]) > 1 {
			f = append(f, fmt.Sprintf("%s sets %q, which the protocol sets itself or another "+
				"field sets, or sets it twice: remove it", field, key))
		}
	}
	return f
}
