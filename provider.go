package authcode

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/web"
	"golang.org/x/oauth2"
)

// Provider describes one authorization server. It is a plain value: a preset is a
// function that returns one, and an app may change any field before it calls [New].
type Provider struct {
	// Name names the provider in cookies, errors and logs: 1 to 24 characters
	// of a-z, 0-9 and "-".
	Name string

	// AuthURL is the authorization endpoint (RFC 6749 section 3.1): an https URL, or
	// http on loopback, without fragment or user information. A query is kept.
	AuthURL string

	// TokenURL is the token endpoint (RFC 6749 section 3.2), under the same rules.
	TokenURL string

	// RevocationURL is the revocation endpoint (RFC 7009). If empty, [Client.Revoke]
	// fails with [Configuration].
	RevocationURL string

	// PARURL is the pushed authorization request endpoint (RFC 9126). RequirePAR says that the provider
	// takes no other requests; see [Config.PAR].
	PARURL     string
	RequirePAR bool

	MTLS Aliases // the endpoints for a client that shows a certificate (RFC 8705 section 5)

	// AuthStyle says where a [Secret] goes (RFC 6749 section 2.3.1):
	// [oauth2.AuthStyleInHeader] is HTTP Basic, [oauth2.AuthStyleInParams] is the request
	// body. If zero, Basic. Nothing is ever probed, unlike in golang.org/x/oauth2.
	AuthStyle oauth2.AuthStyle

	// RawBasic sends client id and secret in the Basic header as they are, for servers that
	// decode nothing. If false, both are form-encoded first, as RFC 6749 section 2.3.1 asks.
	RawBasic bool

	// Issuer is the provider's issuer identifier (RFC 8414). A callback's iss parameter
	// must equal it byte for byte (RFC 9207). If empty, iss is ignored.
	Issuer string

	// RequireIss refuses a callback without iss. Set it when the provider promises
	// authorization_response_iss_parameter_supported. It needs Issuer.
	RequireIss bool

	// FormPost asks for the answer as a form POST (OAuth 2.0 Form Post Response Mode). The
	// login cookie is then SameSite=None, and RedirectURL must be https. If false, the
	// answer comes in the query.
	FormPost bool

	// Scopes are requested when [Config.Scopes] is nil.
	Scopes []string

	// ScopeSep separates scopes on the wire. If empty, a space (RFC 6749 section 3.3).
	ScopeSep string

	// ClientIDParam is the wire name of the client id. If empty, "client_id".
	ClientIDParam string

	// AuthParams are further parameters of every authorization request, such as
	// access_type=offline. The names of the protocol are refused; see [Param].
	AuthParams map[string]string

	// Identity finds out who signed in. If nil, a login carries a token only. If set, a
	// login without an identity fails with [IdentityRefused].
	Identity Identifier

	// Metadata looks the endpoints up at the first login. If nil, the fields above are
	// complete. If set, all of [Endpoints] comes from it; RequireIss and RequirePAR count too.
	Metadata Metadata
}

// Endpoints is what a [Metadata] finds out about a provider. Its URLs pass the same checks
// as those of a [Provider].
type Endpoints struct {
	AuthURL, TokenURL, RevocationURL, PARURL string

	MTLS       Aliases // mtls_endpoint_aliases (RFC 8705 section 5)
	RequirePAR bool    // require_pushed_authorization_requests (RFC 9126 section 5)

	// RequireIss is authorization_response_iss_parameter_supported (RFC 9207 section 3). It
	// adds to Provider.RequireIss and never takes away from it.
	RequireIss bool

	// AuthStyle is used when Provider.AuthStyle is zero. If zero too, Basic.
	AuthStyle oauth2.AuthStyle
}

// Aliases stand in for the endpoints of their names where a client shows a certificate, unless empty.
type Aliases struct{ TokenURL, RevocationURL, PARURL string }

// Metadata loads a provider's endpoints. Load is called for every login and every token
// request, by many goroutines: it is expected to cache. The HTTP client follows no
// redirects and keeps no cookies; the context carries the deadline of the login.
type Metadata interface {
	Load(ctx context.Context, client *http.Client) (Endpoints, error)
}

// UsedStates remembers which logins have been redeemed, for apps that run as several
// instances: a second lock beside the provider's one-time code and the memory of each process.
type UsedStates interface {
	// Use marks id as used until the given time and reports whether it was unused
	// before. It must be atomic over all instances. An id is a hash of 43
	// URL-safe characters and tells nothing. An error refuses the login with [Overloaded].
	Use(ctx context.Context, id string, until time.Time) (fresh bool, err error)
}

// faults lists all that is wrong with p.
func (p *Provider) faults() (f []string) {
	if !isName(p.Name) {
		f = append(f, "Provider.Name must be 1 to 24 characters of a-z, 0-9 and -")
	}
	if p.Metadata == nil {
		f = append(f, p.endpointFaults("Provider.", p.endpoints())...)
	}
	if p.Metadata != nil && (p.AuthStyle < 0 || p.AuthStyle > oauth2.AuthStyleInHeader) {
		f = append(f, "Provider.AuthStyle"+wantStyle)
	}
	if p.RawBasic && p.AuthStyle == oauth2.AuthStyleInParams {
		f = append(f, "Provider.RawBasic has no meaning with oauth2.AuthStyleInParams: remove one of them")
	}
	if p.RequireIss && p.Issuer == "" {
		f = append(f, "Provider.RequireIss needs Provider.Issuer to compare iss with")
	}
	if strings.ContainsFunc(p.Issuer, web.IsNotURLChar) {
		f = append(f, "Provider.Issuer has a space, control or non-ASCII character")
	}
	if p.ClientIDParam != "" && p.ClientIDParam != "client_id" && !isFreeParam(p.ClientIDParam) {
		f = append(f, "Provider.ClientIDParam is another parameter of the protocol, or no name of one")
	}
	if len(p.ScopeSep) > 1 || web.HasControl(p.ScopeSep) {
		f = append(f, "Provider.ScopeSep must be one visible character or a space")
	}
	for _, key := range slices.Sorted(maps.Keys(p.AuthParams)) {
		switch _, ok := parseMaxAge(p.AuthParams[key]); {
		case !isFreeParam(key) || key == p.ClientIDParam:
			f = append(f, fmt.Sprintf("Provider.AuthParams has %q, which the protocol sets itself or is no name", key))
		case strings.EqualFold(key, "max_age") && (!ok || key != "max_age"):
			f = append(f, "Provider.AuthParams: max_age must be a whole number of seconds")
		}
	}
	return append(f, scopeFaults("Provider.Scopes", p.Scopes, p.ScopeSep)...)
}

const wantStyle = " must be zero, oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams"

// endpoints are those of the fields.
func (p *Provider) endpoints() Endpoints {
	return Endpoints{p.AuthURL, p.TokenURL, p.RevocationURL, p.PARURL, p.MTLS, p.RequirePAR, p.RequireIss, p.AuthStyle}
}

func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 24 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// endpointFaults lists what is wrong with e, which are p's fields or what its Metadata found.
func (p *Provider) endpointFaults(prefix string, e Endpoints) (f []string) {
	f = append(f, web.CheckURL(prefix+"AuthURL", e.AuthURL)...)
	f = append(f, web.CheckURL(prefix+"TokenURL", e.TokenURL)...)
	for _, u := range [][2]string{{"RevocationURL", e.RevocationURL}, {"PARURL", e.PARURL}, {"MTLS.TokenURL", e.MTLS.TokenURL},
		{"MTLS.RevocationURL", e.MTLS.RevocationURL}, {"MTLS.PARURL", e.MTLS.PARURL}} {
		if u[1] != "" {
			f = append(f, web.CheckURL(prefix+u[0], u[1])...)
			f = append(f, queryFaults(prefix+u[0], u[1], reserved)...)
		}
	}
	if e.AuthStyle < 0 || e.AuthStyle > oauth2.AuthStyleInHeader {
		f = append(f, prefix+"AuthStyle"+wantStyle)
	}
	f = append(f, queryFaults(prefix+"AuthURL", e.AuthURL, func(key string) bool {
		_, again := p.AuthParams[key]
		return again || reserved(key) || key == p.ClientIDParam
	})...)
	return append(f, queryFaults(prefix+"TokenURL", e.TokenURL, reserved)...)
}

// queryFaults looks at the parameters that a URL brings along.
func queryFaults(field, raw string, taken func(key string) bool) (f []string) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil // CheckURL has said so
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		f = append(f, field+" has a malformed query")
	}
	for key, values := range query {
		if taken(key) || len(values) > 1 {
			f = append(f, fmt.Sprintf("%s sets %q, which the protocol sets itself or another field sets, or sets it twice", field, key))
		}
	}
	return f
}

// scopeFaults checks scope tokens (RFC 6749 section 3.3: printable ASCII, no space, quote, backslash).
func scopeFaults(field string, scopes []string, sep string) (f []string) {
	for i, s := range scopes {
		bad := func(r rune) bool { return web.IsNotURLChar(r) || r == '"' || r == '\\' }
		if s == "" || strings.ContainsFunc(s, bad) || sep != "" && strings.Contains(s, sep) {
			f = append(f, fmt.Sprintf("%s[%d] is not one scope: write one scope an element", field, i))
		}
	}
	return f
}

// reserved reports whether the login itself sets the parameter key, or would be undone by it. Case
// is ignored, as some servers do.
func reserved(key string) bool {
	switch strings.ToLower(key) {
	case "response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", // RFC 6749
		"code_challenge", "code_challenge_method", "code_verifier", // RFC 7636
		"nonce", "request", "request_uri", "registration", // OpenID Connect Core, RFC 9101
		"dpop_jkt", "client_secret", "client_assertion", "client_assertion_type",
		"code", "grant_type", "iss", "error", "refresh_token", "token", "token_type_hint": // RFC 7009, RFC 9207
		return true
	}
	return false
}

// isFreeParam reports whether key is a parameter name that the app may use.
func isFreeParam(key string) bool {
	return key != "" && !strings.ContainsFunc(key, web.IsNotURLChar) && !reserved(key)
}
