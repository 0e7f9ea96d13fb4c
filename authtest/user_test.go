package authtest_test

import (
	"reflect"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

func TestUsers(t *testing.T) {
	dana := authtest.User{
		Subject: "dana-1", Name: "Dana", Email: "dana@example.com", Picture: "https://example.com/dana.png",
		Claims: map[string]any{"groups": []string{"admin", "staff"}, "level": 3, "name": "Dana Claims"},
	}
	erin := authtest.User{Subject: "erin-2", Email: "erin@example.com", EmailVerified: true}
	want := map[string]map[string]any{
		"dana-1": {
			"name": "Dana Claims", "email": "dana@example.com", "email_verified": false, "level": "3",
			"picture": "https://example.com/dana.png", "groups": []any{"admin", "staff"},
		},
		"erin-2": {"email": "erin@example.com", "email_verified": true, "groups": nil},
	}
	for _, opts := range [][]oidc.Option{nil, {oidc.UserInfo()}} {
		a := newApp(t, "https", func(a *app) { a.cfg.Provider = oidc.Provider(a.srv.URL, opts...) }, dana, erin)
		for i, subject := range []string{"dana-1", "erin-2", "dana-1"} {
			if i > 0 { // the first user signs in unless the test says otherwise
				a.srv.SetUser(subject)
			}
			login := a.signIn()
			if login == nil || login.Identity.Subject != subject {
				t.Fatalf("got %v, want %s", login, subject)
			}
			for name, value := range want[subject] {
				got := login.Identity.Claims[name]
				if n, ok := got.(interface{ String() string }); ok {
					got = n.String()
				}
				if !reflect.DeepEqual(got, value) {
					t.Errorf("%s of %s is %v (%T), want %v", name, subject, got, got, value)
				}
			}
		}
	}
}

// TestScopes: claims of a scope that the app has not asked for are not told;
// Claims always are.
func TestScopes(t *testing.T) {
	a := newApp(t, "http", func(a *app) { a.cfg.Scopes = []string{"openid"} },
		authtest.User{Subject: "1", Name: "N", Email: "n@example.com", Claims: map[string]any{"hd": "example.com"}})
	claims := a.signIn().Identity.Claims
	if claims["name"] != nil || claims["email"] != nil || claims["hd"] != "example.com" {
		t.Errorf("got %v", claims)
	}
}

func TestDefaultUsers(t *testing.T) {
	a := newApp(t, "http", nil)
	for i, want := range []authcode.Identity{
		{Subject: "alice", Email: "alice@example.com", EmailVerified: true},
		{Subject: "bob", Email: "bob@example.com", EmailVerified: true},
		{Subject: "carol", Email: "carol@example.com"},
	} {
		if i > 0 {
			a.srv.SetUser(want.Subject)
		}
		got := a.signIn().Identity
		if got.Subject != want.Subject || got.Email != want.Email || got.EmailVerified != want.EmailVerified {
			t.Errorf("got %s %s %v", got.Subject, got.Email, got.EmailVerified)
		}
	}
}
