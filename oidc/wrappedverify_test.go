package oidc_test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// TestVerifyThatLosesRules: the app's algorithms hold for logout tokens and
// introspection, even if a wrapped Verify does not see them.
func TestVerifyThatLosesRules(t *testing.T) {
	for alg, want := range map[string]bool{"ES256": true, "RS256": false} {
		p := newMemOP(alg)
		p.metadata["introspection_endpoint"] = "https://op.example" + memIntrospect
		i := oidc.Provider(memIssuer)
		verify := i.Verify
		i.Verify = func(ctx context.Context, conn *authcode.Connection, typ, text string) (map[string]any, error) {
			lost := *conn
			lost.Config.Provider.Algorithms, lost.Config.Algorithms = []string{alg}, nil
			return verify(ctx, &lost, typ, text)
		}
		c := newMemLogin(t, p, i, func(c *authcode.Config) { c.Algorithms = []string{"ES256"} })
		body := p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0),
			"token_introspection": members{"active": true}}, nil),
			members{"typ": "token-introspection+jwt"})
		p.answer(memIntrospect, always(200, "application/token-introspection+jwt", body))
		info, err := oidc.IntrospectSigned(t.Context(), c, "t", "")
		if accepted := err == nil && info.Active; accepted != want {
			t.Errorf("introspection by %s: accepted is %v, %v", alg, accepted, err)
		}
		h := oidc.BackChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error { return nil })
		rec := post(h, url.Values{"logout_token": {p.logoutToken(nil)}})
		if accepted := rec.Code == http.StatusOK; accepted != want {
			t.Errorf("logout token by %s: accepted is %v", alg, accepted)
		}
	}
}

// TestVerifyOfTheAppReturnsLittle: a logout token that names nobody, or another
// issuer, ends no session, whatever function has verified it.
func TestVerifyOfTheAppReturnsLittle(t *testing.T) {
	for name, row := range map[string]struct {
		claims map[string]any
		ended  int
	}{
		"another issuer":      {map[string]any{"iss": "https://evil.example", "sub": "alice"}, 0},
		"no issuer":           {map[string]any{"sub": "alice"}, 0},
		"neither sub nor sid": {map[string]any{"iss": memIssuer}, 0},
		"a person":            {map[string]any{"iss": memIssuer, "sub": "alice"}, 1},
		"a session":           {map[string]any{"iss": memIssuer, "sid": "s"}, 1},
	} {
		p := newMemOP("ES256")
		i := oidc.Provider(memIssuer)
		i.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
			return row.claims, nil
		}
		ended := 0
		h := oidc.BackChannelLogoutHandler(newMemLogin(t, p, i), func(context.Context, oidc.LogoutToken) error {
			ended++
			return nil
		})
		post(h, url.Values{"logout_token": {"x"}})
		if ended != row.ended {
			t.Errorf("%s: %d sessions ended, want %d", name, ended, row.ended)
		}
	}
}
