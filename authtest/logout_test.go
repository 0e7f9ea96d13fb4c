package authtest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

func TestBackChannelLogout(t *testing.T) {
	a := newApp(t, "https", nil)
	for claim, row := range map[string]struct {
		subject, sid string
		late         time.Duration
		status       int
	}{
		"a person":                {"alice", "", 0, 200},
		"a session":               {"", `s"1\`, 0, 200},
		"a person's session":      {"alice", "s1", 0, 200},
		"a token that is too old": {"alice", "", time.Hour, 400},
	} {
		t.Run(claim, func(t *testing.T) {
			token := a.srv.LogoutToken(a.cfg.ClientID, row.subject, row.sid)
			a.srv.Advance(row.late)
			a.ended = nil
			for i, want := range []int{row.status, 400} { // a token is good once
				resp, err := a.Client().PostForm(a.URL+"/back", url.Values{"logout_token": {token}})
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if resp.StatusCode != want {
					t.Errorf("attempt %d: got %s, want %d", i, resp.Status, want)
				}
			}
			if row.status != 200 {
				return
			}
			if len(a.ended) != 1 || a.ended[0].Subject != row.subject || a.ended[0].SessionID != row.sid {
				t.Errorf("ended: %v", a.ended)
			}
		})
	}
}

func TestFrontChannelLogout(t *testing.T) {
	a := newApp(t, "https", nil, authtest.User{Subject: "alice", Claims: map[string]any{"sid": "s&1"}})
	sid, _ := a.signIn().Identity.Claims["sid"].(string)
	resp, err := a.browser().Get(a.srv.FrontChannelLogoutURL(a.URL+"/front", sid))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if len(a.ended) != 1 || a.ended[0].SessionID != "s&1" || a.ended[0].Issuer != a.srv.URL {
		t.Errorf("got %s, ended: %v", resp.Status, a.ended)
	}
}

// TestLogoutOfTheApp: a sign-out that begins at the app leads over the server
// to a registered address.
func TestLogoutOfTheApp(t *testing.T) {
	a := newApp(t, "https", func(a *app) {
		a.register(authtest.Registration{PostLogoutRedirectURLs: []string{a.URL + "/bye"}}, nil)
	})
	login := a.signIn()
	idToken, _ := login.Token.Extra("id_token").(string)
	for where, want := range map[string]string{a.URL + "/bye": a.URL + "/bye", a.URL + "/other": ""} {
		target, err := oidc.LogoutURL(t.Context(), a.client, oidc.Logout{IDToken: idToken, ReturnURL: where})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := a.srv.Transport().RoundTrip(request(t, target))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, _, _ := strings.Cut(resp.Header.Get("Location"), "?"); got != want {
			t.Errorf("back to %s: %s, sent to %q", where, resp.Status, got)
		}
	}
	if seen := a.srv.Requests("/logout"); len(seen) != 2 || seen[0].Form.Get("id_token_hint") != idToken {
		t.Errorf("saw %v", seen)
	}
}

func request(t *testing.T, target string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestRequests(t *testing.T) {
	a := newApp(t, "http", func(a *app) { a.cfg.Scopes = []string{"openid", "calendar"} })
	a.signIn()
	var paths []string
	for _, r := range a.srv.Requests() {
		paths = append(paths, r.Method+" "+r.Path)
	}
	want := "GET /.well-known/openid-configuration, GET /authorize, POST /token, GET /jwks"
	if got := strings.Join(paths, ", "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	seen := a.srv.Requests("/authorize", "/token")
	if len(seen) != 2 || seen[0].Form.Get("scope") != "openid calendar" || seen[1].Form.Get("code_verifier") == "" ||
		!strings.HasPrefix(seen[1].Header.Get("Authorization"), "Basic ") {
		t.Errorf("got %v", seen)
	}
	seen[0].Form.Set("scope", "changed")
	if a.srv.Requests("/authorize")[0].Form.Get("scope") == "changed" {
		t.Error("the caller does not own the result")
	}
}

func TestSecrets(t *testing.T) {
	a := newApp(t, "https", nil)
	a.srv.Register(authtest.Registration{ClientSecret: "the second client's", RedirectURLs: []string{a.URL}})
	token := a.signIn().Token
	idToken, _ := token.Extra("id_token").(string)
	seen := a.srv.Requests("/token")[0]
	_, secret, _ := (&http.Request{Header: seen.Header}).BasicAuth()
	all := make(map[string]bool)
	for _, s := range a.srv.Secrets() {
		if s == "" || all[s] {
			t.Errorf("the secret %q is empty or repeated", s)
		}
		all[s] = true
	}
	for what, s := range map[string]string{
		"client secret": secret, "code": seen.Form.Get("code"), "access token": token.AccessToken,
		"refresh token": token.RefreshToken, "ID token": idToken, "another client secret": "the second client's",
		"logout token": a.srv.LogoutToken(a.cfg.ClientID, "alice", ""),
	} {
		if s == "" || !all[s] && what != "logout token" {
			t.Errorf("Secrets lacks the %s", what)
		}
	}
	var _ authcode.Config = a.srv.Config() // again: nothing new
	if got := len(a.srv.Secrets()); got != len(all)+1 {
		t.Errorf("%d secrets, want %d and the logout token", got, len(all))
	}
}
