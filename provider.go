package authcode

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

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
	// complete. If set, AuthURL, TokenURL, RevocationURL and RequireIss come from it.
	Metadata Metadata
}

// Endpoints is what a [Metadata] finds out about a provider. Its URLs pass the same checks
// as those of a [Provider].
type Endpoints struct {
	AuthURL, TokenURL, RevocationURL string

	// RequireIss is authorization_response_iss_parameter_supported (RFC 9207 section 3). It
	// adds to Provider.RequireIss and never takes away from it.
	RequireIss bool
}

// Metadata loads a provider's endpoints. Load is called for every login and every token
// request, by many goroutines: it is expected to cache. The HTTP client follows no
// redirects and keeps no cookies; the context carries the deadline of the login.
type Metadata interface {
	Load(ctx context.Context, client *http.Client) (Endpoints, error)
}

// Identifier turns a token answer into an [Identity]. Identify is called once per login, by
// many goroutines. An error refuses the login; an [*Error] passes through unchanged,
// any other error becomes [IdentityRefused], and its text is not kept.
type Identifier interface {
	Identify(ctx context.Context, answer *Answer) (*Identity, error)
}

// Answer is what an [Identifier] may look at.
type Answer struct {
	Token    *oauth2.Token // every member of the token answer is in Token.Extra
	ClientID string
	Issuer   string        // Provider.Issuer
	Nonce    string        // the nonce sent with this login; empty: none was sent
	MaxAge   time.Duration // the max_age sent with this login; negative: none was sent
	Callback url.Values    // the parameters of the callback
	HTTP     *http.Client  // follows no redirects, keeps no cookies
}

// Identity says who signed in. The key of a user is (Issuer, Subject), never the e-mail
// address.
type Identity struct {
	Issuer  string
	Subject string

	// Email is present only together with what the provider says of it.
	Email         string
	EmailVerified bool

	Name    string
	Picture string

	// Claims holds all that the provider said, numbers as json.Number.
	Claims map[string]any
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
		found := Endpoints{p.AuthURL, p.TokenURL, p.RevocationURL, p.RequireIss}
		f = append(f, found.faults("Provider.")...)
	}
	if p.AuthStyle < 0 || p.AuthStyle > oauth2.AuthStyleInHeader {
		f = append(f, "Provider.AuthStyle must be zero, oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams")
	}
	if p.RequireIss && p.Issuer == "" {
		f = append(f, "Provider.RequireIss needs Provider.Issuer to compare iss with")
	}
	if reserved(p.ClientIDParam) && p.ClientIDParam != "client_id" || hasControl(p.ClientIDParam) {
		f = append(f, "Provider.ClientIDParam is another parameter of the protocol")
	}
	for key, value := range p.AuthParams {
		switch _, ok := parseMaxAge(value); {
		case key == "" || reserved(key) || key == p.ClientIDParam:
			f = append(f, fmt.Sprintf("Provider.AuthParams has %q, which the protocol sets itself", key))
		case key == "max_age" && !ok:
			f = append(f, "Provider.AuthParams: max_age must be a whole number of seconds")
		}
	}
	return append(f, scopeFaults("Provider.Scopes", p.Scopes, p.ScopeSep)...)
}

func isName(s string) bool {
	return len(s) >= 1 && len(s) <= 24 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

func (e *Endpoints) faults(prefix string) (f []string) {
	f = append(f, checkURL(prefix+"AuthURL", e.AuthURL)...)
	f = append(f, checkURL(prefix+"TokenURL", e.TokenURL)...)
	if e.RevocationURL != "" {
		f = append(f, checkURL(prefix+"RevocationURL", e.RevocationURL)...)
	}
	if u, err := url.Parse(e.AuthURL); err == nil && u.RawQuery != "" {
		query, err := url.ParseQuery(u.RawQuery)
		if err != nil {
			f = append(f, prefix+"AuthURL has a malformed query")
		}
		for key := range query {
			if reserved(key) {
				f = append(f, fmt.Sprintf("%sAuthURL sets %q, which the protocol sets itself", prefix, key))
			}
		}
	}
	return f
}

// checkURL accepts https URLs, and http on loopback, without user information or fragment.
func checkURL(field, raw string) []string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return []string{field + " is empty"}
	case err != nil || hasControl(raw) || u.Opaque != "":
		return []string{field + " is not a URL"}
	case u.User != nil:
		return []string{field + " has user information: credentials belong in Config.ClientAuth"}
	case u.Hostname() == "":
		return []string{field + " has no host: it must be an absolute URL"}
	case strings.Contains(raw, "#"):
		return []string{field + " has a fragment: remove it (RFC 6749 section 3.1)"}
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return []string{field + " must be https; http is for loopback hosts only"}
}

func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback() && !ip.Is4In6()
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// scopeFaults checks scope tokens (RFC 6749 section 3.3: printable ASCII, no space, quote, backslash).
func scopeFaults(field string, scopes []string, sep string) (f []string) {
	for i, s := range scopes {
		bad := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }
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
		"code", "grant_type", "iss", "error":
		return true
	}
	return false
}
