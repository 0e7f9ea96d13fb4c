package oidc_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
)

// TestTransportFaults: what a transport says of a failure, and one that breaks the contract of http.RoundTripper.
func TestTransportFaults(t *testing.T) {
	good := reply(200, "application/json", "{}")
	own := authcode.NewError(authcode.Configuration, "own.check", "the transport's own", nil)
	for claim, row := range map[string]struct {
		resp   *http.Response
		err    error
		reason authcode.Reason
		check  string
	}{
		"an error beside an answer":       {good, errors.New("canary"), authcode.Unreachable, "discovery.unreachable"},
		"no answer and no error":          {nil, nil, authcode.Unreachable, "discovery.unreachable"},
		"an answer without a body":        {&http.Response{StatusCode: 200}, nil, authcode.Unreachable, "discovery.unreachable"},
		"a deadline that does not say so": {nil, &net.DNSError{UnwrapErr: context.DeadlineExceeded}, authcode.Timeout, "discovery.timeout"},
		"a time limit of its own":         {nil, os.ErrDeadlineExceeded, authcode.Timeout, "discovery.timeout"},
		"an error about the Config":       {nil, own, authcode.Configuration, "own.check"},
	} {
		t.Run(claim, func(t *testing.T) {
			p := newMemOP("RS256")
			p.answer(memMetadata, func(*http.Request) (*http.Response, error) { return row.resp, row.err })
			_, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
			wantError(t, err, row.reason, row.check)
		})
	}
}

// withEndpoints is what a login of a new provider hands to Identity, which has to load the metadata itself.
func withEndpoints(p *memOP, i authcode.Provider, e authcode.Endpoints) *authcode.TokenResponse {
	a := p.login(p.token(nil))
	a.Config.Provider, a.Endpoints = i, e
	return a
}

// TestMetadataIsLost: nothing is believed, and no token sent, without the metadata that it takes.
func TestMetadataIsLost(t *testing.T) {
	p := newMemOP("RS256")
	p.answer(memMetadata, down)
	keys := authcode.Endpoints{JWKSURL: "https://op.example" + memJWKS}
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	_, err := i.Identity(t.Context(), withEndpoints(p, i, keys))
	wantError(t, err, authcode.Unreachable, "discovery.unreachable")
	c := newMemLogin(t, p, oidc.Provider(memIssuer))
	_, err = introspect(t, c, false)
	wantError(t, err, authcode.Unreachable, "discovery.unreachable")
	rec := httptest.NewRecorder()
	oidc.InitiateLoginHandler(c).ServeHTTP(rec, httptest.NewRequest("GET", "/initiate?iss=x", nil))
	if rec.Code != authcode.Unreachable.Status() {
		t.Errorf("the login begins with status %d", rec.Code)
	}
	p.wantRequests(t, memUserInfo, 0)
	i = oidc.Provider(memIssuer)
	_, err = i.Identity(t.Context(), withEndpoints(p, i, authcode.Endpoints{JWKSURL: "https://op.example/%zz"}))
	wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
}

// TestMalformedLogoutRequests: the app is told what is wrong with the request itself.
func TestMalformedLogoutRequests(t *testing.T) {
	const kind = "application/x-www-form-urlencoded"
	broken := io.MultiReader(strings.NewReader("logout_token=x"), iotest.ErrReader(io.ErrUnexpectedEOF))
	for claim, row := range map[string]struct {
		kind string
		body io.Reader
	}{
		"a malformed form":                       {kind, strings.NewReader("logout_token=%zz")},
		"a body that breaks off":                 {kind, broken},
		"a content type with a broken parameter": {kind + "; charset", strings.NewReader("logout_token=x")},
	} {
		a := newLogoutApp(t, newMemOP("RS256"))
		r := httptest.NewRequest("POST", "/logout", row.body)
		r.Header.Set("Content-Type", row.kind)
		rec := httptest.NewRecorder()
		if a.handler.ServeHTTP(rec, r); rec.Code != 400 || len(a.refused) != 1 {
			t.Fatalf("%s: status %d, %v", claim, rec.Code, a.refused)
		}
		wantError(t, a.refused[0], authcode.Malformed, "logout_token.form")
	}
	var told error
	h := oidc.FrontChannelLogoutHandler(newMemLogin(t, newMemOP("RS256"), oidc.Provider(memIssuer)),
		func(context.Context, oidc.LogoutToken) error { return nil },
		oidc.Notify(func(_ *http.Request, err error) { told = err }))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/logout?sid=%zz", nil))
	wantError(t, told, authcode.Malformed, "logout.form")
}

// TestVerifyOfTheAppsIsChecked: the algorithms of the Config hold for a Verify that looks at nothing, and one that ran
// out of time has not refused the JWT.
func TestVerifyOfTheAppsIsChecked(t *testing.T) {
	for text, check := range map[string]string{
		"e30x.e30.x": "introspection.form", "e30.e30.x": "introspection.alg",
		"eyJhbGciOiJFUzI1NiJ9=.e30.x": "introspection.form", // padded, which the verifier may read in another way
	} {
		p, _, _ := newMemIntrospection("application/token-introspection+jwt", text)
		c := asking(t, p, func(c *authcode.Config) {
			c.Algorithms = []string{"ES256"}
			c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
				return members{"active": true}, nil
			}
		})
		_, err := introspect(t, c, true)
		wantError(t, err, authcode.IdentityRefused, check)
	}
	p, _, _ := newMemIntrospection("application/token-introspection+jwt", "x")
	ctx, cancel := context.WithCancel(t.Context())
	c := asking(t, p, func(c *authcode.Config) {
		c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
			cancel()
			return nil, context.Canceled
		}
	})
	_, err := oidc.IntrospectSigned(ctx, c, "t", "")
	wantError(t, err, authcode.Canceled, "introspection.canceled")
}

// TestNoTimeForNewKeys: a caller whose time is up while new keys are fetched learns that, and not that the signature
// is bad.
func TestNoTimeForNewKeys(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		p.answer(memJWKS, slowly(p, 5*time.Second))
		stranger := newKey("RS256", "x").sign(payload(p.claims(), nil), members{"kid": "k1"})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := identify(ctx, i, p.login(stranger))
		wantError(t, err, authcode.Timeout, "jwks.timeout")
		time.Sleep(10 * time.Second) // the fetch ends
	})
}
