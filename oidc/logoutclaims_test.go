package oidc_test

import (
	"encoding/json"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// withClaims makes a logout token with these claims.
func withClaims(changes members) func(*memOP) string {
	return func(p *memOP) string { return p.logoutToken(changes) }
}

type logoutRow struct {
	claim string
	make  func(*memOP) string
	check string
}

// logoutTexts are logout tokens that differ in whom they name and in how they
// are signed.
func logoutTexts() []logoutRow {
	return []logoutRow{
		{"a good token is accepted", withClaims(nil), ""},
		{"a session alone is enough", withClaims(members{"sub": nil}), ""},
		{"a subject alone is enough", withClaims(members{"sid": nil}), ""},
		{"neither is refused", withClaims(members{"sub": nil, "sid": nil}), "logout_token.sub"},
		{"empty ones are refused", withClaims(members{"sub": "", "sid": ""}), "logout_token.sub"},
		{"a session that is a number is refused", withClaims(members{"sid": 1}), "logout_token.sub"},
		{"no token is refused", func(*memOP) string { return "" }, "logout_token.missing"},
		{"what is no token is refused", func(*memOP) string { return "x.y" }, "logout_token.form"},
		{"a stranger's signature is refused", func(p *memOP) string {
			return newKey("RS256", "x").sign(payload(p.logoutClaims(), nil), members{"kid": "k1"})
		}, "logout_token.signature"},
		{"alg none is refused", func(p *memOP) string {
			return cut(p.key.sign(payload(p.logoutClaims(), nil), members{"alg": "none"}), 2) + "."
		}, "logout_token.alg"},
		{"an ID token by its typ is refused", func(p *memOP) string {
			return p.key.sign(payload(p.logoutClaims(), nil), members{"typ": "id+jwt"})
		}, "logout_token.typ"},
		{"the long form of typ is accepted", func(p *memOP) string {
			return p.key.sign(payload(p.logoutClaims(), nil), members{"typ": "application/logout+jwt"})
		}, ""},
		{"typ JWT is accepted", func(p *memOP) string { return p.key.sign(payload(p.logoutClaims(), nil), nil) }, ""},
	}
}

// logoutClaims are logout tokens with other claims.
func logoutClaims() []logoutRow {
	return []logoutRow{
		{"another issuer is refused", withClaims(members{"iss": "https://evil.example"}), "logout_token.iss"},
		{"another audience is refused", withClaims(members{"aud": "other"}), "logout_token.aud"},
		{"a stranger among the audiences is refused", withClaims(members{"aud": []string{memClient, "other"}}), "logout_token.aud"},
		{"no exp is accepted", withClaims(members{"exp": nil}), ""}, // Ory Hydra, LemonLDAP::NG, Glewlwyd
		{"without exp, a token of ten minutes ago is accepted", withClaims(members{"exp": nil, "iat": in(-655)}), ""},
		{"without exp, a token of more is refused", withClaims(members{"exp": nil, "iat": in(-662)}), "logout_token.iat"},
		{"neither exp nor iat is refused", withClaims(members{"exp": nil, "iat": nil}), "logout_token.iat"},
		{"an exp that is null is refused", withClaims(members{"exp": json.RawMessage("null")}), "logout_token.exp"},
		{"an exp that is a string is refused", withClaims(members{"exp": "9999999999"}), "logout_token.exp"},
		{"an expired token is refused", withClaims(members{"exp": in(-61)}), "logout_token.exp"},
		{"no iat is refused", withClaims(members{"iat": nil}), "logout_token.iat"},
		{"a token of the future is refused", withClaims(members{"iat": in(70)}), "logout_token.iat"},
		{"a token of ten minutes ago is accepted", withClaims(members{"iat": in(-655)}), ""},
		{"a token of more is refused, whatever its exp", withClaims(members{"iat": in(-662), "exp": in(1e9)}), "logout_token.iat"},
		{"an iat of long ago is refused", withClaims(members{"iat": -1e15}), "logout_token.iat"},
		{"an exp of the far future is accepted", withClaims(members{"exp": in(1e9)}), ""},
		{"no jti is refused", withClaims(members{"jti": nil}), "logout_token.jti"},
		{"an empty jti is refused", withClaims(members{"jti": ""}), "logout_token.jti"},
		{"no events are refused", withClaims(members{"events": nil}), "logout_token.events"},
		{"other events are refused", withClaims(members{"events": members{"https://x.example/event": members{}}}), "logout_token.events"},
		{"events in a list are refused", withClaims(members{"events": []string{"http://schemas.openid.net/event/backchannel-logout"}}), "logout_token.events"},
		{"an event that is no object is refused", withClaims(members{"events": members{"http://schemas.openid.net/event/backchannel-logout": true}}), "logout_token.events"},
		{"a nonce is refused", withClaims(members{"nonce": memNonce}), "logout_token.nonce"},
		{"a nonce that is null is refused", withClaims(members{"nonce": json.RawMessage("null")}), "logout_token.nonce"},
		{"an ID token is refused", func(p *memOP) string { return p.token(members{"jti": "j1"}) }, "logout_token.events"},
	}
}

// TestLogoutTokens: OpenID Connect Back-Channel Logout section 2.6.
func TestLogoutTokens(t *testing.T) {
	for _, row := range slices.Concat(logoutTexts(), logoutClaims()) {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			token := row.make(p)
			got, err := newLogoutApp(t, p).post(t, token)
			claims, bad := verify(t.Context(), oidc.Provider(memIssuer), p, "logout+jwt", token)
			if row.check != "" {
				wantError(t, err, authcode.IdentityRefused, row.check)
				wantError(t, bad, authcode.IdentityRefused, row.check)
				return
			}
			if err != nil || got.Issuer != memIssuer || got.ID != "j1" || got.Subject != "alice" && got.SessionID != "s1" {
				t.Errorf("got %+v, %v", got, err)
			}
			if _, dated := claims["iat"].(json.Number); bad != nil || claims["jti"] != "j1" || !dated {
				t.Errorf("Verify returns %v, %v", claims, bad)
			}
		})
	}
}
