package grant_test

import (
	"testing"

	"example.com/authcode"
)

// TestInfoHasIDToken: the ID token is that of the newest answer which has one.
func TestInfoHasIDToken(t *testing.T) {
	a := newApp(t)
	g, l := a.instance(t), login()
	var err error
	if l.Token, err = authcode.UnmarshalToken([]byte(
		`{"access_token":"at-0","refresh_token":"rt-0","answer":{"id_token":"e30.e30.c2ln"}}`)); err != nil {
		t.Fatal(err)
	}
	info, err := g.Handle(a.save(t, g, l)).Info(t.Context())
	if err != nil || info.IDToken != "e30.e30.c2ln" {
		t.Errorf("Info: %v, ID token %q", err, info.IDToken)
	}
}
