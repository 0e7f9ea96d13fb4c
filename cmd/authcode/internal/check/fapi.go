package check

import (
	"slices"
	"strings"

	"example.com/authcode/internal/jws"
)

// The values of -fapi.
const (
	fapiSecurity = "security"
	fapiSigning  = "message-signing"
)

// fapiAlgorithms are those of FAPI 2.0 Security Profile section 5.4.1.
var fapiAlgorithms = []string{"PS256", "ES256", "EdDSA"}

func isFAPI(algorithm string) bool { return jws.Allows(fapiAlgorithms, algorithm) }

// rule is a demand of a FAPI 2.0 profile on a server, as far as the metadata
// shows whether it is met.
type rule struct {
	id, text string
	holds    func(*checker) bool
}

// securityRules are the demands of the FAPI 2.0 Security Profile, sections 5.2,
// 5.3.2 and 5.4.
var securityRules = []rule{
	{"https", "https for the issuer and all endpoints (section 5.2.1)", (*checker).isHTTPS},
	{"tls", "TLS 1.2 or later with the cipher suites of BCP 195 (section 5.2.1)",
		(*checker).hasProfileTLS},
	{"code", "the authorization code grant: response_types_supported with code (section 5.3.2.1)",
		func(c *checker) bool {
			types := c.meta.lists["response_types_supported"]
			return len(types) == 0 || slices.Contains(types, "code")
		}},
	{"grants", "a list of grants without password and implicit: grant_types_supported (section " +
		"5.3.2.1)",
		func(c *checker) bool {
			return !c.meta.has("grant_types_supported", "password") &&
				!c.meta.has("grant_types_supported", "implicit")
		}},
	{"par", "pushed authorization requests: pushed_authorization_request_endpoint (section " +
		"5.3.2.2, RFC 9126)", func(c *checker) bool {
		return c.meta.texts["pushed_authorization_request_endpoint"] != ""
	}},
	{"pkce", "PKCE by S256: code_challenge_methods_supported (section 5.3.2.2, RFC 7636)",
		func(c *checker) bool {
			return c.meta.has("code_challenge_methods_supported", "S256")
		}},
	{"iss", "iss in authorization responses: authorization_response_iss_parameter_supported " +
		"(section 5.3.2.2, RFC 9207)",
		func(c *checker) bool { return c.meta.flags["authorization_response_iss_parameter_supported"] }},
	{"client-auth", "apps that authenticate by private_key_jwt or mutual TLS: " +
		"token_endpoint_auth_methods_supported (section 5.3.2.1)",
		func(c *checker) bool { return c.takesKeys() || c.takesCertificates() }},
	{"client-auth-algorithms", "assertions of apps by PS256, ES256 or EdDSA: " +
		"token_endpoint_auth_signing_alg_values_supported (section 5.4.1)",
		func(c *checker) bool {
			return !c.takesKeys() ||
				slices.ContainsFunc(c.meta.lists["token_endpoint_auth_signing_alg_values_supported"], isFAPI)
		}},
	{"binding", "tokens that are bound to a key or a certificate: " +
		"dpop_signing_alg_values_supported (RFC 9449) or " +
		"tls_client_certificate_bound_access_tokens (RFC 8705; section 5.3.2.1)",
		func(c *checker) bool { return c.bindsToKeys() || c.bindsToCertificates() }},
	{"id-token-algorithms", "ID tokens by PS256, ES256 or EdDSA, with a key for that (section " +
		"5.4.1)", func(c *checker) bool {
		return !c.meta.isOpenID() || c.signsBy("id_token_signing_alg_values_supported")
	}},
}

// signingRules are the demands of FAPI 2.0 Message Signing, sections 5.3 to
// 5.5, in addition to those of the Security Profile.
var signingRules = []rule{
	{"jar", "signed requests by PS256, ES256 or EdDSA: " +
		"request_object_signing_alg_values_supported (section 5.3.1, RFC 9101)",
		func(c *checker) bool {
			return slices.ContainsFunc(c.meta.lists["request_object_signing_alg_values_supported"],
				isFAPI)
		}},
	{"jarm", "signed responses (JARM): response_modes_supported with jwt or query.jwt, and " +
		"authorization_signing_alg_values_supported with PS256, ES256 or EdDSA and a key for " +
		"that (section 5.4.1)",
		func(c *checker) bool {
			return (c.meta.has("response_modes_supported", "jwt") ||
				c.meta.has("response_modes_supported", "query.jwt")) &&
				c.signsBy("authorization_signing_alg_values_supported")
		}},
	{"introspection", "signed introspection answers, for APIs that ask about tokens: " +
		"introspection_signing_alg_values_supported with PS256, ES256 or EdDSA (section 5.5.1, " +
		"RFC 9701)",
		func(c *checker) bool {
			return c.meta.texts["introspection_endpoint"] == "" ||
				c.signsBy("introspection_signing_alg_values_supported")
		}},
}

// lacks returns the rules that the server does not meet.
func (c *checker) lacks(rules []rule) []finding {
	missing := []finding{}
	for _, r := range rules {
		if !r.holds(c) {
			missing = append(missing, finding{r.id, r.text})
		}
	}
	return missing
}

// isHTTPS reports whether the issuer and all endpoints are https.
func (c *checker) isHTTPS() bool {
	addresses := []string{c.issuer()}
	for _, name := range endpoints {
		addresses = append(addresses, c.meta.texts[name])
		if c.meta.aliases != nil {
			addresses = append(addresses, c.meta.aliases.texts[name])
		}
	}
	return !slices.ContainsFunc(addresses, isPlain)
}

// hasProfileTLS reports whether all documents came over good TLS.
func (c *checker) hasProfileTLS() bool {
	return !slices.ContainsFunc(c.documents, func(d document) bool {
		return d.obj != nil && !c.hasGoodTLS(&d)
	})
}

func (c *checker) takesKeys() bool {
	return slices.Contains(c.meta.authMethods(), "private_key_jwt")
}

// takesCertificates reports whether an app can authenticate with a certificate.
func (c *checker) takesCertificates() bool {
	return slices.ContainsFunc(c.meta.authMethods(),
		func(s string) bool { return strings.HasSuffix(s, "tls_client_auth") })
}

// bindsToKeys reports whether the server binds tokens by DPoP, with an
// algorithm of the profiles.
func (c *checker) bindsToKeys() bool {
	return slices.ContainsFunc(c.meta.lists["dpop_signing_alg_values_supported"], isFAPI)
}

func (c *checker) bindsToCertificates() bool {
	return c.meta.flags["tls_client_certificate_bound_access_tokens"]
}

// signsBy reports whether a list has an algorithm of the profiles for which the
// server has a key. An algorithm without a key is an empty promise.
func (c *checker) signsBy(list string) bool {
	return slices.ContainsFunc(c.meta.lists[list], func(algorithm string) bool {
		return isFAPI(algorithm) && slices.ContainsFunc(c.keys,
			func(k key) bool { return k.fits(algorithm) })
	})
}
