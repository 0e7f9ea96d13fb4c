package test

import (
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestBlankAccessTokenIsNone: the answer of a real server over a socket.
func TestBlankAccessTokenIsNone(t *testing.T) {
	for claim, fault := range map[string]authserver.Fault{
		"one blank in JSON":    authserver.Set("access_token", `" "`),
		"many blanks in JSON":  authserver.Set("access_token", `"     "`),
		"an escaped blank":     authserver.Set("access_token", `"\u0020"`),
		"a blank in a form":    authserver.Answer(200, formType, "access_token=+&token_type=bearer"),
		"two blanks in a form": authserver.Answer(200, formType, "access_token=%20%20"),
	} {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			b := w.Browser()
			callback := b.Callback("")
			w.Server.SetFaults(authserver.Token, fault)
			w.WantFailure(b.Get(callback), authcode.BadAnswer, "token.access_token")
			if len(w.Logins()) != 0 {
				t.Error("somebody was signed in")
			}
		})
	}
}

// TestBlankTokensOfAnApp: what an app has stored, or made by itself.
func TestBlankTokensOfAnApp(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p)
	_, err := c.Refresh(t.Context(), &oauth2.Token{AccessToken: "at", RefreshToken: "  "})
	world.WantError(t, err, authcode.GrantRejected, "refresh.none")
	err = c.Revoke(t.Context(), &oauth2.Token{AccessToken: "  ", RefreshToken: " "})
	world.WantError(t, err, authcode.Malformed, "token.none")
	_, err = authcode.MarshalToken(&oauth2.Token{AccessToken: "  ", RefreshToken: "rt"})
	world.WantError(t, err, authcode.Malformed, "token.none")
	_, err = authcode.UnmarshalToken([]byte(`{"access_token":"  ","refresh_token":"rt"}`))
	world.WantError(t, err, authcode.Malformed, "token.stored")
	p.WantRequests(t, 0)

	if err := c.Revoke(t.Context(), &oauth2.Token{AccessToken: "at", RefreshToken: " "}); err != nil {
		t.Fatal(err)
	}
	if form := p.Requests()[0].Form; form.Get("token") != "at" ||
		form.Get("token_type_hint") != "access_token" {
		t.Errorf("revoked %v instead of the access token", form)
	}
}

// TestBlankRefreshTokenIsNone: it neither replaces the old one nor looks like a
// grant.
func TestBlankRefreshTokenIsNone(t *testing.T) {
	p := world.Answering(200, `{"access_token":"at-1","refresh_token":"  "}`)
	c := world.Client(t, p)
	if token := world.Begin(t, c, nil).Finish(t, c).Token; token.RefreshToken != "" {
		t.Errorf("a login has the refresh token %q", token.RefreshToken)
	}
	fresh, err := c.Refresh(t.Context(), world.Expired())
	world.WantToken(t, fresh, err, "at-1")
	if err == nil && fresh.RefreshToken != "rt-0" {
		t.Errorf("the refresh token became %q", fresh.RefreshToken)
	}
}

// TestTokenSourceRefreshesABlankToken: it is not a valid one, whatever its
// expiry.
func TestTokenSourceRefreshesABlankToken(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		blank := &oauth2.Token{
			AccessToken: "  ", RefreshToken: "rt-0", Expiry: time.Now().Add(time.Hour),
		}
		token, err := world.Client(t, world.Rotating()).TokenSource(blank, nil).Token(t.Context())
		world.WantToken(t, token, err, "at-1")
	})
}
