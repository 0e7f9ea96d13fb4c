package oidc

import (
	"strings"

	"example.com/authcode"
)

// failed makes the error of a rule, with the words that an operator reads. cause may be nil.
func failed(reason authcode.Reason, check string, cause error) *authcode.Error {
	words, ok := explained[check]
	if !ok {
		document, rule, _ := strings.Cut(check, ".")
		words = strings.Replace(explained["*."+rule], "*", documents[document], 1)
	}
	return authcode.NewError(reason, check, words, cause)
}

// misused is a fault of the app's configuration.
func misused(check string) *authcode.Error { return failed(authcode.Configuration, check, nil) }

// refused is a broken rule about who somebody is.
func refused(check string) *authcode.Error { return failed(authcode.IdentityRefused, check, nil) }

// notAdmitted is somebody whom the app's own rules keep out.
func notAdmitted(check string) *authcode.Error { return failed(authcode.NotAdmitted, check, nil) }

// documents are the first parts of checks.
var documents = map[string]string{
	"discovery": "the metadata", "jwks": "the JWKS", "id_token": "the ID token", "userinfo": "the userinfo answer",
	"logout_token": "the logout token", "response": "the signed response", "introspection": "the introspection answer",
	"initiate": "the request of the portal", "logout": "the logout request",
}

// explained says what is wrong and what to do; "*" stands for any document.
var explained = map[string]string{
	"config.issuer":        "oidc: the issuer must be an absolute https URL without query, such as https://id.example (http on loopback)",
	"config.algorithms":    "oidc: Algorithms needs names such as RS256, PS256, ES256 or EdDSA; none and HMAC never are",
	"config.restricted":    "oidc: Algorithms has one that the profile forbids: drop the option, or name PS256, ES256 or EdDSA",
	"config.plain":         "oidc: the profile forbids http, for the issuer and for MetadataURL, on loopback too",
	"config.hosted_domain": "oidc: HostedDomain needs bare domains, an element each, such as example.com",
	"config.metadata_url":  "oidc: MetadataURL must be an absolute https URL (http on loopback); an issuer with {tenantid} needs one",
	"config.tenants":       "oidc: Tenants needs at least one tenant id, which is a GUID",

	"discovery.issuer":    "the metadata names another issuer: compare byte for byte, also the slash at the end",
	"discovery.missing":   "there is no metadata document: give the issuer itself, without /.well-known/ and what follows, or use MetadataURL",
	"discovery.pkce":      "the provider lists PKCE methods without S256, and plain is never used",
	"discovery.endpoints": "the metadata has no usable authorization or token endpoint",
	"jwks.endpoint":       "the metadata has no usable jwks_uri",
	"jwks.key":            "no key of the provider's has the token's kid, or fits its algorithm",
	"userinfo.endpoint":   "the metadata has no usable userinfo_endpoint: drop oidc.UserInfo",
	"userinfo.sub":        "the userinfo answer is about somebody else than the ID token",
	"callback.iss":        "the callback's iss is not the ID token's",

	"id_token.missing":   "the token answer has no ID token: is the scope openid requested?",
	"id_token.nonce":     "the ID token is of another login",
	"id_token.auth_time": "max_age was sent, and the sign-in is older or not dated",
	"id_token.at_hash":   "the ID token belongs to another access token",
	"id_token.hd":        "the account is of none of the domains of HostedDomain",
	"refresh.iss":        "the new ID token is of another issuer",
	"refresh.sub":        "the new ID token is about somebody else",

	"logout_token.missing": "there is no logout token",
	"logout_token.jti":     "the logout token has no jti, or was accepted before",
	"logout_token.method":  "want POST",
	"logout_token.events":  "the logout token has no logout event",
	"logout_token.nonce":   "an ID token was sent as logout token",
	"logout.endpoint":      "the metadata has no usable end_session_endpoint",
	"logout.return_url":    "Logout.ReturnURL must be an absolute https URL (http on loopback)",
	"logout.method":        "want POST from a page of this site",
	"logout.origin":        "another site's page asked for the logout",
	"logout.end":           "the app's function that ends the session failed",
	"logout.sid":           "the front-channel request names no session, or another issuer",
	"initiate.method":      "want GET or POST",
	"initiate.iss":         "iss is not this provider's issuer",

	"introspection.endpoint":     "the metadata has no usable introspection_endpoint",
	"introspection.question":     "Introspection needs Token, ClientID and ClientAuth",
	"introspection.client_auth":  "Introspection.ClientAuth failed",
	"introspection.unauthorized": "the provider does not know who asks: check Introspection.ClientID and ClientAuth",
	"introspection.claim":        "the introspection answer's JWT has no token_introspection object",
	"introspection.active":       "the introspection answer does not say whether the token is active",
	"response.claim":             "the signed response has a parameter that is no text",

	"*.form":        "* has not the form that the standard gives it",
	"*.repeated":    "a parameter of * came more than once",
	"*.alg":         "* is signed with an algorithm that is not one of the pinned ones",
	"*.signature":   "* was not signed by a key of the provider's",
	"*.typ":         "* is another kind of JWT",
	"*.iss":         "* is of another issuer",
	"*.tid":         "* is of a tenant that is missing or not admitted",
	"*.aud":         "* is meant for another client, or for others besides this one",
	"*.azp":         "* was given to another client",
	"*.exp":         "* has expired, or does not say when it does: compare the clocks",
	"*.iat":         "* is from the future, too old, or not dated: compare the clocks",
	"*.nbf":         "* is not valid yet: compare the clocks",
	"*.sub":         "* has no usable subject",
	"*.size":        "* is too large",
	"*.missing":     "* is not there (404)",
	"*.status":      "* came with another status than 200",
	"*.redirect":    "* is behind a redirect, which is never followed",
	"*.unreachable": "* could not be loaded",
	"*.timeout":     "* did not come in time",
	"*.canceled":    "the caller went away while * was loaded",
	"*.panic":       "the HTTP client panicked while * was loaded",
	"*.endpoint":    "* has no usable address",
}
