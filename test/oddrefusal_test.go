package test

import (
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// oddRefusals are callbacks that say no without the parameter error. The first
// is Facebook's after a cancelled review.
var oddRefusals = []struct {
	claim       string
	pairs       []string
	reason      authcode.Reason
	code, words string
}{
	{"Facebook's", []string{"error_code", "200", "error_message", "Permissions error"},
		authcode.Denied, "200", "Permissions error"},
	{"a reason alone", []string{"error_reason", "user_denied"},
		authcode.Denied, "user_denied", "user_denied"},
	{"a code alone", []string{"error_code", "1349"}, authcode.Denied, "1349", ""},
	{"a message alone", []string{"error_message", "App not active"},
		authcode.Denied, "", "App not active"},
	{"a code that is registered", []string{"error_code", "invalid_scope"},
		authcode.Configuration, "invalid_scope", ""},
	{"a server that is down", []string{"error_code", "temporarily_unavailable"},
		authcode.Overloaded, "temporarily_unavailable", ""},
	{"error goes first", []string{"error", "server_error", "error_code", "7", "error_message", "m"},
		authcode.BadAnswer, "server_error", "m"},
	{"error_description goes first", []string{"error_description", "d", "error_code", "7",
		"error_message", "m", "error_reason", "r"}, authcode.Denied, "7", "d"},
}

// TestOddRefusals: a refusal in another shape is one, with its words kept, and
// ends the login.
func TestOddRefusals(t *testing.T) {
	for _, row := range oddRefusals {
		t.Run(row.claim, func(t *testing.T) {
			p := new(world.Provider)
			c := world.Client(t, p)
			l := world.Begin(t, c, nil)
			_, err := l.Exchange(c, append(row.pairs, "code", "")...)
			e := world.WantError(t, err, row.reason, "authorization.error")
			if e.ServerError != row.code || e.ServerDescription != row.words {
				t.Errorf("got %q and %q", e.ServerError, e.ServerDescription)
			}
			p.WantRequests(t, 0)
		})
	}
}

// TestOddRefusalsAreChecked: a refusal in another shape has to pass the same
// checks, its words may not repeat the state, and beside a code it is none.
func TestOddRefusalsAreChecked(t *testing.T) {
	c := world.Client(t, new(world.Provider))
	l := world.Begin(t, c, nil)
	_, err := l.Exchange(c, "code", "", "state", "", "error_code", "200")
	world.WantError(t, err, authcode.Malformed, "callback.state")
	_, err = l.Exchange(c, "code", "", "iss", "https://evil.example", "error_code", "200")
	world.WantError(t, err, authcode.Forged, "iss")
	_, err = l.Exchange(c, "code", "", "state", "", "iss", "", "error_message", "m")
	world.WantError(t, err, authcode.Malformed, "callback.state")
	_, err = l.Exchange(c, "code", "", "error_canary", "1")
	world.WantError(t, err, authcode.Malformed, "callback.code")
	l.Finish(t, c, "error_code", "0", "error_message", "none")

	l = world.Begin(t, c, nil)
	state := l.Query.Get("state")
	_, err = l.Exchange(c, "code", "", "error_code", state, "error_message", "it was "+state)
	e := world.WantError(t, err, authcode.Denied, "authorization.error")
	if e.ServerError != "" || e.ServerDescription != "" {
		t.Errorf("got %q and %q", e.ServerError, e.ServerDescription)
	}
}

// oddAnswers are token answers that say no in another shape.
var oddAnswers = []struct {
	claim       string
	status      int
	body        string
	reason      authcode.Reason // empty: it is a token
	check       string
	code, words string
}{
	{"Facebook's object", 400, `{"error":{"message":"m","type":"OAuthException","code":100}}`,
		authcode.GrantRejected, "answer.error", "OAuthException", "m"},
	{"an object with a number", 200, `{"error":{"code":100}}`,
		authcode.GrantRejected, "answer.error", "100", ""},
	{"an object with a registered code", 400, `{"error":{"code":"invalid_client"}}`,
		authcode.Configuration, "answer.configuration", "invalid_client", ""},
	{"WeChat's", 200, `{"errcode":40029,"errmsg":"m"}`,
		authcode.GrantRejected, "answer.error", "40029", "m"},
	{"error_code and error_message", 200, `{"error_code":7,"error_message":"m"}`,
		authcode.GrantRejected, "answer.error", "7", "m"},
	{"error_code alone", 200, `{"error_code":7}`,
		authcode.GrantRejected, "answer.error", "7", ""},
	{"error_message alone", 200, `{"error_message":"m"}`,
		authcode.GrantRejected, "answer.error", "", "m"},
	{"error_reason alone", 200, `{"error_reason":"r"}`,
		authcode.GrantRejected, "answer.error", "r", "r"},
	{"error_code with 401", 401, `{"error_code":7,"error_msg":"m"}`,
		authcode.Configuration, "answer.configuration", "7", "m"},
	{"error_code with 500", 500, `{"error_code":7,"error_msg":"m"}`,
		authcode.BadAnswer, "answer.error", "7", "m"},
	{"words that echo the code", 200, `{"errcode":"c0de","errmsg":"was c0de"}`,
		authcode.GrantRejected, "answer.error", "", ""},
	{"neither token nor words", 200, `{"errcode":0,"error_code":"0","error_message":""}`,
		authcode.BadAnswer, "token.access_token", "", ""},
	{"a token beside them", 200, `{"access_token":"at-1","errcode":7,"error_message":"m"}`,
		"", "", "", ""},
}

// TestOddAnswers: a token answer that says no is the provider's refusal, with
// its words kept.
func TestOddAnswers(t *testing.T) {
	for _, row := range oddAnswers {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, world.Answering(row.status, row.body))
			_, err := world.Begin(t, c, nil).Exchange(c)
			if row.reason == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := world.WantError(t, err, row.reason, row.check)
			if e.ServerError != row.code || e.ServerDescription != row.words {
				t.Errorf("got %q and %q", e.ServerError, e.ServerDescription)
			}
		})
	}
	// Beside a request_uri, other members say nothing.
	p := world.Answering(201, `{"request_uri":"urn:x:1","expires_in":60,"errcode":7}`)
	world.Begin(t, world.Client(t, p, world.Pushing), nil)
}
