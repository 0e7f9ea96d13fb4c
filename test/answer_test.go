package test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

var answersOfTheTokenEndpoint = []struct {
	name   string
	fault  authserver.Fault
	reason authcode.Reason // empty: the login succeeds
	check  string
}{
	{"401 invalid_client", authserver.Error(401, "invalid_client", ""), authcode.Configuration,
		"answer.configuration"},
	{"400 invalid_client", authserver.Error(400, "invalid_client", ""), authcode.Configuration,
		"answer.configuration"},
	{"401 without a code", authserver.Answer(401, "text/plain", "no"), authcode.Configuration,
		"answer.configuration"},
	{"400 unauthorized_client", authserver.Error(400, "unauthorized_client", ""),
		authcode.Configuration, "answer.configuration"},
	{"400 invalid_scope", authserver.Error(400, "invalid_scope", ""), authcode.Configuration,
		"answer.configuration"},
	{"400 unsupported_grant_type", authserver.Error(400, "unsupported_grant_type", ""),
		authcode.Configuration, "answer.configuration"},
	{"200 incorrect_client_credentials",
		authserver.Error(200, "incorrect_client_credentials", ""), authcode.Configuration,
		"answer.configuration"},
	{"400 invalid_grant", authserver.Error(400, "invalid_grant", ""), authcode.GrantRejected,
		"answer.error"},
	{"400 invalid_request", authserver.Error(400, "invalid_request", ""),
		authcode.GrantRejected, "answer.error"},
	{"400 without a body", authserver.Answer(400, "", ""), authcode.GrantRejected,
		"answer.error"},
	{"403", authserver.Error(403, "access_denied", ""), authcode.GrantRejected, "answer.error"},
	{"200 with an error object",
		authserver.Answer(200, "application/json", `{"error":{"code":1},"access_token":"a"}`),
		authcode.GrantRejected, "answer.error"},
	{"429", authserver.Busy(429, "17"), authcode.Overloaded, "answer.error"},
	{"503", authserver.Busy(503, "17"), authcode.Overloaded, "answer.error"},
	{"500 with JSON", authserver.Error(500, "server_error", ""), authcode.BadAnswer,
		"answer.error"},
	{"502", authserver.Answer(502, "text/html", "<h1>Bad Gateway</h1>"), authcode.BadAnswer,
		"answer.error"},
	{"404", authserver.Answer(404, "text/html", "<h1>Not Found</h1>"), authcode.BadAnswer,
		"answer.error"},
	{"connection reset", authserver.Reset(), authcode.Unreachable, "provider.unreachable"},
	{"half a body", authserver.Truncated(), authcode.Unreachable, "provider.unreachable"},
	{"200 without a body", authserver.Answer(200, "", ""), authcode.BadAnswer, "answer.empty"},
	{"204", authserver.Answer(204, "", ""), authcode.BadAnswer, "answer.empty"},
	{"200 with HTML", authserver.Answer(200, "text/html", "<html>"), authcode.BadAnswer,
		"answer.form"},
	{"a JSON array", authserver.Answer(200, "application/json", `["access_token"]`),
		authcode.BadAnswer, "answer.form"},
	{"two objects",
		authserver.Answer(200, "application/json", `{"access_token":"a"}{"access_token":"b"}`),
		authcode.BadAnswer, "answer.form"},
	{"no access_token", authserver.Drop("access_token"), authcode.BadAnswer,
		"token.access_token"},
	{"an empty access_token", authserver.Set("access_token", `""`), authcode.BadAnswer,
		"token.access_token"},
	{"a number as access_token", authserver.Set("access_token", "12"), authcode.BadAnswer,
		"token.access_token"},
	{"a newline in access_token", authserver.Set("access_token", `"a\nb"`), authcode.BadAnswer,
		"token.access_token"},
	{"a repeated access_token", authserver.Repeat("access_token", ""), authcode.BadAnswer,
		"answer.form"},
	{"Access_Token beside access_token", authserver.Set("Access_Token", `"x"`),
		authcode.BadAnswer, "answer.form"},
	{"Access_Token alone", authserver.Rename("access_token", "Access_Token"),
		authcode.BadAnswer, "token.access_token"},
	{"an unknown token_type", authserver.Set("token_type", `"mac"`), authcode.BadAnswer,
		"token.token_type"},
	{"a list as token_type", authserver.Set("token_type", `["Bearer"]`), authcode.BadAnswer,
		"token.token_type"},
	{"a negative expires_in", authserver.Set("expires_in", "-1"), authcode.BadAnswer,
		"token.expires_in"},
	{"a word as expires_in", authserver.Set("expires_in", `"soon"`), authcode.BadAnswer,
		"token.expires_in"},
	{"a number as refresh_token", authserver.Set("refresh_token", "12"), authcode.BadAnswer,
		"token.refresh_token"},
	{"an object as scope", authserver.Set("scope", "{}"), authcode.BadAnswer, "token.scope"},
	{name: "BEARER", fault: authserver.Set("token_type", `"BEARER"`)},
	{name: "no token_type", fault: authserver.Drop("token_type")},
	{name: "a wrong content type", fault: authserver.ContentType("text/html")},
	{name: "an empty error beside a token", fault: authserver.Set("error", `""`)},
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	for _, c := range answersOfTheTokenEndpoint {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t)
			b := w.Browser()
			callback := b.Callback("")
			w.Server.SetFaults(authserver.Token, c.fault)
			resp := b.Get(callback)
			w.WantTokenRequests(1)
			if c.reason == "" {
				w.WantStatus(resp, http.StatusSeeOther)
				return
			}
			w.WantFailure(resp, c.reason, c.check)
			if len(w.Logins()) != 0 || len(b.LoginCookies()) != 0 {
				t.Error("somebody was signed in, or the login is still pending")
			}
			got, want := resp.Header.Get("Retry-After"),
				map[bool]string{true: "17"}[c.reason == authcode.Overloaded]
			if got != want {
				t.Errorf("Retry-After: %q, want %q", got, want)
			}
		})
	}
}

// styles are client authentications, and how the error after invalid_client
// names the one that was used and the fields to look at.
var styles = map[string]authserver.ClientRegistration{
	"HTTP Basic, form-encoded; check ClientID and the secret first, then Provider.AuthStyle": {
		AuthMethod: authserver.Basic, Secret: "right-secret"},
	"HTTP Basic as they are; check ClientID and the secret first, then Provider.AuthStyle": {
		AuthMethod: authserver.Basic, Secret: "right-secret", RawBasic: true},
	"in the body; check ClientID and the secret first, then Provider.AuthStyle": {
		AuthMethod: authserver.Post, Secret: "right-secret"},
	"no client secret was sent; check ClientID first, then Config.ClientAuth": {
		AuthMethod: authserver.None},
}

func TestInvalidClientNamesTheStyleAndTheField(t *testing.T) {
	for want, reg := range styles {
		w := world.New(t)
		reg.ID = "client"
		w.Register(reg)
		w.Server.SetFaults(authserver.Token, authserver.Error(401, "invalid_client", ""))
		w.WantFailure(w.Browser().SignIn(""), authcode.Configuration, "answer.configuration")
		if text := w.LastError().Error(); !strings.Contains(text, want) {
			t.Errorf("the error says %q, want %q in it", text, want)
		}
	}
}

// unread is a body that must not be read.
type unread struct{ *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.Error("the body was read")
	return 0, io.EOF
}

func (unread) Close() error { return nil }

// TestAnswerThatSaysItIsTooLong: it need not be read to be refused.
func TestAnswerThatSaysItIsTooLong(t *testing.T) {
	c := world.Client(t, &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		resp := world.Reply(200, "")
		resp.Body, resp.ContentLength = unread{t}, 256<<10+1
		return resp, nil
	}})
	_, err := c.Refresh(t.Context(), world.Expired())
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != authcode.BadAnswer || e.Check != "answer.size" {
		t.Errorf("got %v", err)
	}
}
