package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// tokenTexts are ID tokens that differ in how they are signed and written.
var tokenTexts = []struct {
	claim string
	alg   string // of the provider's key; empty: RS256
	pins  []string
	make  func(p *memOP) string
	check string
}{
	{claim: "no ID token is refused", make: func(*memOP) string { return "" }, check: "id_token.missing"},
	{claim: "a token without signature is refused", make: func(p *memOP) string { return cut(p.token(nil), 2) + "." }, check: "id_token.signature"},
	{claim: "alg none is refused", make: func(p *memOP) string { return cut(p.with(members{"alg": "none"}), 2) + "." }, check: "id_token.alg"},
	{claim: "alg None is refused", make: func(p *memOP) string { return cut(p.with(members{"alg": "None"}), 2) + "." }, check: "id_token.alg"},
	{claim: "no alg is refused", make: func(p *memOP) string { return p.with(members{"alg": nil}) }, check: "id_token.alg"},
	{claim: "an HMAC by the public key is refused", make: hmacByPublicKey, check: "id_token.alg"},
	{claim: "an HMAC is refused also where the provider advertises it", make: func(p *memOP) string {
		p.metadata["id_token_signing_alg_values_supported"] = []string{"HS256", "none"}
		return hmacByPublicKey(p)
	}, check: "id_token.alg"},
	{claim: "an algorithm that is not advertised is refused", make: func(p *memOP) string {
		k := newKey("ES256", "e")
		p.keys = append(p.keys, k.jwk(nil))
		return k.sign(payload(p.claims(), nil), nil)
	}, check: "id_token.alg"},
	{claim: "an algorithm that is not configured is refused", pins: []string{"ES256"},
		make: func(p *memOP) string { return p.token(nil) }, check: "id_token.alg"},
	{claim: "RS256 is the default", make: func(p *memOP) string {
		delete(p.metadata, "id_token_signing_alg_values_supported")
		return p.token(nil)
	}},
	{claim: "only RS256 is the default", alg: "ES256", make: func(p *memOP) string {
		delete(p.metadata, "id_token_signing_alg_values_supported")
		return p.token(nil)
	}, check: "id_token.alg"},
	{claim: "the configured algorithm counts, whatever is advertised", alg: "ES256", pins: []string{"ES256"}, make: func(p *memOP) string {
		p.metadata["id_token_signing_alg_values_supported"] = []string{"RS256"}
		return p.token(nil)
	}},
	{claim: "a stranger's key with the provider's kid is refused",
		make: func(p *memOP) string {
			return newKey("RS256", "x").sign(payload(p.claims(), nil), members{"kid": "k1"})
		}, check: "id_token.signature"},
	{claim: "a stranger's key with an unknown kid is refused",
		make: func(p *memOP) string { return newKey("RS256", "x").sign(payload(p.claims(), nil), nil) }, check: "jwks.key"},
	{claim: "a key in the header is not taken", make: func(p *memOP) string {
		k := newKey("RS256", "x")
		return k.sign(payload(p.claims(), nil), members{"jwk": k.jwk(members{"use": nil}), "kid": nil})
	}, check: "id_token.signature"},
	{claim: "other claims under the same signature are refused", make: func(p *memOP) string {
		parts := strings.Split(p.token(nil), ".")
		return parts[0] + "." + b64(payload(p.claims(), members{"sub": "bob"})) + "." + parts[2]
	}, check: "id_token.signature"},
	{claim: "a critical header is refused", make: func(p *memOP) string {
		return p.with(members{"crit": []string{"b64"}, "b64": true})
	}, check: "id_token.form"},
	{claim: "an access token is refused", make: func(p *memOP) string { return p.with(members{"typ": "at+jwt"}) }, check: "id_token.typ"},
	{claim: "an access token in capitals is refused", make: func(p *memOP) string { return p.with(members{"typ": "AT+JWT"}) }, check: "id_token.typ"},
	{claim: "a logout token is refused", make: func(p *memOP) string { return p.with(members{"typ": "application/logout+jwt"}) }, check: "id_token.typ"},
	{claim: "a missing typ is accepted", make: func(p *memOP) string { return p.with(members{"typ": nil}) }},
	{claim: "the JSON form is refused", make: func(p *memOP) string {
		parts := strings.Split(p.token(nil), ".")
		return `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`
	}, check: "id_token.form"},
	{claim: "two parts are refused", make: func(p *memOP) string { return cut(p.token(nil), 2) }, check: "id_token.form"},
	{claim: "five parts are refused", make: func(p *memOP) string { return p.token(nil) + ".a.b" }, check: "id_token.form"},
	{claim: "a newline is refused", make: func(p *memOP) string { return p.token(nil) + "\n" }, check: "id_token.form"},
	{claim: "padding is refused", make: func(p *memOP) string { return p.token(nil) + "=" }, check: "id_token.form"},
	{claim: "a signed text is refused", make: func(p *memOP) string { return p.key.sign([]byte(`"alice"`), nil) }, check: "id_token.form"},
	{claim: "a claim with two values is refused", make: func(p *memOP) string {
		return p.key.sign([]byte(strings.Replace(string(payload(p.claims(), nil)), "{", `{"sub":"bob",`, 1)), nil)
	}, check: "id_token.repeated"},
	{claim: "a claim that differs by case is another claim", make: func(p *memOP) string {
		return p.token(members{"SUB": "bob"})
	}},
	{claim: "pins that are no algorithms accept nothing", pins: []string{"none", "HS256"},
		make: func(p *memOP) string { return p.token(nil) }, check: "id_token.alg"},
	{claim: "alg none is refused also where the app pins it", pins: []string{"none"},
		make: func(p *memOP) string { return cut(p.with(members{"alg": "none"}), 2) + "." }, check: "id_token.alg"},
	{claim: "an HMAC is refused also where the app pins it", pins: []string{"HS256", "RS256"}, make: hmacByPublicKey, check: "id_token.alg"},
}

// TestIDTokenSignature: nothing but a signature by a key of the provider's with a pinned algorithm counts.
func TestIDTokenSignature(t *testing.T) {
	for _, row := range tokenTexts {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP(orRS256(row.alg))
			a := p.login(row.make(p))
			_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), row.pins...), a)
			if row.check == "" && err == nil {
				return
			}
			wantError(t, err, authcode.IdentityRefused, row.check)
		})
	}
}

func orRS256(alg string) string {
	if alg == "" {
		return "RS256"
	}
	return alg
}

// with is a good token with other header fields.
func (p *memOP) with(headers members) string { return p.key.sign(payload(p.claims(), nil), headers) }

// cut keeps the first n parts of a token.
func cut(token string, n int) string { return strings.Join(strings.Split(token, ".")[:n], ".") }

// hmacByPublicKey is the classic: HS256 with what everybody knows as the secret.
func hmacByPublicKey(p *memOP) string {
	der := must(x509.MarshalPKIXPublicKey(p.key.signer.Public()))
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	parts := strings.Split(p.with(members{"alg": "HS256"}), ".")
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	return parts[0] + "." + parts[1] + "." + b64(mac.Sum(nil))
}
