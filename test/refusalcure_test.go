package test

import (
	"strings"
	"testing"

	"example.com/authcode/test/world"
)

// TestRefusalCures: the text of a refusal names the field that mends it.
func TestRefusalCures(t *testing.T) {
	for code, cure := range map[string]string{
		"invalid_scope":                "Config.Scopes",
		"redirect_uri_mismatch":        "Config.RedirectURL",
		"invalid_dpop_proof":           "Config.Binding",
		"unsupported_grant_type":       "register the app for this grant type",
		"incorrect_client_credentials": "check ClientID and the secret first",
	} {
		p := world.Answering(400, `{"error":"`+code+`"}`)
		c := world.Client(t, p)
		_, err := world.Begin(t, c, nil).Exchange(c)
		if err == nil || !strings.Contains(err.Error(), cure) {
			t.Errorf("%s: %v, want %q in it", code, err, cure)
		}
	}
	c := world.Client(t, world.Answering(401, `{"error":"nobody_knows"}`))
	_, err := world.Begin(t, c, nil).Exchange(c)
	if err == nil || !strings.Contains(err.Error(), "check ClientID and the secret first") {
		t.Errorf("401: %v", err)
	}
}
