package test

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// closing tells whether a body was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

var bothTokens = &oauth2.Token{AccessToken: "at", RefreshToken: "rt"}

// revocations are tokens to revoke and what the provider answers.
var revocations = []struct {
	claim      string
	token      *oauth2.Token
	status     int
	body       string
	sent, hint string
	reason     authcode.Reason // "": success
	check      string
}{
	{"the refresh token goes first", bothTokens, 200, ``, "rt", "refresh_token", "", ""},
	{"without one the access token goes", &oauth2.Token{AccessToken: "at"}, 200, ``, "at",
		"access_token", "", ""},
	{"200 is success, whatever the answer", bothTokens, 200, `<html>`, "rt", "refresh_token", "",
		""},
	{"200 is success, even with an error", bothTokens, 200, `{"error":"invalid_token"}`, "rt",
		"refresh_token", "", ""},
	{"any status of success is one", bothTokens, 204, ``, "rt", "refresh_token", "", ""},
	{"unsupported_token_type", bothTokens, 400, `{"error":"unsupported_token_type"}`, "rt",
		"refresh_token", authcode.BadAnswer, "answer.error"},
	{"an empty 400", bothTokens, 400, ``, "rt", "refresh_token", authcode.BadAnswer,
		"answer.error"},
	{"invalid_client", bothTokens, 401, `{"error":"invalid_client"}`, "rt", "refresh_token",
		authcode.Configuration, "answer.configuration"},
	{"a 503", bothTokens, 503, ``, "rt", "refresh_token", authcode.Overloaded, "answer.error"},
	{"a 500", bothTokens, 500, ``, "rt", "refresh_token", authcode.BadAnswer, "answer.error"},
	{"a redirect", bothTokens, 302, ``, "rt", "refresh_token", authcode.BadAnswer,
		"answer.redirect"},
}

func TestRevoke(t *testing.T) {
	for _, row := range revocations {
		t.Run(row.claim, func(t *testing.T) {
			body := &closing{Reader: strings.NewReader(row.body)}
			p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
				resp := world.Reply(row.status, "")
				resp.Body = body
				return resp, nil
			}}
			err := world.Client(t, p).Revoke(t.Context(), row.token)
			world.WantOutcome(t, err, row.reason, row.check)
			p.WantRequests(t, 1)
			r := p.Requests()[0]
			want := url.Values{"token": {row.sent}, "token_type_hint": {row.hint}}
			id, secret, _ := r.BasicAuth()
			if r.URL.String() != world.RevocationURL || !reflect.DeepEqual(r.Form, want) ||
				id != "client" || secret != world.ClientSecret {
				t.Errorf("sent %s %v as %q", r.URL, r.Form, id)
			}
			if !body.closed {
				t.Error("the answer's body was not closed")
			}
		})
	}
}

func TestRevokeNeeds(t *testing.T) {
	p := &world.Provider{}
	for claim, token := range map[string]*oauth2.Token{"nil": nil, "an empty token": {}} {
		t.Run(claim+" is refused", func(t *testing.T) {
			world.WantError(t, world.Client(t, p).Revoke(t.Context(), token), authcode.Malformed,
				"token.none")
		})
	}
	t.Run("no RevocationURL is refused", func(t *testing.T) {
		c := world.Client(t, p, func(c *config) { c.Provider.RevocationURL = "" })
		err := c.Revoke(t.Context(), &oauth2.Token{AccessToken: "at"})
		e := world.WantError(t, err, authcode.Unsupported, "revoke.endpoint")
		if !strings.Contains(e.Error(), "set RevocationURL in Provider.Endpoints") {
			t.Errorf("%q does not name the field", e)
		}
	})
	// django-oauth-toolkit's metadata does not name the endpoint that it has.
	t.Run("no revocation_endpoint in the metadata is refused", func(t *testing.T) {
		c := world.Client(t, p, func(c *config) {
			ep := c.Provider.Endpoints
			ep.RevocationURL, c.Provider.Endpoints = "", authcode.Endpoints{}
			c.Provider.Metadata = func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
				return ep, nil
			}
		})
		err := c.Revoke(t.Context(), &oauth2.Token{AccessToken: "at"})
		e := world.WantError(t, err, authcode.Unsupported, "revoke.endpoint")
		if !strings.Contains(e.Error(), "a function around Provider.Metadata") {
			t.Errorf("%q does not say where to set it", e)
		}
	})
	p.WantRequests(t, 0)
	t.Run("an answer that breaks off is an error", func(t *testing.T) {
		p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
			resp := world.Reply(400, "")
			resp.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
			return resp, nil
		}}
		world.WantError(t, world.Client(t, p).Revoke(t.Context(), bothTokens),
			authcode.Unreachable, "provider.unreachable")
	})
}
