package oidc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"example.com/authcode/oidc"
)

// TestLogoutPrintsNoToken: an app that logs what it was about to do reveals no ID token.
func TestLogoutPrintsNoToken(t *testing.T) {
	l := oidc.Logout{IDToken: "canary", Hint: "canary", ReturnURL: "https://app.example/canary"}
	inside := struct {
		L  oidc.Logout
		P  *oidc.Logout
		Ls []oidc.Logout
		Ps []*oidc.Logout
	}{l, &l, []oidc.Logout{l}, []*oidc.Logout{&l}}
	for _, v := range []any{l, &l, inside, &inside, []oidc.Logout{l}, map[string]*oidc.Logout{"l": &l}} {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "l", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "l", v)
		encoded, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		shown := fmt.Sprintf("%v %+v %#v %s %q %d %x", v, v, v, v, v, v, v) + log.String() + string(encoded)
		if strings.Contains(shown, "canary") || strings.Contains(shown, fmt.Sprintf("%x", "canary")) {
			t.Errorf("%T shows the token: %s", v, shown)
		}
	}
	if got := fmt.Sprintf("%v %+v %#v", l, l, l); got != "REDACTED REDACTED REDACTED" {
		t.Errorf("got %s", got)
	}
}
