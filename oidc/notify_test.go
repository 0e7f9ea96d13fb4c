package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

type notifyRow struct {
	handler http.Handler
	request *http.Request
	status  int
	check   string // empty: nothing to say
}

// logouts are requests for a logout at clients of p and of a provider that is
// down.
func logouts(t *testing.T, p *memOP, tell oidc.HandlerOption) []notifyRow {
	c := newMemLogin(t, p, oidc.Provider(memIssuer))
	unreachable := newMemOP("RS256")
	unreachable.answer(memMetadata, down)
	lost := newMemLogin(t, unreachable, oidc.Provider(memIssuer))
	ended := func(context.Context, oidc.LogoutToken) error { return nil }
	fails := func(context.Context, oidc.LogoutToken) error { return errors.New("canary") }
	busy := func(context.Context, oidc.LogoutToken) error {
		return authcode.NewError(authcode.Overloaded, "app.store", "the store is away", nil)
	}
	leave := func(http.ResponseWriter, *http.Request) (oidc.Logout, error) { return oidc.Logout{}, nil }
	frame := "https://app.example/frame?sid=1&iss=" + url.QueryEscape(memIssuer)
	get := func(url string) *http.Request { return httptest.NewRequest("GET", url, nil) }
	return []notifyRow{
		{oidc.BackChannelLogoutHandler(c, ended, tell), form("logout_token=x"), 400, "logout_token.form"},
		{oidc.BackChannelLogoutHandler(c, ended, tell), form(""), 400, "logout_token.missing"},
		{oidc.BackChannelLogoutHandler(c, ended, tell), get("https://app.example/"), 400, "logout_token.method"},
		{oidc.BackChannelLogoutHandler(c, busy, tell), form("logout_token=" + p.logoutToken(nil)), 503, "logout.end"},
		{oidc.BackChannelLogoutHandler(c, fails, tell), form("logout_token=" + p.logoutToken(nil)), 400, "logout.end"},
		{oidc.BackChannelLogoutHandler(lost, ended, tell), form("logout_token=x"), 400, "discovery.unreachable"},
		{oidc.BackChannelLogoutHandler(lost, ended, tell), form(""), 400, "logout_token.missing"},
		{oidc.FrontChannelLogoutHandler(c, ended, tell), get(frame + "x"), 400, "logout.sid"},
		{oidc.FrontChannelLogoutHandler(c, fails, tell), get(frame), 500, "logout.end"},
		{oidc.FrontChannelLogoutHandler(lost, ended, tell), get(frame), 500, "discovery.unreachable"},
		{oidc.FrontChannelLogoutHandler(c, ended, tell), get(frame), 200, ""},
		{oidc.FrontChannelLogoutHandler(c, ended, nil, oidc.Notify(nil)), get(frame + "x"), 400, ""},
		{oidc.LogoutHandler(c, leave, tell), httptest.NewRequest("POST", "https://app.example/", nil), 303, "logout.endpoint"},
	}
}

// TestNotify: what no person is shown reaches the operator.
func TestNotify(t *testing.T) {
	p := newMemOP("RS256")
	delete(p.metadata, "end_session_endpoint")
	var seen []string
	tell := oidc.Notify(func(_ *http.Request, err error) {
		var e *authcode.Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), "canary") {
			t.Errorf("told of %v", err)
			return
		}
		seen = append(seen, e.Check)
	})
	for _, row := range logouts(t, p, tell) {
		seen = nil
		rec := httptest.NewRecorder()
		row.handler.ServeHTTP(rec, row.request)
		if got := strings.Join(seen, " "); rec.Code != row.status || got != row.check {
			t.Errorf("status %d and notified of %q, want %d and %q", rec.Code, got, row.status, row.check)
		}
	}
}
