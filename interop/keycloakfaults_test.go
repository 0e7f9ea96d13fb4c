package interop

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// What goes wrong is told apart, and the log has Keycloak's own words: behind
// PAR, its error code alone says little.
func TestKeycloakRefuses(t *testing.T) {
	k := theKeycloak(t)
	wrongSecret := func(cfg *authcode.Config) { cfg.ClientAuth = authcode.Secret("wrong") }
	withoutPAR := func(cfg *authcode.Config) { cfg.DisablePAR = true }
	for _, row := range []struct {
		name, client string
		changes      []func(*authcode.Config)
		reason       authcode.Reason
		check, words string
	}{
		{"wrong secret", "client_secret_basic", []func(*authcode.Config){wrongSecret},
			authcode.Configuration, "par.configuration", "Authentication failed."},
		{"wrong secret without PAR", "client_secret_basic",
			[]func(*authcode.Config){wrongSecret, withoutPAR},
			authcode.Configuration, "answer.configuration",
			"Invalid client or Invalid client credentials"},
		{"another redirect URI", keycloakElsewhere, nil,
			authcode.Configuration, "par.configuration", "Invalid parameter: redirect_uri"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, me := keycloakClientOf(t, row.client).app(t, k, row.changes...), newPerson(t)
			first := me.visit(a.url + "/login")
			if strings.HasPrefix(first.url.String(), k.outer) {
				signInAtKeycloak(me, first)
			}
			got := a.outcome()
			if !errors.Is(got.err, row.reason) || got.err.Check != row.check {
				t.Fatalf("%v, want %s by %s", got.err, row.reason, row.check)
			}
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Error("no login", "err", got.err,
				"provider_said", got.err.ServerError+" "+got.err.ServerDescription)
			if !strings.Contains(log.String(), row.words) {
				t.Errorf("the log has no %q: %s", row.words, &log)
			}
		})
	}
}

// A person who says no is told so.
func TestKeycloakDenied(t *testing.T) {
	k := theKeycloak(t)
	a, me := keycloakClientOf(t, "consent").app(t, k), newPerson(t)
	me.press(signInAtKeycloak(me, me.visit(a.url+"/login")), "kc-cancel")
	if got := a.outcome(); got.login != nil || !errors.Is(got.err, authcode.Denied) {
		t.Errorf("%v, want denied", got.err)
	}
}

// A logout at Keycloak reaches the app over a request of Keycloak's own.
func TestKeycloakBackChannelLogout(t *testing.T) {
	k := theKeycloak(t)
	a, me := keycloakClientOf(t, keycloakLeaver).app(t, k), newPerson(t)
	told := make(chan oidc.LogoutToken, 8)
	var answer http.Handler = oidc.BackChannelLogoutHandler(a.client,
		func(_ context.Context, who oidc.LogoutToken) error {
			told <- who
			return nil
		})
	k.answer.Store(&answer)
	t.Cleanup(func() { k.answer.Store(nil) })
	login := atKeycloak(t, a, me)
	raw, _ := login.Token.Extra("id_token").(string)
	address, err := oidc.LogoutURL(t.Context(), a.client,
		oidc.Logout{IDToken: raw, ReturnURL: a.url + "/logged-out"})
	if err != nil {
		t.Fatal(err)
	}
	if end := me.visit(address); end.url.String() != a.url+"/logged-out" {
		t.Errorf("signed out at %s:\n%s", end.url, end.body)
	}
	select {
	case who := <-told:
		sid, _ := login.Identity.Claims["sid"].(string)
		if who.Issuer != login.Identity.Issuer || who.Subject != login.Identity.Subject ||
			who.SessionID != sid || sid == "" {
			t.Errorf("%+v, want the session %q of %+v", who, sid, login.Identity)
		}
	case <-time.After(patience):
		t.Error("the app was not told")
	}
}

// authcode try signs in, and authcode check reads the metadata and writes a
// program that signs in.
func TestKeycloakTool(t *testing.T) {
	k := theKeycloak(t)
	issuer := k.outer + "/realms/acme%20staff"
	t.Run("try", func(t *testing.T) {
		w := &world{name: "keycloak"}
		w.app = startTry(t, keycloakSecret, append([]string{
			"-name", w.name, "-issuer", issuer, "-client-id", "client_secret_basic",
		}, withCertificate(t)...)...)
		me := newPerson(t)
		end := signInAtKeycloak(me, me.visit(w.start()))
		if end.status != http.StatusOK || !strings.Contains(end.body, "Name of alice") {
			t.Errorf("the login ends at %s with %d:\n%s", end.url, end.status, end.body)
		}
	})
	t.Run("check", func(t *testing.T) {
		address, me := freeAddress(t), newPerson(t)
		base := https(t, address)
		authority, _ := theCertificate(t).files(t)
		got := check(t, issuer, "-ca-file", authority)
		runProgram(t, got.Program, address, "BASE_URL="+base, "CA_FILE="+authority,
			"CLIENT_ID=client_secret_basic", "CLIENT_SECRET="+keycloakSecret)
		end := signInAtKeycloak(me, me.visit(base+"/login"))
		if !strings.HasPrefix(end.body, "signed in: ") || !strings.Contains(end.body, issuer) {
			t.Errorf("the login ends at %s with %d:\n%s", end.url, end.status, end.body)
		}
	})
}
