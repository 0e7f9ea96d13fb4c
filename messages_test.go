package authcode_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
)

// hMessages makes a MessageSigning that writes requests as they are, and a Provider.Verify that reads responses as a
// query.
type hMessages struct {
	sign   bool
	signed bool
	err    error
	params url.Values
	object string // in place of one that names the issuer
}

func (m *hMessages) signRequest(_ context.Context, conn *authcode.Connection, params url.Values) (string, error) {
	m.params = params
	if m.object != "" {
		return m.object, m.err
	}
	return hJWT(`{"alg":"ES256","for":"` + conn.Config.Provider.Issuer + `"}`), m.err
}

func (m *hMessages) verify(_ context.Context, conn *authcode.Connection, typ, response string) (map[string]any, error) {
	if m.err != nil || conn.Config.ClientID != "client" || typ != "oauth-authz-resp+jwt" {
		return nil, m.err
	}
	params, err := url.ParseQuery(response)
	claims := map[string]any{"exp": json.Number("1")}
	for name, values := range params {
		claims[name] = values[0]
	}
	return claims, err
}

func hSigning(m *hMessages) func(*authcode.Config) {
	return func(c *authcode.Config) {
		c.MessageSigning.SignedResponses, c.Provider.Verify = m.signed, m.verify
		if m.sign {
			c.MessageSigning.SignRequest = m.signRequest
		}
	}
}

// TestSignedRequest: the request object stands in for all parameters, in the URL and in a push (RFC 9101).
func TestSignedRequest(t *testing.T) {
	m := &hMessages{sign: true}
	p := hAnswering(201, `{"request_uri":"urn:x:1","expires_in":60}`)
	l := hStart(t, hNew(t, p, hSigning(m)), nil)
	object := hJWT(`{"alg":"ES256","for":"` + hIssuer + `"}`)
	if l.target != hAuthURL+"?client_id=client&request="+object {
		t.Errorf("the browser goes to %s", l.target)
	}
	for _, name := range []string{"client_id", "response_type", "redirect_uri", "state", "code_challenge", "code_challenge_method"} {
		if len(m.params[name]) != 1 {
			t.Errorf("%s is not in the request object", name)
		}
	}
	hStart(t, hNew(t, p, hSigning(m), hPushing), nil)
	form := p.seen()[0].form
	if len(form) != 2 || form.Get("request") != object || form.Get("client_id") != "client" {
		t.Errorf("pushed %v", form)
	}
	m.sign = false
	if l := hStart(t, hNew(t, p, hSigning(m)), nil); l.query.Get("code_challenge") == "" || l.query.Has("request") {
		t.Errorf("unsigned: %s", l.target)
	}
	m.sign, m.err = true, errors.New("canary")
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
		"another issuer inside":         {[]string{"iss", "https://evil.example"}, authcode.Forged, "iss"},
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

// TestOddResponse: what Provider.Verify returns passes the checks of a plain response.
func TestOddResponse(t *testing.T) {
	var opened map[string]any
	c := hNew(t, &hProvider{}, hSigning(&hMessages{signed: true}), func(c *authcode.Config) {
		c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
			return opened, nil
		}
	})
	for name, check := range map[string]string{"state": "callback.state", "code": "callback.code", "iss": "iss"} {
		for _, value := range []any{nil, "", []any{"a", "b"}, json.Number("7"), map[string]any{}} {
			l := hStart(t, c, nil)
			opened = map[string]any{"state": l.query.Get("state"), "code": "c0de", "iss": hIssuer, "exp": json.Number("1")}
			opened[name] = value
			_, err := c.Exchange(httptest.NewRecorder(), l.callback("response", "x"))
			if value == "" && name != "iss" {
				hWantError(t, err, authcode.Malformed, check)
			} else if value == "" {
				hWantError(t, err, authcode.Forged, check)
			} else {
				hWantError(t, err, authcode.Malformed, "response.claim")
			}
		}
	}
}

// TestRequestObjectIsChecked: what a signer returns is a JWT signed with an admitted algorithm, whatever the signer
// says of itself.
func TestRequestObjectIsChecked(t *testing.T) {
	for claim, row := range map[string]struct {
		object   string
		admitted []string
		check    string
	}{
		"admitted":             {hJWT(`{"alg":"ES256"}`), []string{"PS256", "ES256"}, ""},
		"any":                  {hJWT(`{"alg":"RS256"}`), nil, ""},
		"another algorithm":    {hJWT(`{"alg":"RS256"}`), []string{"PS256", "ES256"}, "messages.key"},
		"none":                 {hJWT(`{"alg":"none"}`), nil, "messages.object"},
		"no algorithm":         {hJWT(`{}`), nil, "messages.object"},
		"no signature":         {"eyJhbGciOiJFUzI1NiJ9.e30.", nil, "messages.object"},
		"not a JWT":            {"object", nil, "messages.object"},
		"an encrypted one":     {"e30.e30.e30.e30.e30", nil, "messages.object"},
		"two algorithms in it": {hJWT(`{"alg":"ES256","alg":"none"}`), nil, "messages.object"},
	} {
		t.Run(claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, hSigning(&hMessages{sign: true, object: row.object}), func(c *authcode.Config) { c.Algorithms = row.admitted })
			_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/auth/x"))
			if row.check == "" && err != nil {
				t.Error(err)
			} else if row.check != "" {
				hWantError(t, err, authcode.Configuration, row.check)
			}
		})
	}
}

func hResource(uris ...string) authcode.AuthOption { return authcode.Param("resource", uris...) }

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
		"one":               {"", []authcode.AuthOption{hResource(a)}, a, a},
		"two":               {"", []authcode.AuthOption{hResource(a, b)}, a + " " + b, ""},
		"two, one by one":   {"", []authcode.AuthOption{hResource(a), hResource(b)}, a + " " + b, ""},
		"of every login":    {b, nil, b, b},
		"of this one":       {b, []authcode.AuthOption{hResource(a)}, a, a},
		"two of this login": {b, []authcode.AuthOption{hResource(a, a)}, a + " " + a, ""},
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
		_, err := hNew(t, &hProvider{}).AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"), hResource(a, bad))
		hWantError(t, err, authcode.Configuration, "param.resource")
	}
}

// TestAuthorizationDetails: they go out as they are (RFC 9396 section 2); what was granted comes back.
func TestAuthorizationDetails(t *testing.T) {
	p := hAnswering(200, `{"access_token":"a","authorization_details":[{"type":"payment","limit":12345678901234567890}]}`)
	c := hNew(t, p)
	const asked = `[{"type":"payment","amount":"1.00"},{"type":"account"}]`
	l := hStart(t, c, nil, authcode.Param("authorization_details", asked))
	if got := l.query.Get("authorization_details"); got != asked {
		t.Errorf("asked for %s", got)
	}
	granted, _ := l.finish(t, c).Token.Extra("authorization_details").([]any)
	if len(granted) != 1 || granted[0].(map[string]any)["limit"].(interface{ String() string }).String() != "12345678901234567890" {
		t.Errorf("granted %v", granted)
	}
	for claim, details := range map[string][]string{
		"an empty list": {"[]"}, "no type": {`[{}]`}, "an empty type": {`[{"type":""}]`}, "a type that is a number": {`[{"type":7}]`},
		"a text": {`["payment"]`}, "not JSON": {"x"}, "one of two": {`[{"type":"a"},null]`}, "an object": {`{"type":"a"}`}, "two lists": {asked, asked},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"), authcode.Param("authorization_details", details...))
			hWantError(t, err, authcode.Configuration, "param.authorization_details")
		})
	}
}
