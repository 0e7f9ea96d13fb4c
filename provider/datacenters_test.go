package provider_test

import (
	"maps"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// wantNoSecret is for a row of a public client.
func wantNoSecret(t *testing.T, secret string) {
	if secret != "" {
		t.Error("a public client sent a secret")
	}
}

// playAt is play with an account at Zoho's data center at server.
func playAt(t *testing.T, server string) (*row, *sim, *app) {
	r, s, a := play(t, "Zoho")
	there := *r
	for _, field := range []*string{&there.token, &there.revoke, &there.profile.url, &there.want.Issuer} {
		*field = strings.Replace(*field, "https://accounts.zoho.com", server, 1)
	}
	there.callback = map[string]string{"accounts-server": server}
	s.row = &there
	return &there, s, a
}

// TestZohoDataCenters: a login goes on at the data center of the account, and so
// do the requests that are about its token, also after it was stored. The
// simulator knows no other server, but for the authorization endpoint. People of
// two data centers are two users.
func TestZohoDataCenters(t *testing.T) {
	for _, server := range provider.Zoho().Servers {
		r, s, a := playAt(t, server)
		a.signIn(t)
		a.wantLogin(t, r.want)
		stored, err := authcode.MarshalToken(a.login.Token)
		if err != nil {
			t.Fatal(err)
		}
		token, err := authcode.UnmarshalToken(stored)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if token, err = a.client.Refresh(t.Context(), token); err != nil {
				t.Fatalf("%s: %v", server, err)
			}
			token.RefreshToken = refreshToken
		}
		if n := s.seen(r.token); n != 3 {
			t.Errorf("%s: %d token requests", server, n)
		}
		token.AccessToken, token.RefreshToken = accessToken, ""
		if err := a.client.Revoke(t.Context(), token); err != nil || s.seen(r.revoke) != 1 {
			t.Errorf("%s: revocation: %v", server, err)
		}
	}
}

// TestZohoForgedServer: a server that is not Zoho's gets nothing.
func TestZohoForgedServer(t *testing.T) {
	for _, server := range []string{"https://evil.example", "https://accounts.zoho.eu.evil.example",
		"https://accounts.zoho.eu@evil.example", "http://accounts.zoho.eu", "https://accounts.zoho.eu/",
		"https://accounts.zoho.eu:8443", "https://mail.zoho.eu", "accounts.zoho.eu"} {
		r, s, a := playAt(t, server)
		a.signIn(t)
		a.wantFailure(t, authcode.Forged, "callback.server")
		if len(s.requests) != 1 || s.seen(r.auth) != 1 {
			t.Errorf("%s: requests %q", server, s.requests)
		}
	}
}

// TestVKDevice: without the device id, VK ID would only refuse the code.
func TestVKDevice(t *testing.T) {
	r, s, a := play(t, "VK")
	without := *r
	without.callback = maps.Clone(r.callback)
	delete(without.callback, "device_id")
	s.row = &without
	a.signIn(t)
	a.wantFailure(t, authcode.Malformed, "callback.device_id")
	if n := s.seen(r.token); n != 0 {
		t.Errorf("%d token requests", n)
	}
}

// TestSlackUserTokens: only a user's token is one, and nothing of a bot's is
// left beside it.
func TestSlackUserTokens(t *testing.T) {
	r, s, a := play(t, "SlackUser")
	a.signIn(t)
	for _, member := range []string{"scope", "refresh_token", "authed_user"} {
		if text, _ := a.login.Token.Extra(member).(string); strings.Contains(text, "bot") || text == "commands" {
			t.Errorf("%s is %q", member, text)
		}
	}
	if a.login.Token.Extra("authed_user") != nil || a.login.Token.Extra("team") == nil {
		t.Error("the answer has authed_user or lacks team")
	}
	bot := *r
	bot.grant = `{"ok":true,"access_token":"xoxb-bot","token_type":"bot","authed_user":{"id":"U0R7JM"}}`
	s.reset(t)
	s.row = &bot
	a.signIn(t)
	a.wantFailure(t, authcode.BadAnswer, "token.token_type")
	for claim, body := range map[string]string{
		"a list": `["x"]`, "no JSON": `<html>`, "a repeated member": `{"ok":true,"ok":true}`,
	} {
		bot.grant = body
		s.reset(t)
		a.signIn(t)
		if a.login != nil || a.err == nil || a.err.Check != "answer.form" {
			t.Errorf("%s: got %v", claim, a.err)
		}
	}
}

// TestSlackUserTeam: equal user ids of two teams are two users.
func TestSlackUserTeam(t *testing.T) {
	const team = `"team_id":"T0R7GR"`
	for _, bad := range []string{`"x":1`, `"team_id":""`, `"team_id":0`, `"team_id":1.2`, `"team_id":"T/a"`} {
		_, s, a := play(t, "SlackUser")
		s.rewrite(t, team, bad)
		a.signIn(t)
		a.wantFailure(t, authcode.IdentityRefused, "profile.id")
	}
	if _, err := newClient(provider.SlackUser()); err == nil || !strings.Contains(err.Error(), "a scope is missing") {
		t.Errorf("no scope: %v", err)
	}
}
