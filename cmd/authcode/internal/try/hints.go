package try

import (
	"cmp"
	"strings"

	"example.com/authcode"
)

// hint says what to do about a failure, in terms of the flags.
type hint struct {
	text   string
	always bool // true if it also helps with a provider from the environment
}

// hintsByError are the hints for error codes that a provider sends. In the
// texts, CREDENTIALS stands for the flags or variables with the client id and
// the secret, and REDIRECT for the redirect URI.
var hintsByError = map[string]hint{
	"invalid_client": {"the provider does not recognize this app: check CREDENTIALS. If they are " +
		"right, check -client-auth and -auth-style (how the app authenticates) and " +
		"-client-audience (whom an assertion is for)", true},
	"unauthorized_client": {"the provider does not let this client use the authorization code " +
		"grant, or a refresh token: change the client's registration, or check CREDENTIALS", true},
	"invalid_grant": {"the provider refused the code or the refresh token: sign in again. If " +
		"that fails too, check that exactly this redirect URI is registered there: REDIRECT", true},
	"redirect_uri_mismatch": {"register exactly this redirect URI at the provider: " +
		"REDIRECT", true},
	"invalid_redirect_uri": {"register exactly this redirect URI at the provider: " +
		"REDIRECT", true},
	"invalid_scope": {"the provider does not know a scope, or does not grant it " +
		"to this client: change -scopes", false},
	"invalid_target": {"the provider does not issue tokens for this service: " +
		"change -resource", false},
	"invalid_authorization_details": {"the provider does not accept these authorization " +
		"details: change -authorization-details", false},
	"invalid_dpop_proof": {"the provider refused the DPoP proof: compare the clocks, " +
		"or drop -bind dpop", false},
	"use_dpop_nonce": {"the provider asked for a fresh DPoP proof more than once: " +
		"compare the clocks, or drop -bind dpop", false},
	"invalid_request_object": {"the provider refused the signed request: register the public " +
		"half of -client-key there, and check -client-key-id and -client-key-alg", false},
	"request_not_supported": {"the provider does not accept signed requests: drop " +
		"-sign-requests", false},
	"unsupported_response_mode": {"the provider does not support this way to answer: " +
		"drop -signed-responses or -form-post", false},
	"unsupported_response_type": {"the provider has no authorization code grant for this " +
		"client: change the client's registration", true},
	"unmet_authentication_requirements": {"the provider cannot sign this person in as " +
		"-acr-values demands: change -acr-values, or sign in as somebody else", false},
	"login_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"consent_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"interaction_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"invalid_request": {"the provider misses a parameter or does not accept one: its own words " +
		"may say which. -login-params adds parameters, and -par required sends the request " +
		"through the browser", false},
}

const (
	runCheck   = "run authcode check ISSUER: it says what is wrong with the provider's metadata"
	noUserinfo = "leave out the userinfo endpoint with -userinfo=false"
)

// hintsByCheck are the hints for the Checks of package authcode and its
// packages.
var hintsByCheck = map[string]hint{
	"discovery.issuer": {"write -issuer exactly as in the provider's metadata: run authcode " +
		"check ISSUER to see it", false},
	"discovery.missing": {"there is no metadata at -issuer: check its spelling, or give " +
		"-auth-url and -token-url as well", false},
	"discovery.redirect": {"-issuer leads elsewhere: write it exactly as in the provider's " +
		"metadata (authcode check ISSUER says where it leads)", false},
	"metadata.issuer": {"write -issuer exactly as in the provider's metadata: run authcode check " +
		"ISSUER to see it", false},
	"userinfo.endpoint": {noUserinfo, false},
	"id_token.missing": {"the provider says who signs in only with the scope openid: add it to " +
		"-scopes", false},
	"id_token.alg": {"the provider signed with an algorithm that -algorithms (default: RS256) or " +
		"-fapi does not allow: set -algorithms, or change the client's registration", false},
	"id_token.auth_time": {"the provider ignores -max-age: drop it, or report it to the " +
		"provider", false},
	"token.token_type": {"the provider did not bind the token as -bind demands: change -bind, or " +
		"the client's registration", false},
	"iss.missing": {"the provider's answer does not say who sent it, which its metadata, " +
		"-require-iss or -fapi demands: drop that flag, or report it to the provider", false},
	"iss.origin": {"the issuer in the provider's answer and -auth-url have different origins: if " +
		"that issuer is right, give it with -issuer", false},
	"client_auth.certificate": {"check -client-cert and -client-cert-key", false},
	"client_auth.audience":    {"check -client-audience", false},
	"client_auth.key":         {"check -client-key and -client-key-alg", false},
	"messages.key":            {"check -client-key and -client-key-alg", false},
	"par.configuration": {"the provider does not recognize this app, or does not grant what it " +
		"asks for: check CREDENTIALS, -scopes and the redirect URI REDIRECT", true},
	"answer.configuration": {"the provider does not recognize this app: check CREDENTIALS, " +
		"-client-auth and -auth-style", true},
	"callback.method": {"the provider posts its answer: set -form-post, or have it " +
		"answer with a redirect", false},
	"cookie.missing": {"start again at the address of -base-url, in the same browser, with " +
		"cookies allowed", true},
	"cookie.host": {"start again at the address of -base-url", true},
	"state.tag": {"sign in again. Without -cookie-key, a restart of this program makes a new key",
		true},
	"revoke.endpoint": {"name the revocation endpoint with -revocation-url", false},
}

// hint says what to do about e. It returns "" if no flag of this command helps.
func (a *app) hint(e *authcode.Error) string {
	// The provider's error code is more precise than the Check.
	found, ok := hintsByError[e.ServerError]
	if !ok {
		found, ok = hintsByCheck[e.Check]
	}
	document, rule, _ := strings.Cut(e.Check, ".")
	switch {
	case ok:
	case rule == "unreachable":
		found = hint{"the provider could not be reached: check the address. If its certificate " +
			"comes from a private authority, name that with -ca-file", true}
	case document == "discovery", document == "jwks":
		found = hint{runCheck, false}
	case document == "userinfo":
		found = hint{noUserinfo, false}
	}
	// For a preset, most flags have no effect.
	s := a.signIn(e.Provider)
	if s == nil || !s.byFlags && !found.always {
		return ""
	}
	return strings.NewReplacer(
		"CREDENTIALS", cmp.Or(s.credentials, "-client-id and -client-secret"),
		"REDIRECT", redirectURL(a.base, s.name),
		"ISSUER", cmp.Or(s.checked, "ISSUER"),
	).Replace(found.text)
}
