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

// Provider describes one authorization server. A preset is a function that
// returns one. An app may change any field before it calls [New].
type Provider struct {
	Name      string // in cookies, errors and logs: 1 to 24 characters a-z, 0-9 or "-"
	Title     string // on buttons, such as "GitHub": plain text, to be escaped; may be empty
	Endpoints        // the provider's URLs and promises
	Issuer    string // RFC 8414 section 2; if empty, an iss (RFC 9207) needs AuthURL's origin

	// Origins are those of a preset's URLs, such as "https://api.example.com".
	// New refuses a Provider if only some URLs were moved to an unlisted
	// origin: the old server would get tokens of the new one. To mix servers on
	// purpose, add the origin. If nil, any URL is accepted.
	Origins []string

	// Servers are origins of data centers, TokenURL's among them, each with the
	// same endpoints below it, and ServerParam names the parameter of a callback
	// that says which one has the account. The login, and later the refreshes and
	// the revocation of its token, go to that server: a token keeps its origin. A
	// callback or a token with an origin that is not listed here byte for byte is
	// refused, so that no other server gets a code or the secret. If ServerParam
	// is empty, or the callback lacks it, TokenURL's server has the account.
	Servers     []string
	ServerParam string

	// IsIssuer accepts iss in place of Issuer, which is then empty: Microsoft's
	// tenants have many. If nil, iss must equal Issuer byte for byte.
	IsIssuer func(iss string) bool `json:"-"`

	RawBasic     bool // sends HTTP Basic without form-encoding (RFC 6749 section 2.3.1)
	FormPost     bool // gets the callback by POST, with SameSite=None cookies; needs https
	AddsFragment bool // adds a fragment to the callback's URL, as "#_=_"; see [Login.Redirect]

	// SecretKind is the only [ClientAuth.SecretKind] that the provider takes. New
	// refuses another client secret. If empty, it takes any.
	SecretKind string

	Scopes        []string          // requested if [Config.Scopes] is nil
	IdentityScope string            // New refuses scopes without it; clear it with another Identity
	OneGrant      bool              // counts or replaces grants: package grant keeps one per person
	EndsGrant     []string          // mean a dead refresh token, as invalid_grant; "" is an empty 400
	ScopeSep      string            // separates scopes; if empty, a space
	ClientIDParam string            // names the client ID; if empty, "client_id"
	AuthParams    map[string]string // added to every authorization request; see [Param]

	// Algorithms may sign ID tokens, authorization responses and logout tokens.
	// If nil, Config.Algorithms; if that is nil, package oidc allows RS256.
	// oidc.HS256 sets HS256, alone.
	Algorithms []string

	// Metadata looks up the endpoints (RFC 8414) for every login and token
	// request, on many goroutines, so it must cache. Of the Endpoints above,
	// only AuthStyle, RequireIss, RequirePAR, Ed25519 and DPoPAlgorithms are
	// used. A foreign error becomes [Unreachable]. If nil, the Endpoints are
	// complete.
	Metadata func(context.Context, *Connection) (Endpoints, error) `json:"-"`

	// TokenBody turns the body of the token endpoint's answer into one of RFC
	// 6749 section 5.1, or 5.2 if it says no, on many goroutines. It gets
	// bodies with a status of success only, of refreshes too, and returns one
	// that it does not know as it is. An error that is not an [*Error] becomes
	// [BadAnswer]. If nil, bodies are read as they are.
	TokenBody func(body []byte) ([]byte, error) `json:"-"`

	// TokenParams returns parameters that the token request of a login has
	// beyond RFC 6749 section 4.1.3, from those of its callback, on many
	// goroutines. The token keeps them, and each refresh sends them again. The
	// callback has passed all checks, but anybody may have written the other
	// parameters in it. One that the login sets itself, or with several values,
	// is refused with [Configuration]. An error that is not an [*Error] becomes
	// [Malformed]. If nil, there are none.
	TokenParams func(callback url.Values) (url.Values, error) `json:"-"`

	// Revocation is the provider's own way to revoke a token. If zero, RFC 7009.
	Revocation Revocation

	// Identity finds out who signed in, once per login and after each refresh,
	// on many goroutines. An error refuses the login or the new token; a
	// foreign one becomes [IdentityRefused]. A nil Identity refuses a login,
	// but not a refresh. If the function is nil, logins have no Identity.
	Identity func(context.Context, *TokenResponse) (*Identity, error) `json:"-"`

	// Verify verifies a JWT from the provider by the standard of its typ:
	// "logout+jwt" (OpenID Connect Back-Channel Logout), "oauth-authz-resp+jwt"
	// (JARM) or "token-introspection+jwt" (RFC 9701). It returns the claims,
	// numbers as json.Number; any error refuses the JWT. If nil, there are no
	// JWTs.
	Verify func(
		ctx context.Context, conn *Connection, typ, jwt string,
	) (map[string]any, error) `json:"-"`

	Err error `json:"-"` // what a constructor found wrong with its arguments
}

// faults lists everything that is wrong with p. secure says that the app is on
// https.
func (p *Provider) faults(secure bool) (f []string) {
	isEmpty := p.Name == "" && p.AuthURL == "" && p.TokenURL == "" && p.Metadata == nil
	switch {
	case isEmpty && p.Err != nil:
		return nil // seamFaults lists it
	case isEmpty:
		return []string{"Config.Provider is empty: use a preset of package provider, " +
			"oidc.Provider, or set Name, AuthURL and TokenURL"}
	}
	// The name is a part of the cookie's name, where a separator would change
	// the cookie, and of log lines.
	if !isName(p.Name) {
		f = append(f, "Provider.Name must be 1 to 24 characters of a-z, 0-9 and -")
	}
	if p.Metadata == nil {
		f = append(f, p.endpointFaults("Provider.", &p.Endpoints, secure)...)
	} else if !isAuthStyle(p.AuthStyle) {
		f = append(f, "Provider.AuthStyle"+authStyleFault)
	}
	// One of the two is a mistake, and it decides how the secret travels.
	if p.RawBasic && p.AuthStyle == oauth2.AuthStyleInParams {
		f = append(f, "Provider.RawBasic has no meaning with oauth2.AuthStyleInParams: "+
			"remove one of them")
	}
	f = append(f, p.issuerFaults(secure)...)
	if p.ClientIDParam != "" && p.ClientIDParam != "client_id" && !isFreeParam(p.ClientIDParam) {
		f = append(f, "Provider.ClientIDParam is another parameter of the protocol, or not a "+
			"parameter name: use the provider's name for the client ID, or leave it empty")
	}
	// RFC 6749 section 3.3 has a space. Some servers want a comma.
	if len(p.ScopeSep) > 1 || urls.HasControl(p.ScopeSep) {
		f = append(f, "Provider.ScopeSep must be one visible character or a space")
	}
	f = append(append(f, p.paramFaults()...), p.Revocation.faults()...)
	f = append(f, p.serverFaults(secure)...)
	return append(f, scopeFaults("Provider.Scopes", p.Scopes, p.ScopeSep)...)
}

// issuerFaults checks what an iss is compared with.
func (p *Provider) issuerFaults(secure bool) (f []string) {
	// RFC 9207 section 2.4: a present iss that is not compared protects nothing
	// against mix-up attacks.
	if p.RequireIss && p.Issuer == "" && p.IsIssuer == nil {
		f = append(f, "Provider.RequireIss needs Provider.Issuer to compare iss with: set it")
	}
	// If one of them decided, the other would be ignored. An app that narrows a
	// preset for all tenants to one Issuer would still admit the others.
	if p.Issuer != "" && p.IsIssuer != nil {
		f = append(f, "Provider.Issuer and Provider.IsIssuer are both set: remove one of them, or "+
			"give the issuer to the constructor of the Provider")
	}
	if strings.ContainsFunc(p.Issuer, urls.IsNotURLChar) {
		f = append(f, "Provider.Issuer has a space, control or non-ASCII character: remove it")
	}
	// Package oidc loads the metadata from there.
	if isPlain(p.Issuer) {
		f = append(f, serverFaults("Provider.Issuer", p.Issuer, secure)...)
	}
	return f
}

// paramFaults checks AuthParams.
func (p *Provider) paramFaults() (f []string) {
	// A map has no order. Sort, so that the same faults give the same text.
	for _, key := range slices.Sorted(maps.Keys(p.AuthParams)) {
		isRepeated := func(other string) bool { return key < other && strings.EqualFold(key, other) }
		switch fault := paramFault(key, []string{p.AuthParams[key]}); {
		case !isFreeParam(key) || strings.EqualFold(key, p.ClientIDParam):
			f = append(f, fmt.Sprintf("Provider.AuthParams has %q, which the protocol sets itself "+
				"or which is not a parameter name: remove it", key))
		case fault != "":
			f = append(f, "Provider.AuthParams: "+fault)
		// Some servers ignore case.
		case hasKey(p.AuthParams, isRepeated):
			f = append(f, fmt.Sprintf("Provider.AuthParams has %q in two spellings: remove one", key))
		}
	}
	return f
}

const authStyleFault = " must be zero, oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams"

// isAuthStyle allows zero: x/oauth2 calls it AuthStyleAutoDetect, here it means
// Basic.
func isAuthStyle(s oauth2.AuthStyle) bool { return s >= 0 && s <= oauth2.AuthStyleInHeader }

// isName reports whether s can name a provider. The characters need no escaping
// in a cookie name or a log line.
func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 24 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
