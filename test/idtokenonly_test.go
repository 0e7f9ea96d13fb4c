package test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// b2cToken is the answer of Azure AD B2C if openid alone was requested.
var b2cToken = `{"id_token":"` + world.JWT(`{"alg":"RS256"}`, `{"sub":"s"}`) + `","token_type":"Bearer",` +
	`"not_before":1796000000,"id_token_expires_in":3600,"scope":""}`

// knowsThePerson is an Identity that needs the ID token alone.
func knowsThePerson(c *config) {
	c.Provider.Identity = func(_ context.Context, resp *authcode.TokenResponse) (
		*authcode.Identity, error) {
		if resp.Token.Extra("id_token") == "refused" {
			return nil, errors.New("refused")
		}
		return &authcode.Identity{Issuer: world.Issuer, Subject: "s"}, nil
	}
}

// wantNewLogin: a token that lost its fields needs a new login.
func wantNewLogin(t *testing.T, c *authcode.Client, own oauth2.Token) {
	t.Helper()
	_, err := c.Refresh(t.Context(), new(oauth2.Token))
	world.WantError(t, err, authcode.GrantRejected, "refresh.none")
	own.AccessToken = "at"
	_, err = c.Refresh(t.Context(), &own)
	world.WantError(t, err, authcode.GrantRejected, "refresh.none")
}

// TestIDTokenOnly: with an identity, an answer without access token is a login.
// Whatever needs the token says so, and sends nothing.
func TestIDTokenOnly(t *testing.T) {
	p := world.Answering(200, b2cToken)
	c := world.Client(t, p, knowsThePerson)
	login := world.Begin(t, c, nil).Finish(t, c)
	id, _ := login.Token.Extra("id_token").(string)
	if login.Identity.Subject != "s" || login.Token.AccessToken != "" || id == "" ||
		len(login.Scopes) != 0 || login.Token.Valid() {
		t.Errorf("got %v with scopes %q", login.Identity, login.Scopes)
	}
	_, err := authcode.MarshalToken(login.Token)
	world.WantOutcome(t, err, authcode.Malformed, "token.none")
	world.WantOutcome(t, c.Revoke(t.Context(), login.Token), authcode.Malformed, "token.none")
	_, err = c.Refresh(t.Context(), login.Token)
	if e := world.WantError(t, err, authcode.Configuration, "token.none"); e.Final {
		t.Error("signing in again would not help")
	}
	wantNewLogin(t, c, *login.Token)
	source := c.TokenSource(login.Token, nil)
	_, err = source.Token(t.Context())
	world.WantError(t, err, authcode.Configuration, "token.none")
	api, err := source.APIClient("https://api.example")
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.Get("https://api.example/me")
	if own := (*authcode.Error)(nil); !errors.As(err, &own) || own.Check != "token.none" {
		t.Errorf("got %v", err)
	}
	p.WantRequests(t, 1)
	// One with a refresh token is refreshed.
	own := *login.Token
	own.RefreshToken = "rt"
	p.Answer = nil
	fresh, err := c.Refresh(t.Context(), &own)
	world.WantToken(t, fresh, err, "at-1")
}

// notLogins are answers without access token that sign nobody in.
var notLogins = []struct {
	claim, body string
	identity    func(*config)
	reason      authcode.Reason
	check       string
}{
	{"no identity is asked for", b2cToken, func(*config) {}, authcode.BadAnswer,
		"token.access_token"},
	{"no ID token either", `{"token_type":"Bearer"}`, knowsThePerson, authcode.BadAnswer,
		"token.access_token"},
	{"an empty ID token", `{"id_token":""}`, knowsThePerson, authcode.BadAnswer,
		"token.access_token"},
	{"an ID token that is a number", `{"id_token":7}`, knowsThePerson, authcode.BadAnswer,
		"token.access_token"},
	{"an access token that cannot be sent", `{"access_token":"a\nb","id_token":"i"}`,
		knowsThePerson, authcode.BadAnswer, "token.access_token"},
	{"an access token of blanks", `{"access_token":"  ","id_token":"i"}`,
		knowsThePerson, authcode.BadAnswer, "token.access_token"},
	{"an access token that is a number", `{"access_token":7,"id_token":"i"}`,
		knowsThePerson, authcode.BadAnswer, "token.access_token"},
	{"the ID token is refused", `{"id_token":"refused"}`, knowsThePerson,
		authcode.IdentityRefused, "identity"},
	{"another token type", `{"id_token":"i","token_type":"mac"}`, knowsThePerson,
		authcode.BadAnswer, "token.token_type"},
	{"an algorithm that is not allowed", b2cToken, func(c *config) {
		knowsThePerson(c)
		c.Algorithms = []string{"ES256"}
	}, authcode.IdentityRefused, "id_token.alg"},
	{"an identity that needs the token", b2cToken, func(c *config) {
		c.Provider.Identity = func(_ context.Context, resp *authcode.TokenResponse) (
			*authcode.Identity, error) {
			r, _ := http.NewRequest("POST", "https://api.example/me", strings.NewReader("body"))
			_, err := resp.Do(r)
			return nil, err
		}
	}, authcode.Configuration, "token.none"},
}

func TestIDTokenOnlyIsChecked(t *testing.T) {
	for _, row := range notLogins {
		t.Run(row.claim, func(t *testing.T) {
			p := world.Answering(200, row.body)
			c := world.Client(t, p, row.identity)
			_, err := world.Begin(t, c, nil).Exchange(c)
			world.WantError(t, err, row.reason, row.check)
			p.WantRequests(t, 1)
		})
	}
	// A refresh has to bring an access token.
	err := world.Refresh(t, world.Answering(200, b2cToken))
	world.WantError(t, err, authcode.BadAnswer, "token.access_token")
	c := world.Client(t, world.Answering(200, b2cToken), knowsThePerson)
	_, err = c.Refresh(t.Context(), world.Expired())
	world.WantError(t, err, authcode.BadAnswer, "token.access_token")
	// Beside an ID token, WeChat's members say nothing.
	c = world.Client(t, world.Answering(200, `{"id_token":"i","errcode":7}`), knowsThePerson)
	world.Begin(t, c, nil).Finish(t, c)
}
