package oidc_test

import (
	"cmp"
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// now plus seconds, as in a token.
func in(seconds int64) int64 { return time.Now().Unix() + seconds }

func TestIDTokenClaims(t *testing.T) {
	rows := []struct {
		claim  string
		change members
		opts   []oidc.Option
		answer func(*authcode.TokenResponse)
		check  string // empty: accepted
		reason authcode.Reason
	}{
		{claim: "a good token is accepted"},
		{claim: "another issuer is refused", change: members{"iss": "https://evil.example"}, check: "id_token.iss"},
		{claim: "the issuer with a slash more is refused", change: members{"iss": memIssuer + "/"}, check: "id_token.iss"},
		{claim: "the issuer in capitals is refused", change: members{"iss": strings.ToUpper(memIssuer)}, check: "id_token.iss"},
		{claim: "no issuer is refused", change: members{"iss": nil}, check: "id_token.iss"},
		{claim: "an issuer in a list is refused", change: members{"iss": []string{memIssuer}}, check: "id_token.iss"},
		{claim: "another audience is refused", change: members{"aud": "other"}, check: "id_token.aud"},
		{claim: "no audience is refused", change: members{"aud": nil}, check: "id_token.aud"},
		{claim: "an empty list of audiences is refused", change: members{"aud": []string{}}, check: "id_token.aud"},
		{claim: "an audience that is a number is refused", change: members{"aud": 1}, check: "id_token.aud"},
		{claim: "a list with something else in it is refused", change: members{"aud": []any{memClient, 1}}, check: "id_token.aud"},
		{claim: "the app alone in a list is accepted", change: members{"aud": []string{memClient}}},
		{claim: "the app named twice is accepted", change: members{"aud": []string{memClient, memClient}}},
		{claim: "the app among strangers is refused", change: members{"aud": []string{memClient, "other"}, "azp": memClient}, check: "id_token.aud"},
		{claim: "the app among trusted audiences is accepted", change: members{"aud": []string{"api", memClient}, "azp": memClient},
			opts: []oidc.Option{oidc.TrustAudiences("api")}},
		{claim: "a trusted audience without the app is refused", change: members{"aud": "api"},
			opts: []oidc.Option{oidc.TrustAudiences("api")}, check: "id_token.aud"},
		{claim: "a stranger beside a trusted audience is refused", change: members{"aud": []string{memClient, "api", "other"}, "azp": memClient},
			opts: []oidc.Option{oidc.TrustAudiences("api")}, check: "id_token.aud"},
		{claim: "several audiences without azp are refused", change: members{"aud": []string{memClient, "api"}},
			opts: []oidc.Option{oidc.TrustAudiences("api")}, check: "id_token.azp"},
		{claim: "a token given to another client is refused", change: members{"azp": "other"}, check: "id_token.azp"},
		{claim: "a token given to this client is accepted", change: members{"azp": memClient}},
		{claim: "an azp that is null is refused", change: members{"azp": json.RawMessage("null")}, check: "id_token.azp"},
		{claim: "an empty client id matches nothing", change: members{"aud": ""}, answer: func(a *authcode.TokenResponse) { a.Config.ClientID = "" }, check: "id_token.aud"},
		{claim: "an expired token is refused", change: members{"exp": in(-61)}, check: "id_token.exp"},
		{claim: "a minute of clock difference is allowed for exp", change: members{"exp": in(-55)}},
		{claim: "no exp is refused", change: members{"exp": nil}, check: "id_token.exp"},
		{claim: "an exp in a text is refused", change: members{"exp": "99999999999"}, check: "id_token.exp"},
		{claim: "an exp beyond all time is refused", change: members{"exp": json.RawMessage("1e400")}, check: "id_token.exp"},
		{claim: "an exp with a fraction is accepted", change: members{"exp": float64(in(100)) + 0.5}},
		{claim: "no iat is refused", change: members{"iat": nil}, check: "id_token.iat"},
		{claim: "an iat in the future is refused", change: members{"iat": in(70)}, check: "id_token.iat"},
		{claim: "a minute of clock difference is allowed for iat", change: members{"iat": in(55)}},
		{claim: "an iat in a text is refused", change: members{"iat": "1"}, check: "id_token.iat"},
		{claim: "a token that is not valid yet is refused", change: members{"nbf": in(70)}, check: "id_token.nbf"},
		{claim: "a token that is valid by now is accepted", change: members{"nbf": in(55)}},
		{claim: "an nbf that is no date is refused", change: members{"nbf": "soon"}, check: "id_token.nbf"},
		{claim: "no subject is refused", change: members{"sub": nil}, check: "id_token.sub"},
		{claim: "an empty subject is refused", change: members{"sub": ""}, check: "id_token.sub"},
		{claim: "a subject that is a number is refused", change: members{"sub": 7}, check: "id_token.sub"},
		{claim: "a subject of 256 bytes is refused", change: members{"sub": strings.Repeat("x", 256)}, check: "id_token.sub"},
		{claim: "a subject of 255 bytes is accepted", change: members{"sub": strings.Repeat("x", 255)}},
		{claim: "a subject with a NUL is refused", change: members{"sub": "alice\x00"}, check: "id_token.sub"},
		{claim: "a subject with a space at its end is refused", change: members{"sub": "alice "}, check: "id_token.sub"},
		{claim: "another login's nonce is refused", change: members{"nonce": "other"}, check: "id_token.nonce"},
		{claim: "no nonce is refused", change: members{"nonce": nil}, check: "id_token.nonce"},
		{claim: "a nonce that is null is refused", change: members{"nonce": json.RawMessage("null")}, check: "id_token.nonce"},
		{claim: "a nonce in a list is refused", change: members{"nonce": []string{memNonce}}, check: "id_token.nonce"},
		{claim: "a nonce that was never sent is refused", answer: func(a *authcode.TokenResponse) { a.Nonce = "" }, check: "id_token.nonce"},
		{claim: "a nonce that is not a string is refused where none was sent", change: members{"nonce": 7}, answer: func(a *authcode.TokenResponse) { a.Nonce = "" }, check: "id_token.nonce"},
		{claim: "no auth_time is refused after max_age", answer: maxAge(300), check: "id_token.auth_time"},
		{claim: "an old sign-in is refused after max_age", change: members{"auth_time": in(-361)}, answer: maxAge(300), check: "id_token.auth_time"},
		{claim: "a sign-in within max_age is accepted", change: members{"auth_time": in(-355)}, answer: maxAge(300)},
		{claim: "max_age 0 is a max_age", change: members{"auth_time": in(-62)}, answer: maxAge(0), check: "id_token.auth_time"},
		{claim: "a sign-in just now satisfies max_age 0", change: members{"auth_time": in(-1)}, answer: maxAge(0)},
		{claim: "a sign-in in the future is refused", change: members{"auth_time": in(70)}, answer: maxAge(300), check: "id_token.auth_time"},
		{claim: "an auth_time in a text is refused", change: members{"auth_time": "1"}, answer: maxAge(1 << 30), check: "id_token.auth_time"},
		{claim: "an old sign-in is accepted without max_age", change: members{"auth_time": 1}},
		{claim: "the hash of this access token is accepted", change: members{"at_hash": leftHash(crypto.SHA256, memAccess)}},
		{claim: "the hash of another access token is refused", change: members{"at_hash": leftHash(crypto.SHA256, "x")}, check: "id_token.at_hash"},
		{claim: "a hash by another function is refused", change: members{"at_hash": leftHash(crypto.SHA512, memAccess)}, check: "id_token.at_hash"},
		{claim: "an empty at_hash is refused", change: members{"at_hash": ""}, check: "id_token.at_hash"},
		{claim: "no hosted domain is refused where one is asked for", opts: []oidc.Option{oidc.HostedDomain("corp.example")}, check: "id_token.hd", reason: authcode.NotAdmitted},
		{claim: "another hosted domain is refused", change: members{"hd": "evil.example"}, opts: []oidc.Option{oidc.HostedDomain("corp.example")}, check: "id_token.hd", reason: authcode.NotAdmitted},
		{claim: "the hosted domain is accepted", change: members{"hd": "corp.example"}, opts: []oidc.Option{oidc.HostedDomain("a.example", "corp.example")}},
		{claim: "any hosted domain is accepted where none is asked for", change: members{"hd": "evil.example"}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			a := p.login(p.token(row.change))
			if row.answer != nil {
				row.answer(a)
			}
			id, err := identify(t.Context(), oidc.Provider(memIssuer, row.opts...), a)
			if row.check != "" {
				wantError(t, err, cmp.Or(row.reason, authcode.IdentityRefused), row.check)
				return
			}
			if err != nil || id.Issuer != memIssuer || id.Subject == "" {
				t.Errorf("got %+v, %v", id, err)
			}
		})
	}
}

func maxAge(seconds int) func(*authcode.TokenResponse) {
	return func(a *authcode.TokenResponse) { a.MaxAge = time.Duration(seconds) * time.Second }
}

// TestIDTokenSignature: nothing but a signature by a key of the provider's with a pinned algorithm counts.
func TestIDTokenSignature(t *testing.T) {
	rows := []struct {
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
		{claim: "another algorithm than the advertised one is refused", make: func(p *memOP) string {
			k := newKey("ES256", "e")
			p.keys = append(p.keys, k.jwk(nil))
			return k.sign(payload(p.claims(), nil), nil)
		}, check: "id_token.alg"},
		{claim: "another algorithm than the configured one is refused", pins: []string{"ES256"},
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
	for _, row := range rows {
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

// TestAlgorithms: every supported algorithm works, with its hash of the access token.
func TestAlgorithms(t *testing.T) {
	hashes := map[string]crypto.Hash{
		"RS256": crypto.SHA256, "RS384": crypto.SHA384, "RS512": crypto.SHA512,
		"PS256": crypto.SHA256, "PS384": crypto.SHA384, "PS512": crypto.SHA512,
		"ES256": crypto.SHA256, "ES384": crypto.SHA384, "ES512": crypto.SHA512, "EdDSA": crypto.SHA512,
	}
	for _, alg := range slices.Sorted(maps.Keys(hashes)) {
		t.Run(alg, func(t *testing.T) {
			p := newMemOP(alg)
			a := p.login(p.token(members{"at_hash": leftHash(hashes[alg], memAccess)}))
			wantIdentity(t, pinned(oidc.Provider(memIssuer), alg), a)
			a = p.login(p.token(members{"at_hash": leftHash(hashes[alg], memAccess+"x")}))
			_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), alg), a)
			wantError(t, err, authcode.IdentityRefused, "id_token.at_hash")
		})
	}
}
