package test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// slackV2 is the answer of Slack's oauth.v2.access for a token of a user.
const slackV2 = `{"ok":true,"app_id":"A0EXAMPLE","authed_user":{"id":"U0EXAMPLE",` +
	`"scope":"identity.basic,identity.email","access_token":"xoxp-example-user-token",` +
	`"token_type":"user"},"team":{"id":"T0EXAMPLE"},"enterprise":null,"is_enterprise_install":false}`

// userToken is a Provider.TokenBody for Slack.
func userToken(body []byte) ([]byte, error) {
	var answer struct {
		User struct {
			Token string `json:"access_token"`
			Scope string `json:"scope"`
		} `json:"authed_user"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.User.Token == "" {
		return body, nil
	}
	return json.Marshal(map[string]string{
		"access_token": answer.User.Token, "scope": answer.User.Scope,
	})
}

func slack(c *config) { c.Provider.TokenBody, c.Provider.ScopeSep = userToken, "," }

// TestTokenBody: an answer beyond RFC 6749 becomes a token, at a login and at a
// refresh, and a refusal stays one.
func TestTokenBody(t *testing.T) {
	p := world.Answering(200, slackV2)
	c := world.Client(t, p, slack)
	login := world.Begin(t, c, nil).Finish(t, c)
	if login.Token.AccessToken != "xoxp-example-user-token" ||
		strings.Join(login.Scopes, " ") != "identity.basic identity.email" {
		t.Errorf("got %q with %q", login.Token.AccessToken, login.Scopes)
	}
	fresh, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
	if err != nil || fresh.AccessToken != "xoxp-example-user-token" {
		t.Errorf("refresh: got %v", err)
	}
	p.Answer = world.Always(200, `{"ok":false,"error":"invalid_code"}`)
	_, err = world.Begin(t, c, nil).Exchange(c)
	e := world.WantError(t, err, authcode.GrantRejected, "answer.error")
	if e.ServerError != "invalid_code" {
		t.Errorf("got %q", e.ServerError)
	}
}

// bodies are what a Provider.TokenBody returns.
var bodies = []struct {
	claim  string
	status int
	body   string
	err    error
	reason authcode.Reason
	check  string
}{
	{"an error of the app", 200, "", errors.New("canary"), authcode.BadAnswer, "token_body"},
	{"an error with a reason", 200, "",
		authcode.NewError(authcode.NotAdmitted, "team", "not this team", nil),
		authcode.NotAdmitted, "team"},
	{"nothing", 200, "", nil, authcode.BadAnswer, "answer.empty"},
	{"a repeated member", 200, `{"access_token":"a","access_token":"b"}`, nil,
		authcode.BadAnswer, "answer.form"},
	{"another type", 200, `{"access_token":"a","token_type":"mac"}`, nil,
		authcode.BadAnswer, "token.token_type"},
	{"an error", 200, `{"error":"invalid_grant"}`, nil, authcode.GrantRejected, "answer.error"},
	{"not asked after 503", 503, `{"access_token":"a"}`, nil, authcode.Overloaded, "answer.error"},
}

// TestTokenBodyIsChecked: what the function returns is read as strictly as any
// answer, and it is not asked about a status that is no success, or about PAR.
func TestTokenBodyIsChecked(t *testing.T) {
	for _, row := range bodies {
		t.Run(row.claim, func(t *testing.T) {
			p := world.Answering(row.status, `{"canary":"`+row.claim+`"}`)
			c := world.Client(t, p, func(c *config) {
				c.Provider.TokenBody = func([]byte) ([]byte, error) {
					if row.status != 200 {
						t.Error("it was asked")
					}
					return []byte(row.body), row.err
				}
			})
			_, err := world.Begin(t, c, nil).Exchange(c)
			e := world.WantError(t, err, row.reason, row.check)
			if strings.Contains(e.Error(), "canary") {
				t.Errorf("got %q", e)
			}
		})
	}
	world.Begin(t, world.Client(t, world.Answering(201, world.Pushed), demandsPAR, world.Pushing,
		func(c *config) {
			c.Provider.TokenBody = func([]byte) ([]byte, error) { return nil, errors.New("asked") }
		}), nil)
}

// TestTokenBodyChoosesNoKey: a body cannot bring the members that the library
// keeps beside a token.
func TestTokenBodyChoosesNoKey(t *testing.T) {
	c := world.Client(t, new(world.Provider), func(c *config) {
		c.Provider.TokenBody = func([]byte) ([]byte, error) {
			return []byte(`{"access_token":"a","authcode.key":"k","authcode.unchecked":"u"}`), nil
		}
	})
	login := world.Begin(t, c, nil).Finish(t, c)
	if login.Token.Extra("authcode.key") != nil || login.Token.Extra("authcode.unchecked") != nil {
		t.Error("the body chose a key")
	}
}

// deviceID is a Provider.TokenParams for VK ID, whose token request needs the
// device_id of the callback.
func deviceID(callback url.Values) (url.Values, error) {
	if callback.Get("device_id") == "" {
		return nil, authcode.NewError(authcode.Malformed, "device_id", "no device_id", nil)
	}
	return url.Values{"device_id": callback["device_id"], "state": callback["state"]}, nil
}

// TestTokenParams: the token request has what the function returns, beside the
// parameters of the protocol.
func TestTokenParams(t *testing.T) {
	p := new(world.Provider)
	c := world.Client(t, p, func(c *config) { c.Provider.TokenParams = deviceID })
	world.Begin(t, c, nil).Finish(t, c, "device_id", "a&b=c")
	form := p.Requests()[0].Form
	if form.Get("state") == "" || form.Get("device_id") != "a&b=c" || form.Get("code") != "c0de" || form.Get("b") != "" {
		t.Errorf("sent %v", form)
	}
	_, err := world.Begin(t, c, nil).Exchange(c)
	world.WantError(t, err, authcode.Malformed, "device_id")
	// The function gets a copy.
	c = world.Client(t, p, func(c *config) {
		c.Provider.TokenParams = func(callback url.Values) (url.Values, error) {
			callback.Set("code", "another")
			return nil, nil
		}
		c.Provider.Identity = func(_ context.Context, resp *authcode.TokenResponse) (
			*authcode.Identity, error) {
			return &authcode.Identity{Issuer: "i", Subject: resp.Callback.Get("code")}, nil
		}
	})
	if login := world.Begin(t, c, nil).Finish(t, c); login.Identity.Subject != "c0de" {
		t.Errorf("the callback's code has become %q", login.Identity.Subject)
	}
}

// TestTokenParamsAreLimited: no parameter of the protocol is replaced or
// repeated, whatever the function returns.
func TestTokenParamsAreLimited(t *testing.T) {
	for claim, more := range map[string]url.Values{
		"the code":               {"code": {"x"}},
		"the code in upper case": {"CODE": {"x"}},
		"the verifier":           {"code_verifier": {"x"}},
		"the grant type":         {"grant_type": {"x"}},
		"the redirect URI":       {"redirect_uri": {"x"}},
		"the client ID":          {"client_id": {"x"}},
		"its other name":         {"App_ID": {"x"}},
		"the secret":             {"client_secret": {"x"}},
		"the resource":           {"resource": {"x"}},
		"two values":             {"device_id": {"x", "y"}},
		"no value":               {"device_id": {}},
		"no name":                {"": {"x"}},
	} {
		p := new(world.Provider)
		c := world.Client(t, p, func(c *config) {
			c.Provider.ClientIDParam = "app_id"
			c.Provider.TokenParams = func(url.Values) (url.Values, error) { return more, nil }
		})
		l := world.Begin(t, c, nil, authcode.Param("resource", "https://api.example"))
		_, err := l.Exchange(c)
		if e := (*authcode.Error)(nil); !errors.As(err, &e) ||
			e.Reason != authcode.Configuration || e.Check != "token_params.reserved" {
			t.Errorf("%s: got %v", claim, err)
		}
		p.WantRequests(t, 0)
	}
	c := world.Client(t, new(world.Provider), func(c *config) {
		c.Provider.TokenParams = func(url.Values) (url.Values, error) { return nil, http.ErrAbortHandler }
	})
	_, err := world.Begin(t, c, nil).Exchange(c)
	world.WantError(t, err, authcode.Malformed, "token_params")
}

// TestTokenParamsAreKept: each refresh sends them again, also after the token
// was stored, but a changed token sets no parameter of the protocol.
func TestTokenParamsAreKept(t *testing.T) {
	p := new(world.Provider)
	c := world.Client(t, p, func(c *config) { c.Provider.TokenParams = deviceID })
	token := world.Begin(t, c, nil).Finish(t, c, "device_id", "a&b=c").Token
	for range 2 {
		var err error
		if token, err = c.Refresh(t.Context(), restarted(t, token)); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range p.Requests() {
		if r.Form.Get("device_id") != "a&b=c" || r.Form.Has("b") {
			t.Errorf("sent %v", r.Form)
		}
	}
	for _, params := range []string{"client_secret=x", "Refresh_Token=x", "grant_type=x", "client_id=x",
		"device_id=x&device_id=y", "%zz", "device_id=x&code=c"} {
		changed := token.WithExtra(map[string]any{"authcode.params": params})
		_, err := c.Refresh(t.Context(), changed)
		world.WantError(t, err, authcode.Malformed, "token.params")
	}
	p.WantRequests(t, 3, "/token")
	// What the refresh itself asks for wins.
	changed := token.WithExtra(map[string]any{"authcode.params": "Resource=https%3A%2F%2Fa.example"})
	if _, err := c.Refresh(t.Context(), changed, authcode.RefreshResource("https://b.example")); err != nil {
		t.Fatal(err)
	}
	if form := p.Requests()[3].Form; form.Has("Resource") || form.Get("resource") != "https://b.example" {
		t.Errorf("sent %v", form)
	}
	// Without TokenParams there are none.
	if _, err := world.Client(t, p).Refresh(t.Context(), token); err != nil || p.Requests()[4].Form.Has("device_id") {
		t.Errorf("got %v", err)
	}
}
