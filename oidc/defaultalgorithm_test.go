package oidc_test

import (
	"crypto"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// lists are the members of the metadata that name algorithms.
var lists = []string{
	"id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported",
	"authorization_signing_alg_values_supported", "introspection_signing_alg_values_supported",
}

// signers make the provider sign each kind of JWT that Verify opens.
var signers = map[string]func(*memOP) string{
	"logout_token": func(p *memOP) string { return p.logoutToken(nil) },
	"response":     func(p *memOP) string { return signedResponse(p, nil) },
	"introspection": func(p *memOP) string {
		return p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": members{"active": true}}, nil),
			members{"typ": "token-introspection+jwt"})
	},
}

// typesOfJWTs are the types by which Verify is asked for these.
var typesOfJWTs = map[string]string{
	"logout_token": "logout+jwt", "response": responseType,
	"introspection": "token-introspection+jwt",
}

// openKind makes p sign a JWT of this kind, and i open it.
func openKind(t *testing.T, kind string, i authcode.Provider, p *memOP) error {
	var err error
	switch kind {
	case "id_token":
		_, err = identify(t.Context(), i, p.login(p.token(nil)))
	case "userinfo":
		p.answer(memUserInfo, always(200, "application/jwt", p.key.sign(payload(p.info, nil), nil)))
		i.Identity = oidc.Provider(memIssuer, oidc.UserInfo()).Identity
		token := newKey("RS256", "own").sign(payload(p.claims(), nil), nil)
		_, err = identify(t.Context(), i, p.login(token))
	default:
		_, err = verify(t.Context(), i, p, typesOfJWTs[kind], signers[kind](p))
	}
	return err
}

// TestDefaultAlgorithm: without a pin RS256 is admitted for every kind of JWT, and nothing else,
// whatever the metadata lists. A pin admits what it names. The refusal says what was seen and which
// field admits it.
func TestDefaultAlgorithm(t *testing.T) {
	for _, alg := range []string{"RS256", "PS256", "ES256", "RS512", "EdDSA"} {
		for _, kind := range []string{"id_token", "userinfo", "logout_token", "response", "introspection"} {
			t.Run(alg+" "+kind, func(t *testing.T) {
				p := newMemOP(alg)
				p.keys = append(p.keys, newKey("RS256", "own").jwk(nil))
				for _, list := range lists {
					p.metadata[list] = []string{alg, "RS256"}
				}
				err := openKind(t, kind, oidc.Provider(memIssuer), p)
				if alg == "RS256" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				reason := authcode.IdentityRefused
				if kind == "response" {
					reason = authcode.Forged
				}
				wantError(t, err, reason, kind+".alg")
				for _, word := range []string{"with " + alg + ",", "RS256", "Provider.Algorithms", "Config.Algorithms"} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%q does not say %q", err, word)
					}
				}
				if err := openKind(t, kind, pinned(oidc.Provider(memIssuer), alg, "RS256"), p); err != nil {
					t.Errorf("pinned: %v", err)
				}
			})
		}
	}
}

// TestAlgorithmNames: an error names the algorithm of a header only if it is a registered one.
func TestAlgorithmNames(t *testing.T) {
	for alg, says := range map[string]string{
		"none": "with none,", "HS256": "with HS256,", "ES256K": "with ES256K,", "ML-DSA-44": "with ML-DSA-44,",
		"canary": "with an unregistered algorithm,", "ES256\ncanary": "with an unregistered algorithm,", "": "with an unregistered algorithm,",
	} {
		for _, pins := range [][]string{nil, {"RS256"}} {
			p := newMemOP("RS256")
			token := p.key.sign(payload(p.claims(), nil), members{"alg": alg})
			_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), pins...), p.login(token))
			wantError(t, err, authcode.IdentityRefused, "id_token.alg")
			if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%q: %v does not say %s", alg, err, says)
			}
		}
	}
}

// TestNoAlgorithm: a list that admits nothing does not stand for the default. New refuses it, but an app may
// call Identity without a Client.
func TestNoAlgorithm(t *testing.T) {
	for _, pins := range [][]string{{}, {"HS256"}, {"none"}} {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		i.Algorithms = pins
		_, err := identify(t.Context(), i, p.login(p.token(nil)))
		wantError(t, err, authcode.IdentityRefused, "id_token.alg")
	}
}

// TestEd25519: EdDSA and Ed25519 are names of one algorithm (RFC 9864), in pins, in keys and in headers.
func TestEd25519(t *testing.T) {
	for _, alg := range []string{"EdDSA", "Ed25519"} {
		for _, pin := range []string{"EdDSA", "Ed25519"} {
			for _, ofKey := range []any{nil, "EdDSA", "Ed25519"} {
				p := newMemOP("EdDSA")
				p.keys = []members{p.key.jwk(members{"alg": ofKey})}
				i, header := pinned(oidc.Provider(memIssuer), pin), members{"alg": alg}
				token := p.key.sign(payload(p.claims(), members{"at_hash": leftHash(crypto.SHA512, memAccess)}), header)
				wantIdentity(t, i, p.login(token))
				if _, err := verify(t.Context(), i, p, responseType, signedResponse(p, nil, header)); err != nil {
					t.Errorf("%s by a pin of %s: %v", alg, pin, err)
				}
				_, err := identify(t.Context(), i, p.login(namesake("EdDSA").sign(payload(p.claims(), nil), header)))
				wantError(t, err, authcode.IdentityRefused, "id_token.signature")
				// The new name is for no other key.
				p.keys = []members{namesake("RS256").jwk(members{"alg": nil}), namesake("ES256").jwk(members{"alg": nil})}
				_, err = identify(t.Context(), pinned(oidc.Provider(memIssuer), pin), p.login(token))
				wantError(t, err, authcode.IdentityRefused, "jwks.key")
				_, err = identify(t.Context(), pinned(oidc.Provider(memIssuer), "ES256"), p.login(token))
				wantError(t, err, authcode.IdentityRefused, "id_token.alg")
				if !strings.Contains(err.Error(), "with "+alg+",") || !strings.Contains(err.Error(), "for ES256, ") {
					t.Error(err)
				}
			}
		}
	}
	p := newMemOP("ES256")
	p.keys = []members{newKey("EdDSA", "k1").jwk(members{"alg": nil})}
	_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), "EdDSA"), p.login(p.token(nil)))
	wantError(t, err, authcode.IdentityRefused, "id_token.alg")
	_, err = identify(t.Context(), pinned(oidc.Provider(memIssuer), "ES256"), p.login(p.token(nil)))
	wantError(t, err, authcode.IdentityRefused, "jwks.key")
}
