package oidc_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// secp256k1 is a key of a curve that go-jose does not know (RFC 8812): one such key makes its
// JSONWebKeySet, and so coreos/go-oidc, fail whole.
var secp256k1 = members{
	"kty": "EC", "crv": "secp256k1", "kid": "s1", "use": "sig", "alg": "ES256K",
	"x": "7KEKZa5xJPh7WVqHJyUpb2MgEe3nA8Rk7eUlXsmBl-M", "y": "3zIgl_ml4RhapyEm5J7lvU-4f5jiBvZr4KgxUjEhl9o",
}

// keySets are sets around the key that has signed.
var keySets = []struct {
	claim string
	alg   string // of the signing key; empty: RS256
	kid   any    // of the token's header; empty: the key's
	keys  func(k *memKey) []any
	check string
}{
	{claim: "unknown kinds beside the key are skipped", keys: func(k *memKey) []any {
		return []any{
			secp256k1, members{"kty": "OKP", "crv": "X25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
			members{"kty": "OKP", "crv": "Ed448", "x": "AA"}, members{"kty": "LMS"}, members{"kid": "k1"},
			newKey("EdDSA", "o").jwk(nil), members{"kty": "oct", "kid": "k1", "k": "AAAA"}, k.jwk(nil),
		}
	}},
	{claim: "what is no key is skipped", keys: func(k *memKey) []any {
		return []any{nil, 1, "x", []int{}, members{}, json.RawMessage(`{"kty":"RSA","kty":"RSA"}`), k.jwk(nil)}
	}},
	{claim: "an encryption key of the same kid is not used", keys: func(k *memKey) []any {
		return []any{newKey("RS256", "enc").jwk(members{"kid": "k1", "use": "enc", "alg": "RSA-OAEP"}), k.jwk(nil)}
	}},
	{claim: "the key itself is not used when it is for encryption", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"use": "enc"})}
	}, check: "jwks.key"},
	{claim: "a key whose use is no text is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"use": 7})}
	}, check: "jwks.key"},
	{claim: "a key whose alg is no text is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"alg": 7})}
	}, check: "jwks.key"},
	{claim: "a key whose issuer is no text is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"issuer": 7})}
	}, check: "jwks.key"},
	{claim: "a key that is for signing only is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"use": nil, "key_ops": []string{"sign"}})}
	}, check: "jwks.key"},
	{claim: "a key that is for verifying is used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"use": nil, "key_ops": []string{"verify"}})}
	}},
	{claim: "a key without use and alg is used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"use": nil, "alg": nil})}
	}},
	{claim: "a key for another algorithm is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"alg": "RS512"})}
	}, check: "jwks.key"},
	{claim: "a key whose certificate does not parse is used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"x5c": []string{"AAAA"}})}
	}},
	{claim: "Ed25519 is a name of EdDSA", alg: "EdDSA", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"alg": "Ed25519"})}
	}},
	{claim: "a key of another curve is not used", alg: "ES256", keys: func(k *memKey) []any {
		return []any{newKey("ES384", "c").jwk(members{"kid": "k1", "alg": nil})}
	}, check: "jwks.key"},
	{claim: "without kid all keys that fit are tried", kid: drop, keys: func(k *memKey) []any {
		return []any{newKey("RS256", "a").jwk(nil), newKey("ES256", "b").jwk(nil), newKey("RS256", "c").jwk(nil), k.jwk(nil)}
	}},
	{claim: "without kid a stranger's signature fits none", kid: drop, keys: func(*memKey) []any {
		return []any{newKey("RS256", "a").jwk(nil), newKey("RS256", "c").jwk(nil)}
	}, check: "id_token.signature"},
	{claim: "without kid the last of 32 is tried", alg: "ES256", kid: drop, keys: func(k *memKey) []any {
		return append(strangers(31), k.jwk(nil))
	}},
	{claim: "without kid no more are tried", alg: "ES256", kid: drop, keys: func(k *memKey) []any {
		return append(strangers(32), k.jwk(nil))
	}, check: "id_token.signature"},
	{claim: "a key without kid serves a token with one", keys: func(k *memKey) []any {
		return []any{newKey("RS256", "a").jwk(nil), k.jwk(members{"kid": nil})}
	}},
	{claim: "a key of another kid does not", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"kid": "k2"})}
	}, check: "jwks.key"},
	{claim: "two keys of one kid are both tried", keys: func(k *memKey) []any {
		return []any{newKey("RS256", "a").jwk(members{"kid": "k1"}), k.jwk(nil)}
	}},
	{claim: "a key of 4,096 bits is tried", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"n": b64(bytes.Repeat([]byte{255}, 512))})}
	}, check: "id_token.signature"},
	{claim: "a key of more is not", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"n": b64(bytes.Repeat([]byte{255}, 513))})}
	}, check: "jwks.key"},
	{claim: "an exponent of one is not used", keys: func(k *memKey) []any {
		return []any{k.jwk(members{"e": "AQ"})}
	}, check: "jwks.key"},
	{claim: "an empty set has no key", keys: func(*memKey) []any { return []any{} }, check: "jwks.key"},
}

// TestKeySets: keys that are not for us do not disturb, and are not used.
func TestKeySets(t *testing.T) {
	for _, row := range keySets {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP(orRS256(row.alg))
			text := string(must(json.Marshal(map[string]any{"keys": row.keys(p.key)})))
			p.answer(memJWKS, always(200, "application/json", text))
			header := members{}
			if row.kid == drop {
				header["kid"] = nil
			}
			_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), p.key.alg), p.login(p.with(header)))
			if row.check == "" && err == nil {
				return
			}
			wantError(t, err, authcode.IdentityRefused, row.check)
		})
	}
}

const drop = "(drop)"

// strangers are n keys that fit an ES256 token, and did not sign it.
func strangers(n int) (keys []any) {
	other := newKey("ES256", "x").jwk(nil)
	for range n {
		keys = append(keys, other)
	}
	return keys
}

// TestWeakKeys: an RSA key must have 2,048 bits (RFC 7518 section 3.3).
func TestWeakKeys(t *testing.T) {
	p := newMemOP("RS256")
	token := ""
	fips140.WithoutEnforcement(func() {
		p.rotate(&memKey{"k1", "RS256", must(rsa.GenerateKey(rand.Reader, 1024))})
		token = p.token(nil)
	})
	_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(token))
	wantError(t, err, authcode.IdentityRefused, "jwks.key")
}

func TestKeySetAnswers(t *testing.T) {
	rows := []struct {
		claim  string
		answer func(*http.Request) (*http.Response, error)
		reason authcode.Reason
		check  string
	}{
		{"a web page is refused", always(200, "text/html", "<html>"), authcode.BadAnswer, "jwks.form"},
		{"no keys are refused", always(200, "", "{}"), authcode.BadAnswer, "jwks.form"},
		{"keys that are an object are refused", always(200, "", `{"keys":{}}`), authcode.BadAnswer, "jwks.form"},
		{"keys that are null are refused", always(200, "", `{"keys":null}`), authcode.BadAnswer, "jwks.form"},
		{"keys twice are refused", always(200, "", `{"keys":[],"keys":[]}`), authcode.BadAnswer, "jwks.form"},
		{"more than 256 KiB is refused", always(200, "", `{"keys":["`+strings.Repeat("x", 256<<10)+`"]}`), authcode.BadAnswer, "jwks.size"},
		{"an error is reported", always(500, "", ""), authcode.BadAnswer, "jwks.status"},
		{"a missing set is reported", always(404, "", ""), authcode.BadAnswer, "jwks.missing"},
		{"a busy server is reported", always(503, "", ""), authcode.Overloaded, "jwks.status"},
		{"a redirect is not followed", redirectTo("https://op.example/keys2"), authcode.BadAnswer, "jwks.redirect"},
		{"no connection is reported", down, authcode.Unreachable, "jwks.unreachable"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			p.answer(memJWKS, row.answer)
			i := oidc.Provider(memIssuer)
			_, err := identify(t.Context(), i, p.login(p.token(nil)))
			wantError(t, err, row.reason, row.check)
			if strings.Contains(err.Error(), "connection refused") || p.requests("/keys2") > 0 {
				t.Errorf("%v; %d requests to the redirect's target", err, p.requests("/keys2"))
			}
			// A failure is not repeated at once.
			_, err = identify(t.Context(), i, p.login(p.token(nil)))
			wantError(t, err, row.reason, row.check)
			p.wantRequests(t, memJWKS, 1)
		})
	}
}

func redirectTo(target string) func(*http.Request) (*http.Response, error) {
	return func(*http.Request) (*http.Response, error) {
		resp := reply(302, "", "")
		resp.Header.Set("Location", target)
		return resp, nil
	}
}
