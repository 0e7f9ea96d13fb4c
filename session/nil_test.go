package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/authcode/session"
)

// TestNilSession: outside a guard, every method says what is wrong.
func TestNilSession(t *testing.T) {
	s, ctx := session.FromContext(t.Context()), t.Context()
	for name, call := range map[string]func(){
		"Identity": func() { s.Identity() }, "Account": func() { s.Account() }, "Provider": func() { s.Provider() },
		"Handle": func() { s.Handle() }, "SignedIn": func() { s.SignedIn() }, "Ends": func() { s.Ends() },
		"Grant": func() { s.Grant() }, "Token": func() { s.Token(ctx) }, "APIClient": func() { s.APIClient(ctx) },
		"Value": func() { s.Value("k") }, "SetValue": func() { s.SetValue(ctx, "k", "v") }, "Keep": func() { s.Keep(ctx) },
		"IsFresh": func() { s.IsFresh(session.Freshness{MaxAge: time.Minute}) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, "put the route behind Require") {
					t.Errorf("%s panics with %s", name, text)
				}
			}()
			call()
		}()
	}
}
