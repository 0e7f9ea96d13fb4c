package check

import (
	"slices"
	"strings"
)

// readable are the algorithms of what package oidc reads: there is no none, and no HMAC.
var readable = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384",
	"ES512", "EdDSA"}

// signed are the lists of algorithms by which the server signs something.
var signed = []struct{ list, what string }{
	{"id_token_signing_alg_values_supported", "ID tokens"},
	{"userinfo_signing_alg_values_supported", "userinfo"},
	{"authorization_signing_alg_values_supported", "authorization responses (JARM)"},
	{"introspection_signing_alg_values_supported", "introspection answers"},
}

// checkAlgorithms compares what the server says it signs with, and the keys that it has
// for that.
func (c *checker) checkAlgorithms() {
	m := c.meta
	signs := false
	for _, s := range signed {
		algorithms := m.lists[s.list]
		signs = signs || slices.ContainsFunc(algorithms, isReadable)
		c.checkReadable(s.list, s.what, algorithms)
	}
	if m.isOpenID() && len(m.lists["id_token_signing_alg_values_supported"]) == 0 {
		c.note("alg.unlisted", "the document does not say how ID tokens are signed. Package oidc "+
			"then takes RS256 (OpenID Connect Core section 3.1.3.7).")
	}
	if _, there := m.texts["jwks_uri"]; (m.isOpenID() || signs) && !there &&
		!slices.Contains(m.malformed, "jwks_uri") {
		c.wrong("keys.missing", "jwks_uri is missing, and the server signs what apps have to "+
			"check. Nobody can sign in without its keys (%s).", members["jwks_uri"].source)
	}
	if c.keysRead {
		c.checkKeysOf()
	}
	for _, name := range []string{"dpop_signing_alg_values_supported",
		"request_object_signing_alg_values_supported"} {
		if slices.ContainsFunc(m.lists[name], func(s string) bool {
			return strings.HasPrefix(s,
				"HS")
		}) && strings.HasPrefix(name, "dpop") {
			c.wrong("dpop.hmac", "%s lists an HMAC, and a proof must be by a private key (RFC "+
				"9449 section 4.2).", name)
		}
		if m.has(name, "none") && strings.HasPrefix(name, "dpop") {
			c.wrong("dpop.none", "%s lists none, and a proof must be signed (RFC 9449 section "+
				"4.2).", name)
		}
	}
}

func isReadable(algorithm string) bool { return slices.Contains(readable, algorithm) }

func (c *checker) checkReadable(name, what string, algorithms []string) {
	if slices.Contains(algorithms, "none") {
		c.note("alg.none", "%s lists none: the server can leave %s unsigned. Package oidc "+
			"refuses them.", name, what)
	}
	if len(algorithms) > 0 && !slices.ContainsFunc(algorithms, isReadable) &&
		!slices.Equal(algorithms, []string{"none"}) {
		c.wrong("alg.unsupported", "%s lists %s, and package oidc reads none of that: it reads %s.",
			name, list(algorithms),
			strings.Join(readable, ", "))
	}
}

// checkKeysOf says which algorithms have no key.
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
	c.wrong("alg.keys", "the server says that it signs by %s, and its key set has no key for "+
		"that. A login of an app that is registered for one of them fails: register the app for "+
		"%s.", list(without), c.usable())
}

// usable are the algorithms of ID tokens that the server has a key for.
func (c *checker) usable() string {
	var have []string
	for _, algorithm := range c.meta.lists["id_token_signing_alg_values_supported"] {
		if isReadable(algorithm) && slices.ContainsFunc(c.keys,
			func(k key) bool { return k.fits(algorithm) }) {
			have = append(have, algorithm)
		}
	}
	if len(have) == 0 {
		return "another one once the provider has a key for it"
	}
	return list(have)
}
