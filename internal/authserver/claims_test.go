package authserver_test

import (
	"encoding/json"
	"testing"

	"example.com/authcode/internal/authserver"
)

// TestUserClaims: a user's further claims are in the ID token and at userinfo, in the place of what the
// fields say.
func TestUserClaims(t *testing.T) {
	x := newTester(t, authserver.Users(authserver.User{
		Subject: "1", Name: "Field", Email: "one@example.com",
		Claims: map[string]any{"name": "Claim", "groups": []string{"a", "b"}, "level": 3},
	}))
	tokens := x.redeem()
	_, idToken, _ := x.parts(tokens.text("id_token"))
	for where, claims := range map[string]map[string]any{
		"ID token": idToken, "userinfo": x.userinfo("Bearer " + tokens.text("access_token")).body,
	} {
		got, _ := json.Marshal([]any{claims["name"], claims["email"], claims["groups"], claims["level"]})
		if want := `["Claim","one@example.com",["a","b"],3]`; string(got) != want {
			t.Errorf("%s: got %s, want %s", where, got, want)
		}
	}
}

// TestWithout: the ID token of a login has a nonce, the one of a refresh has none.
func TestWithout(t *testing.T) {
	x := newTester(t)
	x.srv.SetFaults(authserver.IDToken, authserver.Set("sub", `"mallory"`).Without("nonce"))
	first := x.redeem()
	second := x.post("/token", "basic:s3cret", renewal(first.text("refresh_token")))
	for text, want := range map[string]string{first.text("id_token"): "alice", second.text("id_token"): "mallory"} {
		if _, claims, _ := x.parts(text); claims["sub"] != want {
			t.Errorf("sub is %v, want %s", claims["sub"], want)
		}
	}
}
