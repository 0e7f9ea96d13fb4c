package test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

func TestRefreshUsesTheFieldNotTheMember(t *testing.T) {
	w := world.New(t)
	w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
	token := *w.LastLogin().Token
	w.Server.SetFaults(authserver.Refresh, authserver.NoRotation())
	fresh, err := w.Client.Refresh(t.Context(), &token)
	if err != nil {
		t.Fatal(err)
	}
	if member := fresh.Extra("refresh_token"); member != token.RefreshToken {
		t.Errorf("the member is %q", member)
	}
	fresh.RefreshToken = "set-by-the-app"
	w.Server.SetFaults(authserver.Refresh,
		authserver.Answer(200, "application/json", `{"access_token":"a"}`))
	again, err := w.Client.Refresh(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	if again.RefreshToken != "set-by-the-app" || again.Extra("refresh_token") != "set-by-the-app" {
		t.Errorf("refresh token %q, member %q", again.RefreshToken, again.Extra("refresh_token"))
	}
}

func TestAFirewallsPageDoesNotEndAGrant(t *testing.T) {
	w := world.New(t)
	w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
	token := *w.LastLogin().Token
	token.Expiry = time.Now().Add(-time.Hour)
	source := w.Client.TokenSource(&token, nil)
	w.Server.SetFaults(authserver.Refresh,
		authserver.Answer(403, "text/html", "<h1>Forbidden</h1>"))
	if _, err := source.Token(t.Context()); !errors.Is(err, authcode.GrantRejected) {
		t.Fatalf("got %v", err)
	}
	w.Server.ClearFaults()
	if _, err := source.Token(t.Context()); err != nil {
		t.Errorf("after the firewall let go: %v", err)
	}
}

// TestMembersOfManyRefreshes: a server that sends other members with each refresh
// does not make the token grow. The ID token is kept for a logout.
func TestMembersOfManyRefreshes(t *testing.T) {
	n := 0
	p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		n++
		member := fmt.Sprintf(`,"m%d":"%s"}`, n, strings.Repeat("x", 100<<10))
		if n == 1 {
			member = `,"id_token":"the-first","z":"kept"}`
		}
		return world.Reply(200, strings.TrimSuffix(world.TokenJSON, "}")+member), nil
	}}
	c := world.Client(t, p)
	token := world.Begin(t, c, nil).Finish(t, c).Token
	for range 6 {
		var err error
		if token, err = c.Refresh(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	text, err := authcode.MarshalToken(token)
	if err != nil || len(text) > 300<<10 {
		t.Errorf("after six refreshes the token has %d bytes (%v)", len(text), err)
	}
	if token.Extra("id_token") != "the-first" || token.Extra("z") != "kept" || token.Extra("m7") == nil {
		t.Error("the ID token, a small member or the newest one is gone")
	}
}
