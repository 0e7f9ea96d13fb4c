package oidc_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"

	"example.com/authcode/oidc"
)

func TestFrontChannelLogout(t *testing.T) {
	rows := []struct {
		claim, method, query string
		fail                 error
		status               int
	}{
		{"the session of this issuer ends", "GET", "?iss=https%3A%2F%2Fop.example%2Frealm&sid=s1", nil, 200},
		{"another issuer is refused", "GET", "?iss=https%3A%2F%2Fevil.example&sid=s1", nil, 400},
		{"no issuer is refused", "GET", "?sid=s1", nil, 400},
		{"no session is refused", "GET", "?iss=https%3A%2F%2Fop.example%2Frealm", nil, 400},
		{"two sessions are refused", "GET", "?iss=https%3A%2F%2Fop.example%2Frealm&sid=s1&sid=s2", nil, 400},
		{"a malformed query is refused", "GET", "?iss=https%3A%2F%2Fop.example%2Frealm&sid=s1&%zz", nil, 400},
		{"another method is refused", "PUT", "?iss=https%3A%2F%2Fop.example%2Frealm&sid=s1", nil, 400},
		{"an error of the app's is told", "GET", "?iss=https%3A%2F%2Fop.example%2Frealm&sid=s1", errors.New("mine"), 500},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			calls := 0
			h := oidc.FrontChannelLogoutHandler(newMemLogin(t, newMemOP("RS256"), oidc.Provider(memIssuer)), func(_ context.Context, l oidc.LogoutToken) error {
				if calls++; l != (oidc.LogoutToken{Issuer: memIssuer, SessionID: "s1"}) {
					t.Errorf("the app was told %+v", l)
				}
				return row.fail
			})
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest(row.method, "https://app.example/logout"+row.query, nil))
			if rec.Header().Get("Content-Security-Policy") != "default-src 'none'" || rec.Header().Get("X-Frame-Options") != "" {
				t.Errorf("the provider's page cannot frame it safely: %v", rec.Header())
			}
			if rec.Code != row.status || rec.Header().Get("Cache-Control") != "no-store" || calls > 0 != (row.status != 400) {
				t.Errorf("status %d, %d calls, %v", rec.Code, calls, rec.Header())
			}
		})
	}
}
