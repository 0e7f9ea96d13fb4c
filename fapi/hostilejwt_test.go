package fapi_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// TestHostileIDToken: ID tokens of a login and of a refresh.
func TestHostileIDToken(t *testing.T) { run(t, idTokenRows()) }

// inTime is a claim's value: the time from now.
func inTime(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }

// signatureRows are those of every JWT of the provider's. name begins their checks.
func signatureRows(at authserver.Place, in setup, reason authcode.Reason, name string) []row {
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	refused, accepted := rowsAt(at, in)
	bad := func(claim, rule string, faults ...authserver.Fault) row {
		return refused(claim, reason, name+rule, faults...)
	}
	rows := []row{
		bad("unsigned", ".alg", authserver.SignAs("none")),
		bad("unsigned, in capitals", ".alg", authserver.SignAs("none"), header(set("alg", `"NONE"`))),
		bad("HMAC with the public key", ".alg", authserver.SignAs("HS256")),
		bad("RS256 by a published key", ".alg", authserver.SignAs("RS256")),
		bad("no algorithm", ".alg", header(drop("alg"))),
		bad("another key", ".signature", authserver.OtherKey()),
		bad("another key, no kid", ".signature", authserver.OtherKey(), header(drop("kid"))),
		bad("a key of its own", ".signature", authserver.EmbeddedKey()),
		bad("a key of its own, no kid", ".signature", authserver.EmbeddedKey(), header(drop("kid"))),
		bad("a JWKS of its own", ".signature", authserver.OtherKey(), header(set("jku", `"`+trap()+`"`))),
		bad("changed after signing", ".signature", authserver.Tampered(set("iss", `"`+word+`"`))),
		bad("encrypted", ".form", authserver.Encrypted()),
		bad("a critical header", ".form", header(set("crit", `["exp"]`)), header(set("exp", "1"))),
		bad("not encoded", ".form", header(set("crit", `["b64"]`)), header(set("b64", "false"))),
		bad("two algorithms", ".form", header(authserver.Repeat("alg", `"none"`))),
		bad("a claim twice", ".form", authserver.Repeat("iss", "")),
		bad("a claim twice but for case", ".form", set("ISS", `"`+word+`"`)),
		bad("of another kind", ".typ", header(set("typ", `"logout+jwt"`))),
		bad("of another kind, in full", ".typ", header(set("typ", `"application/AT+JWT"`))),
		accepted("EdDSA by a published key", authserver.SignAs("EdDSA"), drop("at_hash")), // of another hash
	}
	return append(rows,
		refused("a kid of nobody's", reason, "jwks.key", header(set("kid", `"`+word+`"`))),
		refused("the name of an algorithm that no key is for", reason, "jwks.key", header(set("alg", `"PS256"`))),
		refused("the same, no kid", reason, "jwks.key", header(set("alg", `"PS256"`)), header(drop("kid"))),
	)
}

// claimRows are those of iss, aud and exp, which every JWT of a login has.
func claimRows(at authserver.Place, in setup, reason authcode.Reason, name string) []row {
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(at, in)
	bad := func(claim, rule string, faults ...authserver.Fault) row {
		return refused(claim, reason, name+rule, faults...)
	}
	return []row{
		bad("another issuer", ".iss", set("iss", `"https://`+word+`.example"`)),
		bad("an issuer that is a list", ".iss", set("iss", `["https://`+word+`.example"]`)),
		bad("no issuer", ".iss", drop("iss")),
		bad("another audience", ".aud", set("aud", `"`+word+`"`)),
		bad("an audience more", ".aud", set("aud", `["`+clientID+`","`+word+`"]`)),
		bad("an empty audience", ".aud", set("aud", "[]")),
		bad("no audience", ".aud", drop("aud")),
		accepted("the audience in a list", set("aud", `["`+clientID+`"]`)),
		bad("given to another client", ".azp", set("azp", `"`+word+`"`)),
		bad("expired", ".exp", set("exp", inTime(-2*time.Minute))),
		bad("exp a text", ".exp", set("exp", `"`+inTime(time.Hour)+`"`)),
		bad("exp null", ".exp", set("exp", "null")),
		bad("no exp", ".exp", drop("exp")),
		bad("of the future", ".iat", set("iat", inTime(5*time.Minute))),
		bad("iat a word", ".iat", set("iat", `"`+word+`"`)),
		bad("not valid yet", ".nbf", set("nbf", inTime(5*time.Minute))),
		accepted("expired a moment ago", set("exp", inTime(-5*time.Second))),
	}
}

func idTokenRows() (rows []row) {
	const refusal = authcode.IdentityRefused
	set, drop := authserver.Set, authserver.Drop
	for _, step := range []authserver.Place{authserver.Token, authserver.Refresh} {
		in := setup{}
		refused, accepted := rowsAt(authserver.IDToken, in)
		own := []row{
			refused("no iat", refusal, "id_token.iat", drop("iat")),
			refused("no subject", refusal, "id_token.sub", drop("sub")),
			refused("a subject with a newline", refusal, "id_token.sub", set("sub", `"a\n"`)),
			refused("of another access token", refusal, "id_token.at_hash", set("at_hash", `"AAAAAAAAAAAAAAAAAAAAAA"`)),
			refused("another nonce", refusal, "id_token.nonce", set("nonce", `"`+word+`"`)),
			accepted("with a claim of no meaning", set("foo", "{}")),
		}
		if step == authserver.Refresh {
			own = append(own, refused("another person", refusal, "refresh.sub", set("sub", `"bob"`)))
		} else {
			own = append(own, refused("no nonce", refusal, "id_token.nonce", drop("nonce")))
		}
		signature, claims := signatureRows(authserver.IDToken, in, refusal, "id_token"), claimRows(authserver.IDToken, in, refusal, "id_token")
		if step == authserver.Refresh { // the same rules: one row of each shows that they are asked
			signature, claims = signature[:5], claims[:5]
		}
		all := slices.Concat(own, signature, claims)
		for _, r := range under(all, string(step), func(*setup) {}) {
			if r.during = step; step == authserver.Refresh {
				r.until = authserver.Refresh
			}
			rows = append(rows, r)
		}
	}
	return append(rows, answerRows()...)
}

// answerRows: where there is no JWT at all, or one of a provider that a profile forbids.
func answerRows() []row {
	refused, _ := rowsAt(authserver.Token, setup{})
	rows := []row{
		refused("no ID token", authcode.IdentityRefused, "id_token.missing", authserver.Drop("id_token")),
		refused("an ID token that is a number", authcode.IdentityRefused, "id_token.missing", authserver.Set("id_token", "1")),
		refused("an ID token that is no JWT", authcode.IdentityRefused, "id_token.form", authserver.Set("id_token", `"`+word+`"`)),
		refused("an ID token in JSON", authcode.IdentityRefused, "id_token.form", authserver.Set("id_token", `"{\"payload\":\"e30\"}"`)),
	}
	for profile, name := range map[fapi.Profile]string{fapi.Security: "security", fapi.MessageSigning: "message signing"} {
		reason, check, at := authcode.IdentityRefused, "id_token.alg", authserver.Token
		if profile == fapi.MessageSigning {
			reason, check, at = authcode.Forged, "response.alg", authserver.Authorization
		}
		refused, _ := rowsAt(at, setup{profile: profile, options: []authserver.Option{authserver.Algorithm("RS256")}})
		r := refused("a provider that signs by RS256: "+name, reason, check)
		r.hopeless = true
		rows = append(rows, r)
	}
	return rows
}

// TestAlgorithms: providers that sign as the profiles allow.
func TestAlgorithms(t *testing.T) {
	for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
		for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
			x := newWorld(t, setup{profile: profile, options: []authserver.Option{authserver.Algorithm(alg)}})
			if got := x.do(authserver.Token); got.err != nil {
				t.Errorf("%s, profile %d: %v", alg, profile, got.err)
			}
			x.srv.RotateKeys(false)
			if got := x.do(authserver.Token); got.err != nil {
				t.Errorf("%s, profile %d, with new keys: %v", alg, profile, got.err)
			}
		}
	}
}
