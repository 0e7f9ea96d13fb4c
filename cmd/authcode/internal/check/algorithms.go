package check

import (
	"slices"
	"strings"
)

// readable are the algorithms that package oidc supports. none would prove
// nothing, and an HMAC needs a secret that both sides know, so they are not
// among them.
var readable = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
	"ES512", "EdDSA", "Ed25519"}

// signed names the members that list algorithms with which the server signs.
var signed = []struct{ list, what string }{
	{"id_token_signing_alg_values_supported", "ID tokens"},
	{"userinfo_signing_alg_values_supported", "userinfo"},
	{"authorization_signing_alg_values_supported", "authorization responses (JARM)"},
	{"introspection_signing_alg_values_supported", "introspection answers"},
}

// checkAlgorithms compares the algorithms that the server names with those that
// package oidc supports, and with the server's keys.
func (c *checker) checkAlgorithms() {
	m := c.meta
	signs := false // with a public key, so that apps need the key set
	for _, s := range signed {
		algorithms := m.lists[s.list]
		signs = signs || slices.ContainsFunc(algorithms, isReadable)
		c.checkReadable(s.list, s.what, algorithms)
	}
	if m.isOpenID() && len(m.lists["id_token_signing_alg_values_supported"]) == 0 {
		c.note("alg.unlisted", "the document does not say how ID tokens are signed. Package oidc "+
			"then expects RS256 (OpenID Connect Core section 3.1.3.7).")
	}
	if _, there := m.texts["jwks_uri"]; (m.isOpenID() || signs) && !there &&
		!slices.Contains(m.malformed, "jwks_uri") {
		c.wrong("keys.missing", "jwks_uri is missing, but the server signs what apps have to "+
			"verify (%s). %s", members["jwks_uri"].source, c.withoutKeys())
	}
	if c.keysRead {
		c.checkKeysOf()
	}
	c.checkProofAlgorithms()
}

// withoutKeys says what an app can and cannot do without the server's keys.
func (c *checker) withoutKeys() string {
	if !c.meta.isOpenID() {
		return "Until apps can read the server's keys, package oidc refuses what it signs: " +
			"logins with signed responses and signed introspection fail, and other logins work."
	}
	return "Until apps can read the server's keys, package oidc refuses its ID tokens, logout " +
		"tokens and signed responses: logins that have to say who signs in fail. Logins for a " +
		"token alone work, with the endpoints in an authcode.Provider and without the scope openid."
}

// checkProofAlgorithms: a DPoP proof shows that the app has a private key. An
// HMAC shows nothing, since the server has the same secret.
func (c *checker) checkProofAlgorithms() {
	const proofs = "dpop_signing_alg_values_supported"
	isHMAC := func(s string) bool { return strings.HasPrefix(s, "HS") }
	if slices.ContainsFunc(c.meta.lists[proofs], isHMAC) {
		c.wrong("dpop.hmac", "%s lists an HMAC, but a proof must be signed with a private key "+
			"(RFC 9449 section 4.2). The provider has to remove it.", proofs)
	}
	if c.meta.has(proofs, "none") {
		c.wrong("dpop.none", "%s lists none, but a proof must be signed (RFC 9449 section 4.2). "+
			"The provider has to remove it.", proofs)
	}
}

// pinned returns the algorithms that an app must name, because the server does
// not list RS256 for ID tokens.
func (c *checker) pinned() (pins []string) {
	algorithms := c.meta.lists["id_token_signing_alg_values_supported"]
	if slices.Contains(algorithms, "RS256") {
		return nil
	}
	for _, algorithm := range algorithms {
		if isReadable(algorithm) && !slices.Contains(pins, algorithm) {
			pins = append(pins, algorithm)
		}
	}
	return pins
}

func isReadable(algorithm string) bool { return slices.Contains(readable, algorithm) }

// checkReadable checks that package oidc supports one of a list's algorithms.
// what names the things that they sign.
func (c *checker) checkReadable(name, what string, algorithms []string) {
	if slices.Contains(algorithms, "none") {
		c.note("alg.none", "%s lists none, so the server may leave %s unsigned. Package oidc "+
			"refuses what is not signed.", name, what)
	}
	if len(algorithms) > 0 && !slices.ContainsFunc(algorithms, isReadable) &&
		!slices.Equal(algorithms, []string{"none"}) {
		c.wrong("alg.unsupported", "%s lists %s, which package oidc does not support. Ask the "+
			"provider for one of %s.", name, list(algorithms), strings.Join(readable, ", "))
	}
}

// checkKeysOf says for which algorithms the server has no key. Package oidc
// would refuse everything that is signed with them.
func (c *checker) checkKeysOf() {
	var without []string
	for _, s := range signed {
		for _, algorithm := range c.meta.lists[s.list] {
			if isReadable(algorithm) && !slices.Contains(without, algorithm) &&
				!slices.ContainsFunc(c.keys, func(k key) bool { return k.fits(algorithm) }) {
				without = append(without, algorithm)
			}
		}
	}
	if len(without) == 0 {
		return
	}
	slices.Sort(without)
	// Keycloak lists all that it knows, and makes a key when the first app is
	// registered for it. The usual app does not notice.
	report, otherwise := c.note, "Logins of an app that is registered for one of these fail, unless "+
		"the server makes the key when it first signs with it"
	needed := c.pinned()
	if needed == nil {
		needed = []string{"RS256"}
	}
	if slices.ContainsFunc(needed, func(a string) bool { return slices.Contains(without, a) }) {
		report, otherwise = c.wrong, "Logins of an app that is registered for one of these fail"
	}
	report("alg.keys", "the server says that it signs with %s, but its key set has no key for "+
		"that. "+otherwise+": register the app for %s.", list(without), c.usable())
}

// usable names the algorithms of ID tokens for which the server has a key.
func (c *checker) usable() string {
	var have []string
	for _, algorithm := range c.meta.lists["id_token_signing_alg_values_supported"] {
		if isReadable(algorithm) && slices.ContainsFunc(c.keys,
			func(k key) bool { return k.fits(algorithm) }) {
			have = append(have, algorithm)
		}
	}
	if len(have) == 0 {
		return "another algorithm, as soon as the provider has a key for it"
	}
	return list(have)
}
