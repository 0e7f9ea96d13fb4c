package oidc_test

import (
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// unusableKeys are key sets without the key of the token.
func unusableKeys() []hostileRow {
	set, each, odd := authserver.Set, authserver.EachKey, authserver.OddKey
	keys := hostileRows(authserver.JWKS, authcode.IdentityRefused)
	return []hostileRow{
		keys("no keys", "jwks.key", set("keys", "[]")),
		keys("keys for encryption alone", "jwks.key", each(set("use", `"enc"`))),
		keys("keys that may only sign", "jwks.key", each(set("key_ops", `["sign"]`))),
		keys("keys of another algorithm", "jwks.key", each(set("alg", `"ES384"`))),
		keys("keys of another name", "jwks.key", each(set("kid", `"`+hostileWord+`"`))),
		keys("keys whose kid is a number", "jwks.key", each(set("kid", "7"))),
		keys("keys of an unknown kind", "jwks.key", each(set("kty", `"AKP"`))),
		keys("keys with a member twice", "jwks.key", each(authserver.Repeat("x", ""))),
		keys("an algorithm that only the attacker's header has", "id_token.alg", odd("symmetric")).
			at(authserver.IDToken, authserver.SignAs("HS256")),
		keys("a twin, and neither has signed", "id_token.signature", odd("twin")).at(authserver.IDToken, authserver.OtherKey()),
	}
}

// hostileKeySets are answers that are no key sets.
func hostileKeySets(t *testing.T) []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	bad := hostileRows(authserver.JWKS, authcode.BadAnswer)
	return []hostileRow{
		bad("no list of keys", "jwks.form", drop("keys")),
		bad("keys is an object", "jwks.form", set("keys", "{}")),
		bad("keys twice", "jwks.form", authserver.Repeat("keys", "")),
		bad("a JWKS that is no JSON", "jwks.form", authserver.Answer(200, "application/json", hostileWord)),
		bad("an empty JWKS", "jwks.form", authserver.Answer(200, "application/json", "")),
		bad("a JWKS of 100 MB", "jwks.size", authserver.Padded(100_000_000)),
		bad("a JWKS that never ends", "jwks.size", authserver.Endless()),
		bad("a JWKS that inflates to 1 GB", "jwks.size", authserver.GzipBomb()),
		bad("status 500", "jwks.status", authserver.HTMLError()),
		bad("status 404", "jwks.missing", authserver.Answer(404, "", "")),
		bad("status 503", "jwks.status", authserver.Busy(503, "1")).as(authcode.Overloaded),
		bad("a redirect", "jwks.redirect", authserver.Redirect(302, hostileTrap(t))).as(authcode.BadAnswer),
		bad("a reset", "jwks.unreachable", authserver.Reset()).as(authcode.Unreachable),
		bad("half an answer", "jwks.unreachable", authserver.Truncated()).as(authcode.Unreachable),
	}
}

// tolerableKeys are key sets that must serve.
func tolerableKeys() []hostileRow {
	set, drop, each, odd := authserver.Set, authserver.Drop, authserver.EachKey, authserver.OddKey
	keys := hostileRows(authserver.JWKS, authcode.IdentityRefused)
	noKid := authserver.Header(drop("kid"))
	return []hostileRow{
		keys("secp256k1 beside the key", "", odd("secp256k1")),
		keys("Ed25519 beside the key", "", odd("Ed25519")),
		keys("X25519 beside the key", "", odd("X25519")),
		keys("an encryption key beside the key", "", odd("encryption")),
		keys("a symmetric key beside the key", "", odd("symmetric")),
		keys("an unknown kind beside the key", "", odd("unknown")),
		keys("a broken key beside the key", "", odd("broken")),
		keys("null beside the key", "", odd("null")),
		keys("two keys of one kid", "", odd("twin")),
		keys("all of them, and no kid", "", odd("secp256k1"), odd("Ed25519"), odd("encryption"), odd("twin"), odd("null")).
			at(authserver.IDToken, noKid),
		keys("Ed25519 beside the Ed25519 key", "", odd("Ed25519")).signed("EdDSA").at(authserver.IDToken, noKid),
		keys("no kid in the token, one key", "").at(authserver.IDToken, noKid),
		keys("no kid in the keys", "", each(drop("kid"))),
		keys("no kid anywhere", "", each(drop("kid"))).at(authserver.IDToken, noKid),
		keys("neither use nor alg", "", each(drop("use")), each(drop("alg"))),
		keys("a key that may verify", "", each(set("key_ops", `["verify"]`))),
	}
}

func TestHostileKeys(t *testing.T) {
	runHostile(t, slices.Concat(unusableKeys(), hostileKeySets(t), tolerableKeys()))
}

// plainURL is neither https nor loopback.
const plainURL = `"http://` + hostileWord + `.example/"`

// hostileDocuments are documents and answers that cannot serve.
func hostileDocuments(t *testing.T) []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	doc := hostileRows(authserver.Discovery, authcode.BadAnswer)
	trap := hostileTrap(t)
	return []hostileRow{
		doc("another issuer", "discovery.issuer", set("issuer", `"https://`+hostileWord+`.example"`)),
		doc("no issuer", "discovery.issuer", drop("issuer")),
		doc("an issuer in another case", "discovery.issuer", authserver.Rename("issuer", "Issuer")),
		doc("issuer twice", "discovery.form", authserver.Repeat("issuer", "")),
		doc("an endpoint that is a number", "discovery.endpoints", set("token_endpoint", "1")),
		doc("methods that are no list", "discovery.form", set("code_challenge_methods_supported", `"S256"`)),
		doc("keys that are a number", "jwks.endpoint", set("jwks_uri", "1")),
		doc("userinfo that is a number", "userinfo.endpoint", set("userinfo_endpoint", "1")).with(oidc.UserInfo()),
		doc("algorithms that are no list, and count for nothing", "", set("id_token_signing_alg_values_supported", "{}")),
		doc("no JSON", "discovery.form", authserver.Answer(200, "application/json", hostileWord)),
		doc("a list", "discovery.form", authserver.Answer(200, "application/json", "[]")),
		doc("an empty answer", "discovery.form", authserver.Answer(200, "", "")),
		doc("only plain PKCE", "discovery.pkce", set("code_challenge_methods_supported", `["plain"]`)),
		doc("100 MB", "discovery.size", authserver.Padded(100_000_000)),
		doc("endless", "discovery.size", authserver.Endless()),
		doc("a redirect", "discovery.redirect", authserver.Redirect(307, trap)).as(authcode.BadAnswer),
		doc("status 500", "discovery.status", authserver.HTMLError()),
		doc("status 404", "discovery.missing", authserver.Answer(404, "", "")),
		doc("status 429", "discovery.status", authserver.Busy(429, "1")).as(authcode.Overloaded),
		doc("a reset", "discovery.unreachable", authserver.Reset()).as(authcode.Unreachable),
	}
}

// incompleteDocuments are documents that lack something, or name it wrongly.
func incompleteDocuments() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	doc := hostileRows(authserver.Discovery, authcode.BadAnswer)
	return []hostileRow{
		doc("no jwks_uri", "jwks.endpoint", drop("jwks_uri")),
		doc("jwks_uri over http", "jwks.endpoint", set("jwks_uri", plainURL)),
		doc("jwks_uri is a path", "jwks.endpoint", set("jwks_uri", `"/jwks"`)),
		doc("no userinfo_endpoint", "", drop("userinfo_endpoint")).with(oidc.UserInfo()),
		doc("userinfo_endpoint over http", "userinfo.endpoint", set("userinfo_endpoint", plainURL)).with(oidc.UserInfo()),
		doc("nothing said about PKCE", "", drop("code_challenge_methods_supported")),
		doc("no userinfo_endpoint, and none needed", "", drop("userinfo_endpoint")),
		doc("revocation and logout over http", "", set("revocation_endpoint", plainURL), set("end_session_endpoint", plainURL)),
	}
}

// TestHostileDiscovery: OpenID Connect Discovery section 4.3, RFC 8414 section 3.3.
func TestHostileDiscovery(t *testing.T) {
	doc := hostileRows(authserver.Discovery, authcode.BadAnswer)
	set, drop := authserver.Set, authserver.Drop
	rows := slices.Concat(hostileDocuments(t), incompleteDocuments())
	for _, name := range []string{"authorization_endpoint", "token_endpoint"} {
		rows = append(rows, doc("no "+name, "discovery.endpoints", drop(name)),
			doc(name+" over http", "discovery.endpoints", set(name, plainURL)))
	}
	runHostile(t, rows)
	t.Run("an issuer with a slash more", func(t *testing.T) {
		row := doc("", "discovery.issuer")
		x := newHostileApp(t, row)
		x.srv.SetFaults(authserver.Discovery, set("issuer", `"`+x.srv.URL+`/"`))
		_, err := x.login()
		x.want(row, err)
	})
}
