package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/oidc"
)

// logoutApp is an app that is told of logouts by its back-channel handler.
type logoutApp struct {
	handler http.Handler
	ended   []oidc.LogoutToken
	refused []error // what Notify was told
}

func newLogoutApp(t *testing.T, p *memOP, pins ...string) *logoutApp {
	a := new(logoutApp)
	a.handler = oidc.BackChannelLogoutHandler(newMemLogin(t, p, pinned(oidc.Provider(memIssuer), pins...)),
		func(_ context.Context, l oidc.LogoutToken) error {
			a.ended = append(a.ended, l)
			return nil
		},
		oidc.Notify(func(_ *http.Request, err error) { a.refused = append(a.refused, err) }))
	return a
}

// post sends a logout token as the provider does. It returns what the app was told: the token or the error.
func (a *logoutApp) post(t *testing.T, token string) (*oidc.LogoutToken, error) {
	t.Helper()
	ended, refused := len(a.ended), len(a.refused)
	rec := post(a.handler, url.Values{"logout_token": {token}})
	switch {
	case rec.Code == 200 && len(a.ended) == ended+1 && len(a.refused) == refused:
		return &a.ended[ended], nil
	case rec.Code == 400 && len(a.ended) == ended && len(a.refused) == refused+1:
		return nil, a.refused[refused]
	}
	t.Fatalf("status %d, %d sessions ended, %d refusals", rec.Code, len(a.ended)-ended, len(a.refused)-refused)
	return nil, nil
}

// post sends a form to h and returns the answer.
func post(h http.Handler, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "https://app.example/logout", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// form is a POST of body.
func form(body string) *http.Request {
	r := httptest.NewRequest("POST", "https://app.example/logout", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}
