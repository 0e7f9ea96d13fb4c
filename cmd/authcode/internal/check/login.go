package check

import (
	"slices"
	"strings"
)

// checkLogin looks at what a login needs.
func (c *checker) checkLogin() {
	m := c.meta
	types := m.lists["response_types_supported"]
	if len(types) > 0 && !slices.Contains(types, "code") {
		c.wrong("response_type.code", "response_types_supported does not list code, so there is "+
			"no authorization code grant. Package authcode supports no other way to sign in.")
	}
	if grants := m.lists["grant_types_supported"]; len(grants) > 0 &&
		!slices.Contains(grants, "authorization_code") {
		c.wrong("grant.code", "grant_types_supported does not list authorization_code. Package "+
			"authcode supports no other way to sign in.")
	}
	if modes := m.lists["response_modes_supported"]; len(modes) > 0 &&
		!slices.Contains(modes, "query") {
		c.wrong("response_mode.query", "response_modes_supported does not list query, the usual "+
			"way for an authorization code to come back to the app.%s",
			c.formPostHint())
	}
	c.checkPKCE()
	if !m.flags["authorization_response_iss_parameter_supported"] {
		c.note("iss.missing", "authorization responses do not say who sent them (iss, RFC 9207). "+
			"An app with several providers then has to rely on a separate redirect URI for each "+
			"provider, as package authcode does, or on the issuer of the ID token.")
	}
	if m.flags["require_signed_request_object"] {
		c.note("request.signed", "every authorization request must be signed with a key that the "+
			"app has registered (RFC 9101).")
	}
	if m.flags["require_pushed_authorization_requests"] {
		c.note("par.required", "every authorization request must be pushed (RFC 9126). Package "+
			"authcode does that by itself.")
	}
}

// formPostHint says what to do about a server that does not list query.
func (c *checker) formPostHint() string {
	if c.meta.has("response_modes_supported", "form_post") {
		return " form_post is listed: set Provider.FormPost, and serve the app over https."
	}
	return " Ask the provider to support query."
}

// checkPKCE: package authcode sends an S256 challenge with every login (RFC
// 7636 section 4.2). It protects the code only if the server compares it.
func (c *checker) checkPKCE() {
	methods := c.meta.lists["code_challenge_methods_supported"]
	switch {
	case len(methods) == 0:
		c.note("pkce.unlisted", "the document does not say whether the server checks PKCE. "+
			"Package authcode sends an S256 challenge with every login anyway.")
	case !slices.Contains(methods, "S256"):
		c.wrong("pkce.s256", "for PKCE the server lists %s, but not S256. Package oidc refuses "+
			"the server: with plain, anybody who reads the authorization request can redeem the "+
			"code (RFC 7636 section 7.2).", list(methods))
	case slices.Contains(methods, "plain"):
		c.note("pkce.plain", "the server also accepts PKCE challenges with the method plain. "+
			"Package authcode never sends one.")
	}
}

// supportedMethods are the client authentication methods that this module
// supports.
var supportedMethods = []string{
	"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
	"tls_client_auth", "self_signed_tls_client_auth", "none",
}

// checkClientAuth looks at the client authentication methods.
func (c *checker) checkClientAuth() {
	m := c.meta
	methods := m.authMethods()
	isSupported := func(s string) bool { return slices.Contains(supportedMethods, s) }
	if !slices.ContainsFunc(methods, isSupported) {
		c.wrong("client_auth.unknown", "the token endpoint accepts only %s for client "+
			"authentication, which package clientauth does not support. Write a ClientAuth of "+
			"your own.", list(methods))
	}
	for _, endpoint := range []string{"token", "revocation", "introspection"} {
		methods := m.lists[endpoint+"_endpoint_auth_methods_supported"]
		name := endpoint + "_endpoint_auth_signing_alg_values_supported"
		algorithms := m.lists[name]
		if slices.Contains(algorithms, "none") {
			c.wrong("client_auth.none", "%s lists none, but an assertion without a signature proves "+
				"nothing (RFC 8414 section 2). The provider has to remove it.", name)
		}
		byJWT := withSuffix(methods, "_jwt")
		if len(byJWT) > 0 && len(algorithms) == 0 && !slices.Contains(m.malformed, name) {
			c.wrong("client_auth.algorithms", "%s_endpoint_auth_methods_supported lists %s, but "+
				"%s does not say how assertions may be signed (RFC 8414 section 2). Ask the "+
				"provider.", endpoint, list(byJWT), name)
		}
	}
	byTLS := len(withSuffix(methods, "tls_client_auth")) > 0
	if m.aliases != nil && !byTLS && !m.flags["tls_client_certificate_bound_access_tokens"] {
		c.wrong("mtls.useless", "mtls_endpoint_aliases names endpoints for client certificates, "+
			"but the server neither authenticates apps by certificate nor binds tokens to one "+
			"(RFC 8705). Ask the provider which of these is missing in the metadata.")
	}
}

// withSuffix returns the texts that end with suffix.
func withSuffix(texts []string, suffix string) (found []string) {
	for _, s := range texts {
		if strings.HasSuffix(s, suffix) {
			found = append(found, s)
		}
	}
	return found
}
