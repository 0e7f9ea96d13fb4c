package authcode

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// Provider describes one authorization server. It is a plain value: a preset is a
// function that returns one, and an app may change any field before it calls [New].
type Provider struct {
	// Name names the provider in cookies, errors and logs: 1 to 24 characters
	// of a-z, 0-9 and "-".
	Name string

	// Endpoints are the provider's URLs, and what it promises about them.
	Endpoints

	// Issuer is the provider's issuer identifier (RFC 8414). A callback's iss parameter
	// must equal it byte for byte (RFC 9207). If empty, iss is ignored.
	Issuer string

	// IsIssuer reports whether iss names this provider, for issuer identifiers with a part that
	// varies, such as Microsoft's tenants. If nil, iss must equal Issuer.
	IsIssuer func(iss string) bool `json:"-"`

	// RawBasic sends client id and secret in the Basic header as they are, for servers that
	// decode nothing. If false, both are form-encoded first, as RFC 6749 section 2.3.1 asks.
	RawBasic bool

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

	// Algorithms pins the algorithms of what the provider signs: ID tokens, signed responses,
	// logout tokens. If nil, Config.Algorithms; if that is nil too, what package oidc documents.
	Algorithms []string

	// Metadata looks the endpoints up (OpenID Connect Discovery, RFC 8414). It is called for every login
	// and every token request, by many goroutines: it is expected to cache. The context
	// carries the deadline of the login. All of [Endpoints] then comes from it, but what the
	// fields say in AuthStyle, RequireIss and RequirePAR counts too. An error that is no [*Error]
	// becomes [Unreachable]. If nil, the fields above are complete.
	Metadata func(context.Context, *Connection) (Endpoints, error) `json:"-"`

	// Identity finds out who signed in. It is called once per login, and after each refresh with
	// [TokenResponse.Previous] set, by many goroutines. At a login an error refuses the login, as
	// does a nil Identity. At a refresh an error refuses the new token, and a nil Identity means that
	// nothing new was said. An [*Error] passes through unchanged, any other error becomes
	// [IdentityRefused], and its text is not kept. If nil, a login carries a token only.
	Identity func(context.Context, *TokenResponse) (*Identity, error) `json:"-"`

	// Verify opens a JWT that the provider has signed for this client: typ "logout+jwt" (OpenID Connect
	// Back-Channel Logout section 2.4), "oauth-authz-resp+jwt" (JARM) or
	// "token-introspection+jwt" (RFC 9701). It checks all that the standard of the type asks for and
	// returns the claims, numbers as json.Number. If nil, the provider signs no such messages.
	Verify func(ctx context.Context, conn *Connection, typ, jwt string) (map[string]any, error) `json:"-"`

	// Err is what is wrong with the arguments of the function that made this value. [New] lists it.
	Err error `json:"-"`
}

// faults lists all that is wrong with p.
func (p *Provider) faults() (f []string) {
	if !isName(p.Name) {
		f = append(f, "Provider.Name must be 1 to 24 characters of a-z, 0-9 and -")
	}
	if p.Metadata == nil {
		f = append(f, p.endpointFaults("Provider.", &p.Endpoints)...)
	} else if !isAuthStyle(p.AuthStyle) {
		f = append(f, "Provider.AuthStyle"+wantStyle)
	}
	if p.RawBasic && p.AuthStyle == oauth2.AuthStyleInParams {
		f = append(f, "Provider.RawBasic has no meaning with oauth2.AuthStyleInParams: remove one of them")
	}
	if p.RequireIss && p.Issuer == "" && p.IsIssuer == nil {
		f = append(f, "Provider.RequireIss needs Provider.Issuer to compare iss with")
	}
	if strings.ContainsFunc(p.Issuer, urls.IsNotURLChar) {
		f = append(f, "Provider.Issuer has a space, control or non-ASCII character")
	}
	if p.ClientIDParam != "" && p.ClientIDParam != "client_id" && !isFreeParam(p.ClientIDParam) {
		f = append(f, "Provider.ClientIDParam is another parameter of the protocol, or not a parameter name")
	}
	if len(p.ScopeSep) > 1 || urls.HasControl(p.ScopeSep) {
		f = append(f, "Provider.ScopeSep must be one visible character or a space")
	}
	f = append(f, p.paramFaults()...)
	return append(f, scopeFaults("Provider.Scopes", p.Scopes, p.ScopeSep)...)
}

func (p *Provider) paramFaults() (f []string) {
	for _, key := range slices.Sorted(maps.Keys(p.AuthParams)) {
		switch _, ok := parseMaxAge(p.AuthParams[key]); {
		case !isFreeParam(key) || key == p.ClientIDParam:
			f = append(f, fmt.Sprintf("Provider.AuthParams has %q, which the protocol sets itself or which is not a parameter name", key))
		case strings.EqualFold(key, "max_age") && (!ok || key != "max_age"):
			f = append(f, "Provider.AuthParams: max_age must be a whole number of seconds")
		}
	}
	return f
}

const wantStyle = " must be zero, oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams"

func isAuthStyle(s oauth2.AuthStyle) bool { return s >= 0 && s <= oauth2.AuthStyleInHeader }

func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 24 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// endpointFaults lists what is wrong with e, which are p's fields or what its Metadata found.
func (p *Provider) endpointFaults(prefix string, e *Endpoints) (f []string) {
	f = append(f, urls.Check(prefix+"AuthURL", e.AuthURL)...)
	f = append(f, queryFaults(prefix+"AuthURL", e.AuthURL, func(key string) bool {
		_, again := p.AuthParams[key]
		return again || reserved(key) || key == p.ClientIDParam
	})...)
	if e.TokenURL == "" {
		f = append(f, urls.Check(prefix+"TokenURL", e.TokenURL)...)
	}
	f = append(f, urlFaults(prefix, e)...)
	if e.MTLS != nil {
		f = append(f, urlFaults(prefix+"MTLS.", e.MTLS)...)
	}
	if !isAuthStyle(e.AuthStyle) {
		f = append(f, prefix+"AuthStyle"+wantStyle)
	}
	return f
}

// urlFaults looks at the URLs of requests that the app sends. Those that get a form must not have the
// form's parameters in their query already.
func urlFaults(prefix string, e *Endpoints) (f []string) {
	for _, u := range []struct {
		name, url string
		posted    bool
	}{
		{"TokenURL", e.TokenURL, true}, {"RevocationURL", e.RevocationURL, true}, {"PARURL", e.PARURL, true},
		{"IntrospectionURL", e.IntrospectionURL, true}, {"UserInfoURL", e.UserInfoURL, false},
		{"EndSessionURL", e.EndSessionURL, false}, {"JWKSURL", e.JWKSURL, false},
	} {
		if u.url == "" {
			continue
		}
		f = append(f, urls.Check(prefix+u.name, u.url)...)
		if u.posted {
			f = append(f, queryFaults(prefix+u.name, u.url, reserved)...)
		}
	}
	return f
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
		bad := func(r rune) bool { return urls.IsNotURLChar(r) || r == '"' || r == '\\' }
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
	return key != "" && !strings.ContainsFunc(key, urls.IsNotURLChar) && !reserved(key)
}
