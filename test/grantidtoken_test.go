package test

import (
	"errors"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// renewedIDs are answers to a renewal.
var renewedIDs = map[string]struct {
	at    authserver.Place
	fault authserver.Fault
	check string // of the renewal, "" for none
	ends  bool
}{
	"another sub":        {authserver.IDToken, authserver.Set("sub", `"bob"`), "refresh.sub", true},
	"another auth_time":  {authserver.IDToken, authserver.Set("auth_time", "4000000000"), "", false},
	"another iss":        {authserver.IDToken, authserver.Set("iss", `"https://x.example"`), "id_token.iss", true},
	"another aud":        {authserver.IDToken, authserver.Set("aud", `"x"`), "id_token.aud", true},
	"by another key":     {authserver.IDToken, authserver.OtherKey(), "id_token.signature", false},
	"no keys":            {authserver.JWKS, authserver.HTMLError(), "", false},
	"no ID token":        {authserver.Refresh, authserver.Drop("id_token"), "", false},
	"no refresh token":   {authserver.Refresh, authserver.Drop("refresh_token"), "", false},
	"the same one":       {authserver.Refresh, authserver.NoRotation(), "", false},
	"fewer scopes":       {authserver.Refresh, authserver.Set("scope", `"openid"`), "", false},
	"another token type": {authserver.Refresh, authserver.Set("token_type", `"mac"`), "token.token_type", false},
	"a new claim":        {authserver.IDToken, authserver.Set("department", `"x"`), "", false},
	"no fault":           {authserver.IDToken, authserver.Set("x", "1"), "", false},
}

// TestGrantIDTokens: what the answer to a renewal says about the person (OpenID
// Connect Core section 12.2). An ID token of another login ends the grant, one
// that cannot be checked now is checked later.
func TestGrantIDTokens(t *testing.T) {
	t.Parallel()
	for claim, c := range renewedIDs {
		t.Run(claim, func(t *testing.T) {
			w := world.New(t, func(c *config) {
				c.Provider = oidc.Provider(c.Provider.Issuer)
				c.Provider.Algorithms = []string{"ES256"}
			})
			w.Server.SetFaults(authserver.IDToken, authserver.Set("auth_time", "1800000000"))
			w.Browser().SignIn("")
			w.Server.ClearFaults()
			g := keeping(t, newTable(), w.Client, 'g')
			id, err := g.Save(t.Context(), w.Client, w.LastLogin())
			if err != nil {
				t.Fatal(err)
			}
			w.Server.SetFaults(c.at, c.fault)
			_, err = g.Handle(id).Renew(t.Context(), nil)
			var e *authcode.Error
			if c.check == "" && err != nil || c.check != "" && (!errors.As(err, &e) || e.Check != c.check) {
				t.Errorf("Renew: %v, want the check %q", err, c.check)
			}
			w.Server.ClearFaults()
			info, err := g.Handle(id).Info(t.Context())
			if errors.Is(err, authcode.GrantRejected) != c.ends {
				t.Errorf("Info: %v, want an end: %v", err, c.ends)
			}
			// A renewal is not a sign-in.
			before := w.LastLogin().Identity.Claims["auth_time"]
			if err == nil && (before == nil || info.Identity.Claims["auth_time"] != before) {
				t.Errorf("auth_time was %v, and is %v", before, info.Identity.Claims["auth_time"])
			}
		})
	}
}
