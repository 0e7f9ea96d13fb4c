package provider_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/provider"
	"golang.org/x/oauth2"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// profileErrors are what an API answers, by the Check that follows.
var profileErrors = map[string]struct {
	reply  roundTrip
	reason authcode.Reason
}{
	"profile.url": {nil, authcode.Configuration},
	"profile.unreachable": {func(*http.Request) (*http.Response, error) {
		return nil, &net.DNSError{Err: "canary", Name: "canary"}
	}, authcode.Unreachable},
	"dpop.key": {func(*http.Request) (*http.Response, error) { return nil, errBound },
		authcode.Configuration},
	"profile.overloaded": {answers(429, "canary"), authcode.Overloaded},
	"profile.redirect":   {answers(302, "canary"), authcode.BadAnswer},
	"profile.permission": {answers(403, "canary"), authcode.IdentityRefused},
	"profile.status":     {answers(401, "canary"), authcode.IdentityRefused},
	"profile.form":       {answers(200, "canary"), authcode.IdentityRefused},
	"profile.id":         {answers(200, `{"id":"canary "}`), authcode.IdentityRefused},
}

var errBound = &authcode.Error{Reason: authcode.Configuration, Check: "dpop.key"}

func answers(status int, body string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Retry-After": {"17"}},
			Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// TestProfileErrors: a profile that cannot be loaded is explained to the operator, with a cause that can be tested
// for, and with the provider's own wish to wait; nothing of what the provider or the network said is repeated.
func TestProfileErrors(t *testing.T) {
	for check, row := range profileErrors {
		p := provider.GitHub()
		if row.reply == nil { // an app has changed the preset
			p.UserInfoURL = ""
		}
		_, err := p.Identity(t.Context(), &authcode.TokenResponse{
			Connection: &authcode.Connection{Endpoints: p.Endpoints},
			Token:      &oauth2.Token{AccessToken: "canary"}, Do: row.reply})
		var e *authcode.Error
		if !errors.As(err, &e) || e.Check != check || e.Reason != row.reason || strings.Contains(e.Error(), "canary") {
			t.Errorf("%s: got %v", check, err)
			continue
		}
		if e != errBound && !strings.Contains(e.Error(), "the p") {
			t.Errorf("%s says nothing: %v", check, e)
		}
		if want := map[bool]time.Duration{true: 17 * time.Second}[check == "profile.overloaded"]; e.RetryAfter != want {
			t.Errorf("%s: wait for %s, want %s", check, e.RetryAfter, want)
		}
		if check == "profile.unreachable" && (!errors.As(err, new(*net.DNSError)) || !strings.Contains(e.Error(), "could not be resolved")) {
			t.Errorf("the cause is lost: %v", err)
		}
	}
}
