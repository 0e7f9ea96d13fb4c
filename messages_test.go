package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
)

// hMessages is Messages that write requests as they are, and read responses as a query.
type hMessages struct {
	sign   bool
	signed bool
	err    error
	params url.Values
}

func (m *hMessages) SignRequest(_ context.Context, issuer string, params url.Values) (string, error) {
	m.params = params
	if !m.sign {
		return "", m.err
	}
	return "object for " + issuer, m.err
}

func (m *hMessages) Signed() bool { return m.signed }

func (m *hMessages) VerifyResponse(_ context.Context, _ *http.Client, clientID, response string) (url.Values, error) {
	if m.err != nil || clientID != "client" {
		return nil, m.err
	}
	return url.ParseQuery(response)
}

func hSigning(m *hMessages) func(*authcode.Config) {
	return func(c *authcode.Config) { c.Messages = m }
}

// TestSignedRequest: the request object stands in for all parameters, in the URL and in a push (RFC 9101).
func TestSignedRequest(t *testing.T) {
	m := &hMessages{sign: true}
	p := hAnswering(201, `{"request_uri":"urn:x:1","expires_in":60}`)
	l := hStart(t, hNew(t, p, hSigning(m)), nil)
	if l.target != hAuthURL+"?client_id=client&request=object+for+https%3A%2F%2Fprovider.example" {
		t.Errorf("the browser goes to %s", l.target)
	}
	for _, name := range []string{"client_id", "response_type", "redirect_uri", "state", "code_challenge", "code_challenge_method"} {
		if len(m.params[name]) != 1 {
			t.Errorf("%s is not in the request object", name)
		}
	}
	hStart(t, hNew(t, p, hSigning(m), hPushing), nil)
	form := p.seen()[0].form
	if len(form) != 2 || form.Get("request") != "object for "+hIssuer || form.Get("client_id") != "client" {
		t.Errorf("pushed %v", form)
	}
	m.sign = false
	if l := hStart(t, hNew(t, p, hSigning(m)), nil); l.query.Get("code_challenge") == "" || l.query.Has("request") {
		t.Errorf("unsigned: %s", l.target)
	}
	m.err = errors.New("canary")
	_, err := hNew(t, p, hSigning(m)).AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/auth/x"))
	hWantError(t, err, authcode.Configuration, "messages")
	_, err = authcode.New(hConfig(p, hSigning(m), func(c *authcode.Config) { c.Provider.Issuer = "" }))
	hWantError(t, err, authcode.Configuration, "config")
}

// TestSignedResponse: with JARM nothing but the signed response counts, and without it none is taken.
func TestSignedResponse(t *testing.T) {
	m := &hMessages{signed: true}
	c := hNew(t, &hProvider{}, hSigning(m))
	l := hStart(t, c, nil)
	if got := l.query.Get("response_mode"); got != "query.jwt" {
		t.Errorf("response_mode is %q", got)
	}
	response := func(l *hLogin, changes ...string) string {
		q := url.Values{"state": l.query["state"], "code": {"c0de"}, "iss": {hIssuer}}
		for i := 0; i < len(changes); i += 2 {
			if q.Set(changes[i], changes[i+1]); changes[i+1] == "" {
				q.Del(changes[i])
			}
		}
		return q.Encode()
	}
	for claim, row := range map[string]struct {
		changes []string // of what is signed
		reason  authcode.Reason
		check   string
	}{
		"no state inside":               {[]string{"state", ""}, authcode.Malformed, "callback.state"},
		"no code inside":                {[]string{"code", ""}, authcode.Malformed, "callback.code"},
		"another issuer inside":         {[]string{"iss", "https://evil.example"}, authcode.WrongIssuer, "iss"},
		"another state inside":          {[]string{"state", strings.Repeat("A", 43)}, authcode.Forged, "state.tag"},
		"an error inside, a code aside": {[]string{"code", "", "error", "access_denied"}, authcode.Denied, "authorization.error"},
	} {
		t.Run(claim, func(t *testing.T) {
			l := hStart(t, c, nil)
			_, err := c.Exchange(httptest.NewRecorder(), l.callback("response", response(l, row.changes...)))
			hWantError(t, err, row.reason, row.check)
		})
	}
	_, err := c.Exchange(httptest.NewRecorder(), l.callback())
	hWantError(t, err, authcode.Malformed, "response")
	l.finish(t, c, "response", response(l), "state", "what stands beside", "code", "counts for nothing")

	l = hStart(t, c, nil)
	m.err = errors.New("canary")
	_, err = c.Exchange(httptest.NewRecorder(), l.callback("response", "x"))
	hWantError(t, err, authcode.Forged, "response.verify")
	for _, off := range []func(*authcode.Config){hSigning(&hMessages{}), func(*authcode.Config) {}} {
		c = hNew(t, &hProvider{}, off)
		l = hStart(t, c, nil)
		_, err = c.Exchange(httptest.NewRecorder(), l.callback("response", "x"))
		hWantError(t, err, authcode.Malformed, "response")
		l.finish(t, c) // the refusal has cost the login nothing
	}
	post := hStart(t, hNew(t, &hProvider{}, hSigning(&hMessages{signed: true}), func(c *authcode.Config) { c.Provider.FormPost = true }), nil)
	if got := post.query.Get("response_mode"); got != "form_post.jwt" {
		t.Errorf("response_mode is %q", got)
	}
}

// hOpened is a ResponseVerifier whose parameters are these.
type hOpened struct {
	hMessages
	opened url.Values
}

func (m *hOpened) VerifyResponse(context.Context, *http.Client, string, string) (url.Values, error) {
	return m.opened, nil
}

// TestOddResponse: what a verifier returns passes the checks of a plain response.
func TestOddResponse(t *testing.T) {
	m := &hOpened{hMessages: hMessages{signed: true}}
	c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Messages = m })
	for _, name := range []string{"state", "code", "iss"} {
		for _, values := range [][]string{{}, {"a", "b"}} {
			l := hStart(t, c, nil)
			m.opened = url.Values{"state": l.query["state"], "code": {"c0de"}, "iss": {hIssuer}}
			m.opened[name] = values
			_, err := c.Exchange(httptest.NewRecorder(), l.callback("response", "x"))
			hWantError(t, err, authcode.Malformed, "callback.repeated")
		}
	}
}

// TestResource: services are named as often as there are, and a single one in the token request too.
func TestResource(t *testing.T) {
	const a, b = "https://a.example/x?y", "urn:b"
	for claim, row := range map[string]struct {
		static string
		opts   []authcode.AuthOption
		asked  string
		token  string
	}{
		"none":              {"", nil, "", ""},
		"one":               {"", []authcode.AuthOption{authcode.Resource(a)}, a, a},
		"two":               {"", []authcode.AuthOption{authcode.Resource(a, b)}, a + " " + b, ""},
		"two, one by one":   {"", []authcode.AuthOption{authcode.Resource(a), authcode.Resource(b)}, a + " " + b, ""},
		"of every login":    {b, nil, b, b},
		"of this one":       {b, []authcode.AuthOption{authcode.Resource(a)}, a, a},
		"two of this login": {b, []authcode.AuthOption{authcode.Resource(a, a)}, a + " " + a, ""},
	} {
		t.Run(claim, func(t *testing.T) {
			p := &hProvider{}
			c := hNew(t, p, func(c *authcode.Config) {
				if row.static != "" {
					c.Provider.AuthParams = map[string]string{"resource": row.static}
				}
			})
			l := hStart(t, c, nil, row.opts...)
			l.finish(t, c)
			if got := strings.Join(l.query["resource"], " "); got != row.asked {
				t.Errorf("asked for %q", got)
			}
			if got := strings.Join(p.seen()[0].form["resource"], " "); got != row.token {
				t.Errorf("the token request names %q", got)
			}
		})
	}
	for _, bad := range []string{"", "relative", "https://a.example/#x", "https://a.example#", "%zz:"} {
		_, err := hNew(t, &hProvider{}).AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"), authcode.Resource(a, bad))
		hWantError(t, err, authcode.Configuration, "param.resource")
	}
}

// TestAuthorizationDetails: what a marshals to goes out as JSON (RFC 9396 section 2); what was granted comes back.
func TestAuthorizationDetails(t *testing.T) {
	type payment struct {
		Type   string `json:"type"`
		Amount string `json:"amount,omitempty"`
	}
	p := hAnswering(200, `{"access_token":"a","authorization_details":[{"type":"payment","limit":12345678901234567890}]}`)
	c := hNew(t, p)
	l := hStart(t, c, nil, authcode.AuthorizationDetails(payment{"payment", "1.00"}, map[string]any{"type": "account"}))
	if got := l.query.Get("authorization_details"); got != `[{"type":"payment","amount":"1.00"},{"type":"account"}]` {
		t.Errorf("asked for %s", got)
	}
	granted, _ := l.finish(t, c).Token.Extra("authorization_details").([]any)
	if len(granted) != 1 || granted[0].(map[string]any)["limit"].(interface{ String() string }).String() != "12345678901234567890" {
		t.Errorf("granted %v", granted)
	}
	for claim, details := range map[string][]any{
		"none": nil, "no type": {payment{}}, "a text": {"payment"}, "not JSON": {func() {}}, "one of two": {payment{Type: "a"}, nil},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"), authcode.AuthorizationDetails(details...))
			hWantError(t, err, authcode.Configuration, "param.authorization_details")
		})
	}
}
