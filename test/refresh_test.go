package test

import (
	"errors"
	"net/http"
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
