package authcode_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hEcho makes the words of a provider of the request that it got.
type hEcho func(*hRequest) string

func hSaying(text string) hEcho { return func(*hRequest) string { return text } }

func hEchoing(field string) hEcho {
	return func(r *hRequest) string { return "it was " + r.form.Get(field) }
}

// TestServersWords: the server's error fields are kept apart, bounded, and empty if they echo what we sent.
func TestServersWords(t *testing.T) {
	long := strings.Repeat("d", 2000)
	rows := []struct {
		claim string
		call  string
		style oauth2.AuthStyle
		echo  hEcho
		want  string
	}{
		{"words are kept", "refresh", 0, hSaying("token <b>expired</b>"), "token <b>expired</b>"},
		{"they are bounded", "refresh", 0, hSaying(long), long[:1024]},
		{"and stay whole characters", "refresh", 0, hSaying(long[:1023] + "é"), long[:1023]},
		{"an echo of the refresh token is dropped", "refresh", 0, hEchoing("refresh_token"), ""},
		{"an echo of its escaped form is dropped, too", "refresh", 0, hSaying("it was " + url.QueryEscape(hCanaryRenew)), ""},
		{"and of its form in a path", "refresh", 0, hSaying("it was " + url.PathEscape(hCanaryRenew)), ""},
		{"an echo of the revoked token is dropped", "revoke", 0, hEchoing("token"), ""},
		{"an echo of the code is dropped", "exchange", 0, hEchoing("code"), ""},
		{"an echo of the verifier is dropped", "exchange", 0, hEchoing("code_verifier"), ""},
		{"an echo of the secret in the body is dropped", "refresh", oauth2.AuthStyleInParams, hEchoing("client_secret"), ""},
		{"an echo of the secret that Basic carries is dropped", "refresh", 0, hSaying("it was " + hCanarySecret), ""},
		{"an echo of its escaped form is dropped", "refresh", 0, hSaying("it was " + url.QueryEscape(hCanarySecret)), ""},
		{"an echo of its form in a path is dropped", "refresh", 0, hSaying("it was " + url.PathEscape(hCanarySecret)), ""},
		{"an echo of the Basic header is dropped", "refresh", 0, func(r *hRequest) string { return r.Header.Get("Authorization") }, ""},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &hProvider{answer: func(r *hRequest) (*http.Response, error) {
				js, err := json.Marshal(map[string]string{
					"error": "invalid_grant", "error_description": row.echo(r), "error_uri": "https://e/?" + row.echo(r),
				})
				return hReply(400, string(js)), err
			}}
			c := hNew(t, p, func(c *authcode.Config) {
				c.ClientAuth, c.Provider.AuthStyle = authcode.Secret(hCanarySecret), row.style
			})
			e := hCall(t, c, row.call)
			if e.ServerError != "invalid_grant" || e.ServerDescription != row.want {
				t.Errorf("got %q, %q", e.ServerError, e.ServerDescription)
			}
			if row.want != "" && strings.Contains(e.Error(), row.want) {
				t.Errorf("the server's words are in %q", e)
			}
		})
	}
}

// hCall makes one request to the provider, which fails.
func hCall(t *testing.T, c *authcode.Client, call string) *authcode.Error {
	t.Helper()
	token := &oauth2.Token{AccessToken: hCanaryAccess, RefreshToken: hCanaryRenew}
	var err error
	switch call {
	case "refresh":
		_, err = c.Refresh(t.Context(), token)
	case "revoke":
		err = c.Revoke(t.Context(), token)
	case "exchange":
		_, err = c.Exchange(httptest.NewRecorder(), hStart(t, c, nil).callback("code", hCanaryAccess))
	}
	var e *authcode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	return e
}

// TestErrorsHoldNoSecret: the errors of real requests, to a provider that echoes all that it gets.
func TestErrorsHoldNoSecret(t *testing.T) {
	p := &hProvider{answer: func(r *hRequest) (*http.Response, error) {
		js, err := json.Marshal(r.Header.Get("Authorization") + r.form.Encode() + r.form.Get("code") + r.form.Get("token") +
			r.form.Get("refresh_token") + r.form.Get("client_secret") + r.form.Get("code_verifier"))
		echo := string(js)
		return hReply(400, `{"error":`+echo+`,"error_description":`+echo+`,"error_uri":`+echo+`}`), err
	}}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams} {
		c := hNew(t, p, func(c *authcode.Config) {
			c.ClientAuth, c.Provider.AuthStyle = authcode.Secret(hCanarySecret), style
		})
		for _, call := range []string{"refresh", "revoke", "exchange"} {
			t.Run(call, func(t *testing.T) {
				e := hCall(t, c, call)
				outputs := hOutputs(e, "%t", "%c")
				outputs["the server's words"] = e.ServerError + e.ServerDescription
				verifier := p.seen()[len(p.seen())-1].form.Get("code_verifier")
				for how, text := range outputs {
					hWantNone(t, how, text)
					if verifier != "" && strings.Contains(text, verifier) {
						t.Errorf("%s shows the verifier", how)
					}
				}
			})
		}
	}
}
