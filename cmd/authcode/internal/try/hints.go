package try

import (
	"cmp"
	"strings"

	"example.com/authcode"
)

// hint says what to do about a failure, by the flags of this command.
type hint struct {
	text   string
	always bool // also for a provider that the flags do not describe
}

// hintsByError are for the error codes of the standards, which a provider sends.
// CREDENTIALS stands for where the client id and secret of the provider come from,
// REDIRECT for the redirect URI.
var hintsByError = map[string]hint{
	"invalid_client": {"the provider does not accept who this app is: check CREDENTIALS; " +
		"-client-auth and -auth-style say how the app proves it, and -client-audience whom an " +
		"assertion is for", true},
	"unauthorized_client": {"the provider does not let this client use the authorization code " +
		"grant, or a refresh token: change the client's registration, or check CREDENTIALS", true},
	"invalid_grant": {"the provider refused the code or the refresh token: sign in again; if " +
		"that fails too, check that it has exactly this redirect URI: REDIRECT", true},
	"redirect_uri_mismatch": {"register exactly this redirect URI at the provider: " +
		"REDIRECT", true},
	"invalid_redirect_uri": {"register exactly this redirect URI at the provider: " +
		"REDIRECT", true},
	"invalid_scope": {"the provider does not know a scope, or does not grant it " +
		"to this client: change -scopes", false},
	"invalid_target": {"the provider does not issue tokens for this service: " +
		"change -resource", false},
	"invalid_authorization_details": {"the provider does not take these rights: change " +
		"-authorization-details", false},
	"invalid_dpop_proof": {"the provider refused the DPoP proof: compare the clocks, " +
		"or drop -bind dpop", false},
	"use_dpop_nonce": {"the provider asked for a fresh DPoP proof more than once: " +
		"compare the clocks, or drop -bind dpop", false},
	"invalid_request_object": {"the provider refused the signed request: register the public " +
		"half of -client-key there, and check -client-key-id and -client-key-alg", false},
	"request_not_supported": {"the provider takes no signed requests: drop " +
		"-sign-requests", false},
	"unsupported_response_mode": {"the provider does not answer in this way: drop " +
		"-signed-responses or -form-post", false},
	"unsupported_response_type": {"the provider has no authorization code grant for this " +
		"client: change the client's registration", true},
	"unmet_authentication_requirements": {"the provider cannot sign people in as well as " +
		"-acr-values asks", false},
	"login_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"consent_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"interaction_required": {"the provider has to show a page: drop prompt=none " +
		"from -login-params", false},
	"invalid_request": {"the provider misses something or does not take it: its own words may " +
		"tell; -login-params adds parameters, -par required sends the request through the browser",
		false},
}

const runCheck = "run authcode check ISSUER: it says what is wrong with the provider's metadata"

// hintsByCheck are for the rules of package authcode and its packages.
var hintsByCheck = map[string]hint{
	"discovery.issuer": {"-issuer must be written exactly as the provider's metadata has it: " +
		"run authcode check ISSUER", false},
	"discovery.missing": {"-issuer has no metadata: check its spelling, or give -auth-url and " +
		"-token-url as well", false},
	"discovery.redirect": {"-issuer leads elsewhere: give the issuer as the provider's metadata " +
		"has it (authcode check ISSUER says where it leads)", false},
	"metadata.issuer": {"-issuer must be written exactly as the provider's metadata has " +
		"it: run authcode check ISSUER", false},
	"userinfo.endpoint": {"-userinfo=false leaves the userinfo endpoint out", false},
	"id_token.missing": {"the scope openid makes the provider say who signs in: add it to " +
		"-scopes", false},
	"id_token.alg": {"the provider signed with an algorithm that it does not list, or " +
		"that -fapi forbids: change the client's registration", false},
	"id_token.auth_time": {"the provider does not keep to -max-age", false},
	"token.token_type": {"the provider did not bind the token as -bind asks: change " +
		"-bind, or the client's registration", false},
	"iss.missing": {"the provider's answer does not say who sent it, which its " +
		"metadata, -require-iss or -fapi promises", false},
	"client_auth.certificate": {"check -client-cert and -client-cert-key", false},
	"client_auth.audience":    {"check -client-audience", false},
	"client_auth.key":         {"check -client-key and -client-key-alg", false},
	"messages.key":            {"check -client-key and -client-key-alg", false},
	"par.configuration": {"the provider does not accept who this app is, or what it asks " +
		"for: check CREDENTIALS, -scopes and the redirect URI REDIRECT", true},
	"answer.configuration": {"the provider does not accept who this app is: check " +
		"CREDENTIALS, -client-auth and -auth-style", true},
	"callback.method": {"the provider posts its answer: set -form-post, or have it " +
		"answer with a redirect", false},
	"fapi.metadata": {"the provider lacks something that -fapi needs: run authcode " +
		"check ISSUER -fapi PROFILE", false},
	"cookie.missing": {"start at the address that -base-url names, in one browser, with " +
		"cookies on", true},
	"cookie.host": {"start at the address that -base-url names", true},
	"state.tag": {"without -cookie-key the key changes at each start: sign in again",
		true},
	"revoke.endpoint": {"-revocation-url names the endpoint", false},
}

// hint returns what to do about e; empty if this command can do nothing.
func (a *app) hint(e *authcode.Error) string {
	found, ok := hintsByError[e.ServerError]
	if !ok {
		found, ok = hintsByCheck[e.Check]
	}
	document, rule, _ := strings.Cut(e.Check, ".")
	switch {
	case ok:
	case rule == "unreachable":
		found = hint{"the provider could not be reached: check the address; if its certificate " +
			"comes from a private authority, name that with -ca-file", true}
	case document == "discovery", document == "jwks":
		found = hint{runCheck, false}
	case document == "userinfo":
		found = hint{"-userinfo=false leaves the userinfo endpoint out", false}
	}
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
