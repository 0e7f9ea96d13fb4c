package check

import (
	"slices"
	"strings"
)

// checkLogin looks at how a login would go.
func (c *checker) checkLogin() {
	m := c.meta
	if types := m.lists["response_types_supported"]; len(types) > 0 && !slices.Contains(types, "code") {
		c.wrong("response_type.code", "response_types_supported does not list code, so there is "+
			"no authorization code grant, which is the only one that package authcode knows.")
	}
	if grants := m.lists["grant_types_supported"]; len(grants) > 0 &&
		!slices.Contains(grants, "authorization_code") {
		c.wrong("grant.code", "grant_types_supported does not list authorization_code, which is "+
			"the only grant that package authcode knows for signing in.")
	}
	if modes := m.lists["response_modes_supported"]; len(modes) > 0 &&
		!slices.Contains(modes, "query") {
		c.wrong("response_mode.query", "response_modes_supported does not list query, which is "+
			"how an authorization code comes back unless the app asks for another way.%s",
			c.formPostHint())
	}
	c.checkPKCE()
	if !m.flags["authorization_response_iss_parameter_supported"] {
		c.note("iss.missing", "authorization responses do not say who sent them (iss, RFC 9207). "+
			"An app with several providers relies on the issuer of the ID token, or on one "+
			"redirect URI for each provider, as package authcode does.")
	}
	if m.flags["require_signed_request_object"] {
		c.note("request.signed", "every authorization request must be signed with a key that the "+
			"app has registered (RFC 9101).")
	}
	if m.flags["require_pushed_authorization_requests"] {
		c.note("par.required", "every authorization request must be pushed (RFC 9126). Package "+
			"authcode does so by itself.")
	}
}

func (c *checker) formPostHint() string {
	if c.meta.has("response_modes_supported", "form_post") {
		return " form_post is listed: set Provider.FormPost, and serve the app over https."
	}
	return ""
}

// checkPKCE: package authcode sends an S256 challenge with every login (RFC 7636 section 4.2).
func (c *checker) checkPKCE() {
	methods := c.meta.lists["code_challenge_methods_supported"]
	switch {
	case len(methods) == 0:
		c.note("pkce.unlisted", "the document does not say whether the server checks PKCE. "+
			"Package authcode sends an S256 challenge with every login all the same.")
	case !slices.Contains(methods, "S256"):
		c.wrong("pkce.s256", "the server lists %s for PKCE and not S256. Package oidc refuses "+
			"it: with plain, whoever reads the authorization request can redeem the code (RFC "+
			"7636 section 7.2).", list(methods))
	case slices.Contains(methods, "plain"):
		c.note("pkce.plain", "the server takes PKCE challenges by plain, too. Package authcode "+
			"never sends one.")
	}
}

// supportedMethods are the client authentication methods that the module can use.
var supportedMethods = []string{
	"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
	"tls_client_auth",
	"self_signed_tls_client_auth", "none",
}

// checkClientAuth looks at how an app can prove who it is.
func (c *checker) checkClientAuth() {
	m := c.meta
	methods := m.authMethods()
	if !slices.ContainsFunc(methods, func(s string) bool {
		return slices.Contains(supportedMethods,
			s)
	}) {
		c.wrong("client_auth.unknown", "the token endpoint takes %s, and package clientauth "+
			"knows none of that. An app can write a ClientAuth of its own.", list(methods))
	}
	for _, endpoint := range []string{"token", "revocation", "introspection"} {
		methods := m.lists[endpoint+"_endpoint_auth_methods_supported"]
		name := endpoint + "_endpoint_auth_signing_alg_values_supported"
		algorithms := m.lists[name]
		if slices.Contains(algorithms, "none") {
			c.wrong("client_auth.none", "%s lists none: an assertion without signature proves "+
				"nothing (RFC 8414 section 2).", name)
		}
		needs := slices.ContainsFunc(methods, func(s string) bool {
			return strings.HasSuffix(s,
				"_jwt")
		})
		if needs && len(algorithms) == 0 && !slices.Contains(m.malformed, name) {
			c.wrong("client_auth.algorithms", "%s_endpoint_auth_methods_supported lists %s, and "+
				"%s does not say how they may be signed (RFC 8414 section 2).", endpoint,
				list(withSuffix(methods, "_jwt")), name)
		}
	}
	byTLS := slices.ContainsFunc(methods, func(s string) bool {
		return strings.HasSuffix(s,
			"tls_client_auth")
	})
	if m.aliases != nil && !byTLS && !m.flags["tls_client_certificate_bound_access_tokens"] {
		c.wrong("mtls.useless", "mtls_endpoint_aliases names endpoints for client certificates, "+
			"and the server neither authenticates apps by certificate nor binds tokens to one "+
			"(RFC 8705).")
	}
}

func withSuffix(texts []string, suffix string) (found []string) {
	for _, s := range texts {
		if strings.HasSuffix(s, suffix) {
			found = append(found, s)
		}
	}
	return found
}
