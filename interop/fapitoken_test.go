package interop

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// stored is a token after it was written and read back.
func stored(t testing.TB, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	data, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	read, err := authcode.UnmarshalToken(data)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// Nonces that the server has forgotten cost one more request, where they were used.
func TestFAPIForgottenNonces(t *testing.T) {
	o := theFAPIProvider(t, true)
	a := newFAPIApp(t, o, jwtDPoP, fapiSetup{})
	token := a.signIn(t).Token
	a.usable(t, token)
	o.rotate(t)
	before := o.counts(t)
	token, err := a.client.Refresh(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	if got := o.since(t, before)["POST /token"]; got != 2 {
		t.Errorf("%d token requests, want 2", got)
	}
	before = o.counts(t)
	for range 2 {
		if status, body := a.userinfo(t, token); status != http.StatusOK {
			t.Errorf("the API answers %d: %s", status, body)
		}
	}
	if got := o.counts(t)["GET /me"] - before["GET /me"]; got != 3 {
		t.Errorf("%d requests for two API calls, want 3", got)
	}
}

// Each login has a key of its own, which every instance finds again.
func TestFAPIKeyPerSession(t *testing.T) {
	secret := newKey()
	a := newFAPIApp(t, theFAPIProvider(t, true), jwtDPoP, fapiSetup{change: func(_ *fapiClient, cfg *authcode.Config) {
		cfg.Binding = dpop.PerSession(secret)
	}})
	one, two := a.signIn(t).Token, a.signIn(t).Token
	if a.bound(t, one) == a.bound(t, two) {
		t.Error("two logins have the same key")
	}
	other := a.instance(t, dpop.PerSession(newKey(), secret))
	other.usable(t, stored(t, one))
	fresh, err := other.client.Refresh(t.Context(), stored(t, two))
	if err != nil {
		t.Fatal(err)
	}
	a.usable(t, stored(t, fresh))
	if a.bound(t, fresh) != a.bound(t, two) {
		t.Error("the refresh changed the key")
	}
}

// A DPoP key is replaced while tokens are about, and then dropped.
func TestFAPIKeyRotation(t *testing.T) {
	was, is := newSigner(t, "ES256"), newSigner(t, "EdDSA")
	a := newFAPIApp(t, theFAPIProvider(t, false), jwtDPoP, fapiSetup{change: func(_ *fapiClient, cfg *authcode.Config) {
		cfg.Binding = dpop.New(was)
	}})
	token := stored(t, a.signIn(t).Token)
	a.instance(t, dpop.New(is, was)).usable(t, token)

	// Without the key the access token is lost, and the refresh token of a client that authenticates is not.
	after := a.instance(t, dpop.New(is))
	fresh, err := after.client.Refresh(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	after.usable(t, stored(t, fresh))
	if after.bound(t, fresh) == after.bound(t, token) {
		t.Error("the new token is bound to the old key")
	}
}

// A certificate is renewed: the old access token needs the old one, a refresh brings one for the new.
func TestFAPICertificateRotation(t *testing.T) {
	for _, kind := range []fapiKind{jwtBound, tlsBound} {
		t.Run(kind.String(), func(t *testing.T) {
			var current atomic.Pointer[tls.Certificate]
			a := newFAPIApp(t, theFAPIProvider(t, false), kind, fapiSetup{change: func(c *fapiClient, cfg *authcode.Config) {
				first := c.certificate
				current.Store(&first)
				cfg.Certificate = func(context.Context) (*tls.Certificate, error) { return current.Load(), nil }
			}})
			token := a.signIn(t).Token
			a.usable(t, token)
			second := issued(t, template(kind.String(), x509.ExtKeyUsageClientAuth))
			a.certificate = second
			current.Store(&second)
			if status, body := a.userinfo(t, token); status != http.StatusUnauthorized {
				t.Errorf("the API answers %d to the old token with the new certificate: %s", status, body)
			}
			fresh, err := a.client.Refresh(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			a.usable(t, fresh)
			if got := a.bound(t, fresh); got != clientauth.Thumbprint(a.certificate) {
				t.Errorf("the new token is bound to %s, which is not the new certificate", got)
			}
		})
	}
}

const (
	accounts = "https://accounts.example.test/"
	payments = "https://payments.example.test/"
)

// Rights in detail, for two APIs, under a stated class of authentication: what was asked for is granted and
// reported, whether the request is signed or not.
func TestFAPIDetails(t *testing.T) {
	t.Run("plain", func(t *testing.T) { grantsDetails(t, nil, nil) })
	t.Run("signed", func(t *testing.T) { grantsDetails(t, signed("ES256"), signs) })
}

func grantsDetails(t *testing.T, metadata map[string]any, change func(*fapiClient, *authcode.Config)) {
	o := theFAPIProvider(t, false)
	a := newFAPIApp(t, o, jwtDPoP, fapiSetup{metadata: metadata, change: func(c *fapiClient, cfg *authcode.Config) {
		cfg.Provider.Identity = oidc.Provider(o.issuer).Identity // without userinfo, which the token is not for
		if change != nil {
			change(c, cfg)
		}
	}})
	a.start = "/pay"
	a.handle(a.start, a.client.LoginHandler(
		authcode.Scopes("openid", "offline_access", "accounts"),
		authcode.Param("resource", accounts, payments),
		authcode.Param("authorization_details", `[{"type":"payment","amount":"120"}]`),
		authcode.Param("acr_values", "urn:example:gold urn:example:silver"), authcode.Param("max_age", "300"),
	))
	login := a.signIn(t)
	token, who := login.Token, login.Identity
	if who.Claims["acr"] != "urn:example:gold" || who.Claims["auth_time"] == nil {
		t.Errorf("signed in by %v at %v, want gold", who.Claims["acr"], who.Claims["auth_time"])
	}
	want := map[string]any{"type": "payment", "amount": "120"}
	info := a.introspect(t, token.AccessToken)
	for _, got := range []any{token.Extra("authorization_details"), info.Claims["authorization_details"]} {
		if list, _ := got.([]any); len(list) != 1 || !reflect.DeepEqual(list[0], want) {
			t.Errorf("granted: %v, want %v", got, want)
		}
	}
	if info.Claims["aud"] != accounts || !slices.Equal(info.Scopes, []string{"accounts"}) {
		t.Errorf("the token is for %v with scopes %q", info.Claims["aud"], info.Scopes)
	}
}
