package test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestForbiddenWithoutWords: a bare 403 of the token endpoint is about the
// credentials. With a body it says something else.
func TestForbiddenWithoutWords(t *testing.T) {
	for body, reason := range map[string]authcode.Reason{
		"": authcode.Configuration, " \n": authcode.Configuration,
		"{}": authcode.GrantRejected, "<html>": authcode.GrantRejected,
	} {
		p := world.Answering(403, body)
		c := world.Client(t, p)
		check := "answer.error"
		if reason == authcode.Configuration {
			check = "answer.configuration"
		}
		_, err := world.Begin(t, c, nil).Exchange(c)
		login := world.WantError(t, err, reason, check)
		refresh := world.WantError(t, world.Refresh(t, p), reason, check)
		for _, e := range []*authcode.Error{login, refresh} {
			named := strings.Contains(e.Error(), "check ClientID and the secret")
			if named != (reason == authcode.Configuration) || e.Final {
				t.Errorf("%q: got %v, Final %t", body, e, e.Final)
			}
		}
	}
	// Revocation has other reasons to answer 403.
	p := world.Answering(403, "")
	err := world.Client(t, p).Revoke(t.Context(), &oauth2.Token{AccessToken: "at"})
	world.WantError(t, err, authcode.BadAnswer, "answer.error")
	// Glewlwyd's PAR endpoint answers like this if the secret is wrong, and if
	// the redirect URI is.
	_, _, err = world.Start(world.Client(t, p, world.Pushing, demandsPAR))
	e := world.WantError(t, err, authcode.Configuration, "par.configuration")
	for _, field := range []string{"ClientID and the secret", "Config.RedirectURL", "RequirePAR"} {
		if !strings.Contains(e.Error(), field) {
			t.Errorf("%q does not name %s", e, field)
		}
	}
}

// TestInvalidScopeNamesTheScopes: wherever the provider refuses the scopes, the
// error says which ones the login requested.
func TestInvalidScopeNamesTheScopes(t *testing.T) {
	const refused = `{"error":"invalid_scope"}`
	scopes := authcode.Scopes("openid", "https://api.example/all")
	const says = `scopes "openid https://api.example/all"`
	p := world.Answering(400, refused)
	c := world.Client(t, p)

	_, err := world.Begin(t, c, nil, scopes).Exchange(c, "code", "", "error", "invalid_scope")
	e := world.WantError(t, err, authcode.Configuration, "authorization.error")
	if !strings.Contains(e.Error(), says) {
		t.Errorf("callback: got %v", e)
	}
	_, err = world.Begin(t, c, nil, scopes).Exchange(c)
	e = world.WantError(t, err, authcode.Configuration, "answer.configuration")
	if !strings.Contains(e.Error(), says) {
		t.Errorf("token endpoint: got %v", e)
	}
	_, _, err = world.Start(world.Client(t, p, world.Pushing), scopes)
	e = world.WantError(t, err, authcode.Configuration, "par.configuration")
	if !strings.Contains(e.Error(), says) {
		t.Errorf("PAR: got %v", e)
	}
	// Other errors have nothing to do with them.
	_, err = world.Begin(t, c, nil, scopes).Exchange(c, "code", "", "error", "invalid_request")
	if strings.Contains(err.Error(), "openid") {
		t.Errorf("got %v", err)
	}
	many := strings.Split(strings.Repeat("long-scope ", 99)+"last", " ")
	_, _, err = world.Start(world.Client(t, p, world.Pushing), authcode.Scopes(many...))
	if strings.Contains(err.Error(), "last") || len(err.Error()) > 1000 {
		t.Errorf("got %v", err)
	}
}

// TestNoRefreshToken: the error says how to get one.
func TestNoRefreshToken(t *testing.T) {
	p := new(world.Provider)
	_, err := world.Client(t, p).Refresh(t.Context(), &oauth2.Token{AccessToken: "at"})
	e := world.WantError(t, err, authcode.GrantRejected, "refresh.none")
	if !strings.Contains(e.Error(), "offline_access") || !e.Final {
		t.Errorf("got %v, Final %t", e, e.Final)
	}
	p.WantRequests(t, 0)
}
