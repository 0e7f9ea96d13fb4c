package oidc_test

import (
	"cmp"
	"crypto"
	"encoding/json"
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

type claimsRow struct {
	claim  string
	change members
	opts   []oidc.Option
	answer func(*authcode.TokenResponse)
	check  string // empty: accepted
	reason authcode.Reason
}

// partyClaims are claims about who gave a token to whom.
func partyClaims() []claimsRow {
	return []claimsRow{
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
	}
}

// timeClaims are claims about when a token counts, and the subject.
func timeClaims() []claimsRow {
	return []claimsRow{
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
	}
}

// loginClaims are claims about one login.
func loginClaims() []claimsRow {
	return []claimsRow{
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
}

func TestIDTokenClaims(t *testing.T) {
	for _, row := range slices.Concat(partyClaims(), timeClaims(), loginClaims()) {
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

// TestEdDSAHash: no standard says which hash function at_hash has with EdDSA, and Glewlwyd uses SHA-256.
func TestEdDSAHash(t *testing.T) {
	p := newMemOP("EdDSA")
	for _, alg := range []string{"EdDSA", "Ed25519"} {
		token := func(atHash string) *authcode.TokenResponse {
			return p.login(p.key.sign(payload(p.claims(), members{"at_hash": atHash}), members{"alg": alg}))
		}
		i := pinned(oidc.Provider(memIssuer), "EdDSA")
		wantIdentity(t, i, token(leftHash(crypto.SHA512, memAccess)))
		wantIdentity(t, i, token(leftHash(crypto.SHA256, memAccess)))
		for _, wrong := range []string{leftHash(crypto.SHA384, memAccess), leftHash(crypto.SHA256, memAccess+"x"), ""} {
			_, err := identify(t.Context(), i, token(wrong))
			wantError(t, err, authcode.IdentityRefused, "id_token.at_hash")
		}
	}
}
