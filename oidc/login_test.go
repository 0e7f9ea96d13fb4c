package oidc_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/oidc"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// newApp is an app that signs people in at srv, and what came of the last login.
func newApp(t *testing.T, srv *authserver.Server, opts ...oidc.Option) (app *httptest.Server, c *authcode.Client, last func() (*authcode.Login, *authcode.Error)) {
	t.Helper()
	mux := http.NewServeMux()
	app = httptest.NewServer(mux)
	t.Cleanup(app.Close)
	var login *authcode.Login
	var failure *authcode.Error
	cfg := srv.Config(app.URL + "/callback")
	cfg.Provider = oidc.Provider(srv.URL, opts...)
	cfg.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
		failure = err
		authcode.ErrorPage(w, r, err)
	}
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/login", c.LoginHandler(authcode.Param("max_age", "600")))
	mux.Handle("/callback", c.CallbackHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		login, _ = authcode.FromContext(r.Context())
	})))
	return app, c, func() (*authcode.Login, *authcode.Error) {
		defer func() { login, failure = nil, nil }()
		return login, failure
	}
}

func signIn(t *testing.T, app *httptest.Server) {
	t.Helper()
	jar := must(cookiejar.New(nil))
	resp, err := (&http.Client{Jar: jar}).Get(app.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// TestLogin: a whole login over HTTP, with userinfo, max_age and a refresh.
func TestLogin(t *testing.T) {
	srv := authserver.NewServer(authserver.Algorithm("RS256"))
	defer srv.Close()
	app, c, last := newApp(t, srv, oidc.UserInfo())
	for range 2 {
		signIn(t, app)
		login, err := last()
		if err != nil || login == nil {
			t.Fatalf("got %v, %v", login, err)
		}
		id := login.Identity
		if id.Issuer != srv.URL || id.Subject != "alice" || id.Email != "alice@example.com" || !id.EmailVerified || id.Name != "Alice Example" {
			t.Errorf("got %+v", id)
		}
		fresh, bad := c.Refresh(t.Context(), login.Token)
		if bad != nil || fresh.Extra("id_token") == login.Token.Extra("id_token") {
			t.Errorf("no new ID token, or %v", bad)
		}
	}
}

// TestLoginFailures: what this package refuses reaches the app through the root package as it is.
func TestLoginFailures(t *testing.T) {
	srv := authserver.NewServer(authserver.Algorithm("RS256"))
	defer srv.Close()
	app, c, last := newApp(t, srv, oidc.UserInfo())
	rows := []struct {
		claim  string
		at     authserver.Place
		fault  authserver.Fault
		reason authcode.Reason
		check  string
	}{
		{"another audience", authserver.IDToken, authserver.Set("aud", `"other"`), authcode.IdentityRefused, "id_token.aud"},
		{"another nonce", authserver.IDToken, authserver.Set("nonce", `"x"`), authcode.IdentityRefused, "id_token.nonce"},
		{"no auth_time", authserver.IDToken, authserver.Drop("auth_time"), authcode.IdentityRefused, "id_token.auth_time"},
		{"no ID token", authserver.Token, authserver.Drop("id_token"), authcode.IdentityRefused, "id_token.missing"},
		{"another person's userinfo", authserver.UserInfo, authserver.Set("sub", `"bob"`), authcode.IdentityRefused, "userinfo.sub"},
		{"an endless userinfo", authserver.UserInfo, authserver.Endless(), authcode.BadAnswer, "userinfo.size"},
		{"a bomb for userinfo", authserver.UserInfo, authserver.GzipBomb(), authcode.BadAnswer, "userinfo.size"},
		{"half a userinfo", authserver.UserInfo, authserver.Truncated(), authcode.Unreachable, "userinfo.unreachable"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			srv.SetFaults(row.at, row.fault)
			defer srv.ClearFaults()
			signIn(t, app)
			login, err := last()
			if login != nil {
				t.Error("signed in all the same")
			}
			wantError(t, err, row.reason, row.check)
		})
	}
	signIn(t, app)
	login, _ := last()
	srv.SetFaults(authserver.IDToken, authserver.Set("sub", `"bob"`))
	_, err := c.Refresh(t.Context(), login.Token)
	wantError(t, err, authcode.IdentityRefused, "refresh.sub")
}

// TestLoginWhileDiscoveryIsDown: no login begins, and the error says why.
func TestLoginWhileDiscoveryIsDown(t *testing.T) {
	srv := authserver.NewServer(authserver.Algorithm("RS256"))
	defer srv.Close()
	app, _, last := newApp(t, srv)
	srv.SetFaults(authserver.Discovery, authserver.Redirect(302, srv.URL+"/elsewhere"))
	signIn(t, app)
	_, err := last()
	wantError(t, err, authcode.BadAnswer, "discovery.redirect")
}
