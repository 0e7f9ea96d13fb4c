package oidc

import (
	"strings"

	"example.com/authcode"
)

// failed makes the error of a rule, with the words that an operator reads. cause may be nil.
func failed(reason authcode.Reason, check string, cause error) *authcode.Error {
	return authcode.NewError(reason, check, explain(check), cause)
}

// misused is a mistake in the app or in its configuration.
func misused(check string) *authcode.Error { return failed(authcode.Configuration, check, nil) }

// refused is a broken rule about who somebody is.
func refused(check string) *authcode.Error { return failed(authcode.IdentityRefused, check, nil) }

// notAdmitted is somebody whom the app's own rules keep out.
func notAdmitted(check string) *authcode.Error { return failed(authcode.NotAdmitted, check, nil) }

// explain returns the words for a Check.
func explain(check string) string {
	if words, ok := explained[check]; ok {
		return words
	}
	document, rule, _ := strings.Cut(check, ".")
	return strings.Replace(explained["*."+rule], "*", documents[document], 1)
}

// documents are the first parts of Checks.
var documents = map[string]string{
	"discovery": "the metadata", "jwks": "the JWKS", "id_token": "the ID token", "userinfo": "the userinfo answer",
	"logout_token": "the logout token", "response": "the signed response", "introspection": "the introspection answer",
	"initiate": "the portal's request", "logout": "the logout request",
}

// explained says what is wrong and what to do; "*" stands for any document.
var explained = map[string]string{
	"config.issuer":        "oidc.Provider: the issuer must be an absolute https URL without query, such as https://id.example (http on loopback)",
	"config.hosted_domain": "oidc.HostedDomain needs bare domains, one in each argument, such as example.com",
	"config.metadata_url":  "oidc.MetadataURL must be an absolute https URL (http on loopback); an issuer with {tenantid} needs one",
	"config.tenants":       "oidc.Tenants needs at least one tenant id, which is a GUID",

	"discovery.issuer":    "the metadata names another issuer: compare the two byte for byte, with the slash at the end",
	"discovery.missing":   "there is no metadata document (404): give the issuer itself, without /.well-known/ and what follows, or use oidc.MetadataURL",
	"discovery.pkce":      "the provider lists PKCE methods without S256, and plain is never used",
	"discovery.endpoints": "the metadata has no usable authorization_endpoint or token_endpoint",
	"jwks.endpoint":       "there is no JWKS URL: the metadata has no usable jwks_uri, and Provider.JWKSURL is empty",
	"jwks.key":            "none of the provider's keys has the kid of the JWT and fits its algorithm",
	"userinfo.endpoint":   "there is no userinfo endpoint: drop oidc.UserInfo, or set Provider.UserInfoURL",
	"userinfo.sub":        "the userinfo answer is about somebody else than the ID token",
	"callback.iss":        "the callback and the ID token name different issuers",

	"id_token.missing":   "the token response has no ID token: is the scope openid requested?",
	"id_token.nonce":     "the ID token belongs to another login: its nonce is not the one that was sent",
	"id_token.auth_time": "max_age was sent, and the sign-in is older than that or has no auth_time",
	"id_token.at_hash":   "the ID token belongs to another access token",
	"id_token.hd":        "the account belongs to none of the domains of oidc.HostedDomain",
	"refresh.iss":        "the new ID token has another issuer than the one before",
	"refresh.sub":        "the new ID token is about another person than the one before",

	"logout_token.missing": "the request has no logout token",
	"logout_token.jti":     "the logout token has no jti, or was accepted before",
	"logout_token.method":  "a logout token comes by POST only",
	"logout_token.events":  "the logout token has no logout event",
	"logout_token.nonce":   "the logout token has a nonce, so it is an ID token",
	"logout.endpoint":      "there is no logout endpoint: the metadata has no usable end_session_endpoint, and Provider.EndSessionURL is empty",
	"logout.return_url":    "Logout.ReturnURL must be an absolute https URL (http on loopback)",
	"logout.method":        "a logout needs a POST from a page of this site",
	"logout.origin":        "another site's page asked for the logout",
	"logout.end":           "the app's function that ends the session returned an error",
	"logout.sid":           "the front-channel request names no session, or another issuer",
	"initiate.method":      "the portal's request must be a GET or a POST",
	"initiate.iss":         "iss is not this provider's issuer",

	"introspection.endpoint":     "there is no introspection endpoint: the metadata has no usable introspection_endpoint, and Provider.IntrospectionURL is empty",
	"introspection.question":     "Introspect was called without a token",
	"introspection.unauthorized": "the provider does not accept the client authentication (401): check Config.ClientID and Config.ClientAuth, and whether this client may introspect tokens",
	"introspection.claim":        "the introspection answer's JWT has no token_introspection object",
	"introspection.active":       "the introspection answer does not say whether the token is active",
	"response.claim":             "the signed response has a code, state or error that is not a text",
	"verify.typ":                 "Provider.Verify was called for a kind of JWT that package oidc does not know",

	"*.form":        "* is malformed",
	"*.repeated":    "a parameter of * is repeated",
	"*.alg":         "* is signed with an algorithm that is not admitted",
	"*.signature":   "* was not signed by any of the provider's keys",
	"*.typ":         "* is another kind of JWT",
	"*.iss":         "* has another issuer",
	"*.tid":         "* names no tenant, or one that is not admitted",
	"*.aud":         "* is meant for another client, or for others besides this one",
	"*.azp":         "* was given to another client",
	"*.exp":         "* has expired or has no exp: compare the clocks",
	"*.iat":         "* is from the future, is too old or has no iat: compare the clocks",
	"*.nbf":         "* is not valid yet: compare the clocks",
	"*.sub":         "* has no usable subject",
	"*.size":        "* is too large",
	"*.missing":     "* does not exist (404)",
	"*.status":      "* has a status other than 200",
	"*.redirect":    "* is a redirect, which is never followed",
	"*.unreachable": "* could not be loaded",
	"*.timeout":     "* did not arrive in time",
	"*.canceled":    "the caller went away while * was loaded",
	"*.panic":       "the transport panicked while * was loaded",
	"*.endpoint":    "* has no usable address",
	"*.verify":      "* cannot be verified, because Provider.Verify is nil: use oidc.Provider",
	"*.refused":     "* was refused by Provider.Verify",
}
