package test

import (
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// denials are error codes of an authorization response (RFC 6749 section
// 4.1.2.1, OpenID Connect Core section 3.1.2.6, and some of real providers).
var denials = []struct {
	code   string
	reason authcode.Reason
	says   string // what the error's text must say of it
}{
	{"access_denied", authcode.Denied, "access_denied"},
	{"user_denied", authcode.Denied, ""},
	{"user_cancelled", authcode.Denied, ""},
	{"user_cancelled_login", authcode.Denied, ""},
	{"user_cancelled_authorize", authcode.Denied, ""},
	{"authorization_denied", authcode.Denied, ""},
	{"consent_denied", authcode.Denied, ""},
	{"login_required", authcode.InteractionRequired, "without prompt=none"},
	{"consent_required", authcode.InteractionRequired, "consent_required"},
	{"interaction_required", authcode.InteractionRequired, "interaction_required"},
	{"account_selection_required", authcode.InteractionRequired, "account_selection_required"},
	{"server_error", authcode.BadAnswer, "server_error: try again later"},
	{"temporarily_unavailable", authcode.Overloaded, "temporarily_unavailable: try again later"},
	{"unauthorized_client", authcode.Configuration, "check the app's registration"},
	{"invalid_scope", authcode.Configuration, "invalid_scope"},
	{"invalid_request", authcode.Configuration, "invalid_request"},
	{"unsupported_response_type", authcode.Configuration, "unsupported_response_type"},
	{"redirect_uri_mismatch", authcode.Configuration, "redirect_uri_mismatch"},
	{"application_suspended", authcode.Configuration, "application_suspended"},
	{"invalid_resource", authcode.Configuration, "invalid_resource"},
	{"canary\nlevel=INFO", authcode.Denied, "not a registered code"},
	{"invalid_canary", authcode.Denied, "Error.ServerDescription"},
}

// TestAuthorizationErrors: each error code has its reason, and only a
// registered one is repeated in the text.
func TestAuthorizationErrors(t *testing.T) {
	for _, row := range denials {
		t.Run(row.code, func(t *testing.T) {
			p := &world.Provider{}
			c := world.Client(t, p)
			_, err := world.Begin(t, c, nil).Exchange(c, "code", "", "error", row.code)
			e := world.WantError(t, err, row.reason, "authorization.error")
			if !strings.Contains(e.Error(), row.says) || strings.Contains(e.Error(), "canary") {
				t.Errorf("got %q, want %q in it", e, row.says)
			}
			if overloaded := row.reason == authcode.Overloaded; (e.RetryAfter > 0) != overloaded {
				t.Errorf("RetryAfter is %v", e.RetryAfter)
			}
			if e.ServerError != row.code {
				t.Errorf("ServerError is %q", e.ServerError)
			}
			p.WantRequests(t, 0)
		})
	}
}

// TestAuthorizationErrorEchoes: words that bring back the state or a code of
// the callback are dropped, also if they are escaped.
func TestAuthorizationErrorEchoes(t *testing.T) {
	const code = "c0de+canary/1"
	for claim, row := range map[string]struct {
		code string
		echo func(state, code string) string
	}{
		"the state":         {code, func(state, _ string) string { return state }},
		"a code":            {code, func(_, code string) string { return code }},
		"a short code":      {"c0de", func(_, code string) string { return code }},
		"a code in a query": {code, func(_, code string) string { return url.QueryEscape(code) }},
		"a code in a path":  {code, func(_, code string) string { return url.PathEscape(code) }},
	} {
		t.Run(claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{})
			l := world.Begin(t, c, nil)
			words := "it was " + row.echo(l.Query.Get("state"), row.code)
			_, err := l.Exchange(c, "code", row.code, "error", words, "error_description", words)
			e := world.WantError(t, err, authcode.Denied, "authorization.error")
			if e.ServerError != "" || e.ServerDescription != "" {
				t.Errorf("got %q, %q", e.ServerError, e.ServerDescription)
			}
		})
	}
}
