package oidc_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// hostileLogoutClaims are logout tokens with other claims.
func hostileLogoutClaims() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	logout := hostileRows("", authcode.IdentityRefused)
	other := `"` + hostileWord + `"`
	return []hostileRow{
		logout("another iss", "logout_token.iss", set("iss", other)),
		logout("no iss", "logout_token.iss", drop("iss")),
		logout("another aud", "logout_token.aud", set("aud", other)),
		logout("no aud", "logout_token.aud", drop("aud")),
		logout("more audiences", "logout_token.aud", set("aud", `["`+hostileClient+`",`+other+`]`)),
		logout("another azp", "logout_token.azp", set("azp", other)),
		logout("no iat", "logout_token.iat", drop("iat")),
		logout("iat in the future", "logout_token.iat", set("iat", hostileTime(90*time.Second))),
		logout("iat of long ago", "logout_token.iat", set("iat", hostileTime(-662*time.Second))),
		logout("no exp, of long ago", "logout_token.iat", drop("exp"), set("iat", hostileTime(-662*time.Second))),
		logout("exp is null", "logout_token.exp", set("exp", "null")),
		logout("expired", "logout_token.exp", set("exp", hostileTime(-62*time.Second))),
		logout("not valid yet", "logout_token.nbf", set("nbf", hostileTime(90*time.Second))),
		logout("no jti", "logout_token.jti", drop("jti")),
		logout("an empty jti", "logout_token.jti", set("jti", `""`)),
		logout("no events", "logout_token.events", drop("events")),
		logout("another event", "logout_token.events", set("events", `{`+other+`:{}}`)),
		logout("events is a list", "logout_token.events", set("events", `["http://schemas.openid.net/event/backchannel-logout"]`)),
		logout("an event that is true", "logout_token.events", set("events", `{"http://schemas.openid.net/event/backchannel-logout":true}`)),
		logout("a nonce", "logout_token.nonce", set("nonce", other)),
		logout("a nonce that is null", "logout_token.nonce", set("nonce", "null")),
		logout("neither sub nor sid", "logout_token.sub", drop("sub")),
		logout("sub is a number", "logout_token.sub", set("sub", "1"), set("sid", `"s1"`)),
		logout("sid is a number", "logout_token.sub", set("sid", "1")),
		logout("a claim with two values", "logout_token.repeated", authserver.Repeat("sub", other)),
	}
}

// hostileLogoutTexts are logout tokens that are written and signed otherwise.
func hostileLogoutTexts() []hostileRow {
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	logout := hostileRows("", authcode.IdentityRefused)
	other := `"` + hostileWord + `"`
	return []hostileRow{
		logout("an access token", "logout_token.typ", header(set("typ", `"at+jwt"`))),
		logout("another key", "logout_token.signature", authserver.OtherKey()),
		logout("a key in the header", "logout_token.signature", authserver.EmbeddedKey()),
		logout("changed after signing", "logout_token.signature", authserver.Tampered(set("sub", `"bob"`))),
		logout("unsigned", "logout_token.alg", authserver.SignAs("none")),
		logout("HMAC with the public key", "logout_token.alg", authserver.SignAs("HS256")),
		logout("a published RSA key", "logout_token.alg", authserver.SignAs("RS256")),
		logout("an unknown kid", "jwks.key", header(set("kid", other))),
		logout("encrypted", "logout_token.form", authserver.Encrypted()),
		logout("a critical header", "logout_token.form", header(set("crit", `["x"]`)), header(set("x", "1"))),
		logout("for a person", ""),
		logout("for a session", "", drop("sub"), set("sid", `"s1"`)),
		logout("without typ", "", header(drop("typ"))),
	}
}

// TestHostileLogoutTokens: OpenID Connect Back-Channel Logout section 2.6.
func TestHostileLogoutTokens(t *testing.T) {
	for _, row := range slices.Concat(hostileLogoutClaims(), hostileLogoutTexts()) {
		t.Run(row.name, func(t *testing.T) {
			x := newHostileApp(t, row)
			ended := x.signOut(nil)
			token := x.srv.LogoutToken(hostileClient, "alice", row.faults[""]...)
			if row.check == "" {
				// The second time it is refused: a token counts once.
				if first, again := x.post(token), x.post(token); first != 200 || again != 400 || len(*ended) != 1 {
					t.Errorf("answered %d and %d, and %d sessions ended", first, again, len(*ended))
				}
				row.check = "logout_token.jti"
			}
			told := len(*ended)
			if status := x.post(token); status != 400 || len(*ended) != told {
				t.Errorf("answered %d, %d sessions ended", status, len(*ended)-told)
			}
			x.want(row, x.lastTold())
		})
	}
}

// TestHostileLogoutRequests: what is not a logout token at all.
func TestHostileLogoutRequests(t *testing.T) {
	x := newHostileApp(t, hostileRow{alg: "ES256"})
	ended := x.signOut(x.mustLogin())
	login := x.mustLogin()
	idToken, _ := login.Token.Extra("id_token").(string)
	for name, token := range map[string]string{
		"nothing": "", "no JWT": hostileWord, "the person's ID token": idToken,
		"for another client": x.srv.LogoutToken("another", "alice"),
	} {
		if status := x.post(token); status != 400 {
			t.Errorf("%s was answered %d", name, status)
		}
	}
	x.post("")
	if refusal := x.lastTold(); refusal == nil || refusal.Check != "logout_token.missing" {
		t.Errorf("no token: %v", refusal)
	}
	resp, err := http.Get(x.url + "/backchannel?logout_token=" + x.srv.LogoutToken(hostileClient, "alice"))
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("a GET was answered %v, %v", resp, err)
	}
	x.wantFrontChannel(ended)
}

// wantFrontChannel asks the front channel for what ends no session, and then for
// what ends one. None has ended before.
func (x *hostileApp) wantFrontChannel(ended *[]oidc.LogoutToken) {
	x.t.Helper()
	address := x.url + "/frontchannel"
	set, drop := authserver.Set, authserver.Drop
	for name, uri := range map[string]string{
		"another iss": x.srv.FrontChannelLogout(address, "s1", set("iss", "https://evil.example")),
		"no iss":      x.srv.FrontChannelLogout(address, "s1", drop("iss")),
		"no sid":      x.srv.FrontChannelLogout(address, "s1", drop("sid")),
		"two sids":    x.srv.FrontChannelLogout(address, "s1", authserver.Repeat("sid", "s2")),
		"nothing":     address,
	} {
		if resp, err := http.Get(uri); err != nil || resp.StatusCode != 400 {
			x.t.Errorf("front channel, %s: answered %v, %v", name, resp, err)
		}
	}
	if len(*ended) != 0 {
		x.t.Errorf("%d sessions ended", len(*ended))
	}
	resp, err := http.Get(x.srv.FrontChannelLogout(address, "s1"))
	if err != nil || resp.StatusCode != 200 || len(*ended) != 1 || (*ended)[0].SessionID != "s1" {
		x.t.Errorf("front channel: answered %v, %v, ended %v", resp, err, *ended)
	}
}
