package oidc_test

import (
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// hostileForms are ID tokens that cannot be read.
func hostileForms() []hostileRow {
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	token := hostileRows(authserver.Token, authcode.IdentityRefused)
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	return []hostileRow{
		token("no ID token", "id_token.missing", drop("id_token")),
		token("an empty ID token", "id_token.missing", set("id_token", `""`)),
		token("an ID token that is a number", "id_token.missing", set("id_token", "12")),
		token("no openid scope, so no ID token", "id_token.missing").login(authcode.Scopes("email")),
		token("no JWT", "id_token.form", set("id_token", `"`+hostileWord+`"`)),
		token("five parts", "id_token.form", set("id_token", `"e30.e30.e30.e30.e30"`)),
		token("a JWS in JSON", "id_token.form", set("id_token", `"{\"payload\":\"e30\",\"signatures\":[]}"`)),
		token("a header that is no JSON", "id_token.form", set("id_token", `"eHh4.e30.AAAA"`)),
		token("base64 with padding", "id_token.form", set("id_token", `"e30=.e30=.AAA="`)),
		token("a newline", "id_token.form", set("id_token", `"e30.\ne30.AAAA"`)),
		id("encrypted", "id_token.form", authserver.Encrypted()),
		id("a critical header", "id_token.form", header(set("crit", `["exp"]`)), header(set("exp", "1"))),
		id("b64 is false", "id_token.form", header(set("crit", `["b64"]`)), header(set("b64", "false"))),
		id("two algorithms", "id_token.form", header(authserver.Repeat("alg", `"none"`))),
		id("a claim with two values", "id_token.repeated", authserver.Repeat("sub", `"`+hostileWord+`"`)),
		id("a claim twice with one value", "", authserver.Repeat("sub", `"alice"`)),
		id("a claim that differs by case", "", set("SUB", `"bob"`)),
		id("typ twice in the header", "id_token.form", header(authserver.Repeat("typ", `"JWT"`))),
	}
}

// hostileSignatures are ID tokens that anybody may have signed.
func hostileSignatures(t *testing.T) []hostileRow {
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	return []hostileRow{
		id("another key", "id_token.signature", authserver.OtherKey()),
		id("another key, RS256", "id_token.signature", authserver.OtherKey()).signed("RS256"),
		id("another key, EdDSA", "id_token.signature", authserver.OtherKey()).signed("EdDSA"),
		id("another key, no kid", "id_token.signature", authserver.OtherKey(), header(drop("kid"))),
		id("a key in the header", "id_token.signature", authserver.EmbeddedKey()),
		id("a key in the header, no kid", "id_token.signature", authserver.EmbeddedKey(), header(drop("kid"))),
		id("a JWKS named in the header", "id_token.signature", authserver.OtherKey(),
			header(set("jku", `"`+hostileTrap(t)+`"`))),
		id("claims changed after signing", "id_token.signature", authserver.Tampered(set("sub", `"bob"`))),
	}
}

// hostileAlgorithms are ID tokens by a wrong algorithm or with a wrong header,
// and what the default admits.
func hostileAlgorithms() []hostileRow {
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	return []hostileRow{
		id("header of another algorithm", "id_token.alg", header(set("alg", `"ES384"`))),
		id("no algorithm", "id_token.alg", header(drop("alg"))),
		id("unsigned", "id_token.alg", authserver.SignAs("none")),
		id("unsigned, None", "id_token.alg", authserver.SignAs("none"), header(set("alg", `"None"`))),
		id("HMAC with the public key", "id_token.alg", authserver.SignAs("HS256")),
		id("HMAC with the public key, RS256", "id_token.alg", authserver.SignAs("HS256")).signed("RS256"),
		id("a published RSA key", "id_token.alg", authserver.SignAs("RS256")),
		id("a published Ed25519 key", "id_token.alg", authserver.SignAs("EdDSA")),
		id("another algorithm than the pinned", "id_token.alg").pinning("RS256", "PS256"),
		id("unsigned and so advertised", "id_token.alg", authserver.SignAs("none")).
			at(authserver.Discovery, set("id_token_signing_alg_values_supported", `["none"]`)),
		id("HMAC and so advertised", "id_token.alg", authserver.SignAs("HS256")).
			at(authserver.Discovery, set("id_token_signing_alg_values_supported", `["HS256","ES256"]`)),
		id("RS256 is the default", "").signed("RS256").byDefault(),
		id("nothing advertised means RS256", "id_token.alg").byDefault().
			at(authserver.Discovery, drop("id_token_signing_alg_values_supported")),
		id("what is advertised admits nothing", "id_token.alg").byDefault(),
		id("nor does a list beside RS256", "id_token.alg").byDefault().
			at(authserver.Discovery, set("id_token_signing_alg_values_supported", `["RS256","ES256"]`)),
		id("an unknown kid", "jwks.key", header(set("kid", `"`+hostileWord+`"`))),
		id("an access token", "id_token.typ", header(set("typ", `"at+jwt"`))),
		id("a logout token", "id_token.typ", header(set("typ", `"application/logout+JWT"`))),
	}
}

// TestHostileIDTokenText: what is wrong before any claim counts.
func TestHostileIDTokenText(t *testing.T) {
	runHostile(t, slices.Concat(hostileForms(), hostileSignatures(t), hostileAlgorithms()))
}

// goodTenant is the tenant that is admitted, and goodPath its path.
const goodTenant, goodPath = "tenant-1", "/tenant-1"

// hostileTenants are issuers, tenants and keys that fit or do not fit.
var hostileTenants = []struct {
	name, check                  string
	reason                       authcode.Reason
	callback, iss, tid, ofTheKey string // paths behind the URL; tid: empty for none
}{
	{"its own tenant", "", "", goodPath, goodPath, goodTenant, goodPath},
	{"a key for all tenants", "", "", goodPath, goodPath, goodTenant, "/{tenantid}"},
	{"no tenant", "id_token.tid", authcode.IdentityRefused, goodPath, goodPath, "", goodPath},
	{"a tenant that is not admitted", "id_token.tid", authcode.NotAdmitted, goodPath, "/other", "other", "/other"},
	{"a tenant with a slash", "id_token.tid", authcode.IdentityRefused, goodPath, goodPath, "tenant-1/x", goodPath},
	{"the issuer of another tenant", "id_token.iss", authcode.IdentityRefused, goodPath, "/other", goodTenant, goodPath},
	{"the template itself", "id_token.iss", authcode.IdentityRefused, goodPath, "/{tenantid}", goodTenant, goodPath},
	{"the key of another tenant", "id_token.iss", authcode.IdentityRefused, goodPath, goodPath, goodTenant, "/other"},
	{"the callback of another tenant", "callback.iss", authcode.Forged, "/another", goodPath, goodTenant, goodPath},
	{"the callback of a tenant that is not admitted", "iss", authcode.Forged, "/other", goodPath, goodTenant, goodPath},
	{"a callback without issuer", "iss.missing", authcode.Forged, "", goodPath, goodTenant, goodPath},
}

// TestHostileTenants: an issuer template stands for many issuers, and each for itself alone.
func TestHostileTenants(t *testing.T) {
	set := authserver.Set
	for _, row := range hostileTenants {
		t.Run(row.name, func(t *testing.T) {
			want := hostileRow{
				check: row.check, reason: row.reason, alg: "ES256", tenants: true,
				opts: []oidc.Option{oidc.Tenants(goodTenant, "another")},
			}
			x := newHostileApp(t, want)
			quote := func(path string) string { return `"` + x.srv.URL + path + `"` }
			claims := []authserver.Fault{set("iss", quote(row.iss))}
			if row.tid != "" {
				claims = append(claims, set("tid", `"`+row.tid+`"`))
			}
			x.srv.SetFaults(authserver.IDToken, claims...)
			x.srv.SetFaults(authserver.Authorization, set("iss", x.srv.URL+row.callback))
			if row.callback == "" {
				x.srv.SetFaults(authserver.Authorization, authserver.Drop("iss"))
			}
			x.srv.SetFaults(authserver.JWKS, authserver.EachKey(set("issuer", quote(row.ofTheKey))))
			login, err := x.login()
			if row.check != "" {
				x.want(want, err)
			} else if err != nil || login.Identity.Issuer != x.srv.URL+goodPath {
				t.Errorf("refused: %v", err)
			}
		})
	}
}
