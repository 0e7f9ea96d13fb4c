package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// echo makes a provider's words of the request that it got.
type echo func(*world.Request) string

func saying(text string) echo { return func(*world.Request) string { return text } }

func echoing(field string) echo {
	return func(r *world.Request) string { return "it was " + r.Form.Get(field) }
}

func echoingHeader(r *world.Request) string { return r.Header.Get("Authorization") }

var manyWords = strings.Repeat("d", 2000)

const inBody = oauth2.AuthStyleInParams

// words are what a provider says of a failed request, and what is kept of it.
var words = []struct {
	claim string
	call  string
	style oauth2.AuthStyle
	echo  echo
	want  string
}{
	{"words are kept", "refresh", 0, saying("token <b>expired</b>"), "token <b>expired</b>"},
	{"they are bounded", "refresh", 0, saying(manyWords), manyWords[:1024]},
	{"and stay whole characters", "refresh", 0, saying(manyWords[:1023] + "é"),
		manyWords[:1023]},
	{"an echo of the refresh token is dropped", "refresh", 0, echoing("refresh_token"), ""},
	{"an echo of its escaped form is dropped, too", "refresh", 0,
		saying("it was " + url.QueryEscape(canaryRenew)), ""},
	{"and of its form in a path", "refresh", 0, saying("it was " + url.PathEscape(canaryRenew)),
		""},
	{"an echo of the revoked token is dropped", "revoke", 0, echoing("token"), ""},
	{"an echo of the code is dropped", "exchange", 0, echoing("code"), ""},
	{"an echo of the verifier is dropped", "exchange", 0, echoing("code_verifier"), ""},
	{"an echo of the secret in the body is dropped", "refresh", inBody,
		echoing("client_secret"), ""},
	{"an echo of the secret that Basic carries is dropped", "refresh", 0,
		saying("it was " + canarySecret), ""},
	{"an echo of its escaped form is dropped", "refresh", 0,
		saying("it was " + url.QueryEscape(canarySecret)), ""},
	{"an echo of its form in a path is dropped", "refresh", 0,
		saying("it was " + url.PathEscape(canarySecret)), ""},
	{"an echo of the Basic header is dropped", "refresh", 0, echoingHeader, ""},
	{"an echo in lower-case escapes is dropped", "refresh", 0,
		saying("it was " + lowerEscapes(canaryRenew)), ""},
	{"an echo in which everything is escaped is dropped", "refresh", 0,
		saying("it was " + hexEscapes(canaryRenew)), ""},
	{"an echo escaped for HTML is dropped", "refresh", 0,
		saying("it was " + entities(canaryRenew)), ""},
	{"an echo escaped twice is dropped", "refresh", 0,
		saying("it was " + url.QueryEscape(entities(canaryRenew))), ""},
	{"the beginning of the token is dropped", "refresh", 0,
		saying("it was " + canaryRenew[:8] + "..."), ""},
	{"the end of the secret is dropped", "refresh", 0,
		saying("it was ..." + canarySecret[len(canarySecret)-8:]), ""},
	{"a malformed escape is no echo", "refresh", 0, saying("100% of %zz %4"), "100% of %zz %4"},
}

func lowerEscapes(s string) string {
	return regexp.MustCompile(`%..`).ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
}

func hexEscapes(s string) (escaped string) {
	for _, b := range []byte(s) {
		escaped += fmt.Sprintf("%%%02x", b)
	}
	return escaped
}

func entities(s string) (escaped string) {
	for _, b := range []byte(s) {
		escaped += fmt.Sprintf("&#%d;", b)
	}
	return escaped
}

// withSecret has the client secret canarySecret, in this style.
func withSecret(style oauth2.AuthStyle) func(*config) {
	return func(c *config) {
		c.ClientAuth, c.Provider.AuthStyle = authcode.Secret(canarySecret), style
	}
}

// TestServersWords: the server's error fields are kept apart, bounded, and
// empty if they echo what we sent.
func TestServersWords(t *testing.T) {
	for _, row := range words {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
				js, err := json.Marshal(map[string]string{
					"error": "invalid_grant", "error_description": row.echo(r),
					"error_uri": "https://e/?" + row.echo(r),
				})
				return world.Reply(400, string(js)), err
			}}
			e := failed(t, world.Client(t, p, withSecret(row.style)), row.call)
			if e.ServerError != "invalid_grant" || e.ServerDescription != row.want {
				t.Errorf("got %q, %q", e.ServerError, e.ServerDescription)
			}
			if row.want != "" && strings.Contains(e.Error(), row.want) {
				t.Errorf("the server's words are in %q", e)
			}
		})
	}
}

// failed makes one request to the provider, which refuses it.
func failed(t *testing.T, c *authcode.Client, call string) *authcode.Error {
	t.Helper()
	token := &oauth2.Token{AccessToken: canaryAccess, RefreshToken: canaryRenew}
	var err error
	switch call {
	case "refresh":
		_, err = c.Refresh(t.Context(), token)
	case "revoke":
		err = c.Revoke(t.Context(), token)
	case "exchange":
		_, err = world.Begin(t, c, nil).Exchange(c, "code", canaryAccess)
	}
	var e *authcode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	return e
}

// echoAll refuses every request in words that have all of it.
func echoAll(r *world.Request) (*http.Response, error) {
	all := r.Header.Get("Authorization") + r.Form.Encode()
	for _, name := range []string{
		"code", "token", "refresh_token", "client_secret", "code_verifier",
	} {
		all += r.Form.Get(name)
	}
	js, err := json.Marshal(map[string]string{
		"error": all, "error_description": all, "error_uri": all,
	})
	return world.Reply(400, string(js)), err
}

// TestErrorsHoldNoSecret: the errors of real requests, to a provider that
// echoes all that it gets.
func TestErrorsHoldNoSecret(t *testing.T) {
	p := &world.Provider{Answer: echoAll}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleInHeader, inBody} {
		c := world.Client(t, p, withSecret(style))
		for _, call := range []string{"refresh", "revoke", "exchange"} {
			t.Run(call, func(t *testing.T) {
				e := failed(t, c, call)
				outputs := world.Outputs(e, "%t", "%c")
				outputs["the server's words"] = e.ServerError + e.ServerDescription
				requests := p.Requests()
				verifier := requests[len(requests)-1].Form.Get("code_verifier")
				for how, text := range outputs {
					wantNoCanary(t, how, text)
					if verifier != "" && strings.Contains(text, verifier) {
						t.Errorf("%s shows the verifier", how)
					}
				}
			})
		}
	}
}
