package test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// messages makes a MessageSigning that writes requests as they are, and a
// Provider.Verify that reads responses as a query.
type messages struct {
	sign   bool
	signed bool
	err    error
	params url.Values
	object string // in place of the JWT
	header string // of the JWT; if empty, it names the issuer
	change func(claims map[string]string)
}

func (m *messages) signRequest(_ context.Context, conn *authcode.Connection, params url.Values) (
	string, error) {
	m.params = params
	if m.object != "" {
		return m.object, m.err
	}
	claims := make(map[string]string)
	for name := range params {
		claims[name] = params.Get(name)
	}
	if m.change != nil {
		m.change(claims)
	}
	text, _ := json.Marshal(claims)
	header := cmp.Or(m.header, `{"alg":"ES256","for":"`+conn.Config.Provider.Issuer+`"}`)
	return world.JWT(header, string(text)), m.err
}

func (m *messages) verify(_ context.Context, conn *authcode.Connection, typ, response string) (
	map[string]any, error) {
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

// signing has an app sign as m does.
func (m *messages) signing(c *config) {
	c.MessageSigning.SignedResponses, c.Provider.Verify = m.signed, m.verify
	if m.sign {
		c.MessageSigning.SignRequest = m.signRequest
	}
}

// TestSignedRequest: the request object stands in for all parameters, in the
// URL and in a push (RFC 9101).
func TestSignedRequest(t *testing.T) {
	m := &messages{sign: true}
	p := world.Answering(201, world.Pushed)
	l := world.Begin(t, world.Client(t, p, m.signing), nil)
	head := strings.TrimSuffix(world.JWT(`{"alg":"ES256","for":"`+world.Issuer+`"}`, ``), ".c2ln")
	if !strings.HasPrefix(l.URL, world.AuthURL+"?client_id=client&request="+head) ||
		len(l.Query) != 3 || l.Query.Get("response_type") != "code" {
		t.Errorf("the browser goes to %s", l.URL)
	}
	for _, name := range []string{"client_id", "response_type", "redirect_uri", "state",
		"code_challenge", "code_challenge_method"} {
		if len(m.params[name]) != 1 {
			t.Errorf("%s is not in the request object", name)
		}
	}
	world.Begin(t, world.Client(t, p, m.signing, world.Pushing), nil)
	form := p.Requests()[0].Form
	if len(form) != 2 || !strings.HasPrefix(form.Get("request"), head) || form.Get("client_id") != "client" {
		t.Errorf("pushed %v", form)
	}
	m.sign = false
	l = world.Begin(t, world.Client(t, p, m.signing), nil)
	if l.Query.Get("code_challenge") == "" || l.Query.Has("request") {
		t.Errorf("unsigned: %s", l.URL)
	}
	m.sign, m.err = true, errors.New("canary")
	_, _, err := world.Start(world.Client(t, p, m.signing))
	world.WantError(t, err, authcode.Configuration, "messages")
	for _, m := range []*messages{m, {signed: true}} {
		_, err = authcode.New(world.Config(p, m.signing, func(c *config) {
			c.Provider.Issuer = ""
		}))
		world.WantError(t, err, authcode.Configuration, "config")
	}
}

// inside are changes to what is signed in a response.
var inside = []struct {
	claim   string
	changes []string
	reason  authcode.Reason
	check   string
}{
	{"no state inside", []string{"state", ""}, authcode.Malformed, "callback.state"},
	{"no code inside", []string{"code", ""}, authcode.Malformed, "callback.code"},
	{"another issuer inside", []string{"iss", "https://evil.example"}, authcode.Forged, "iss"},
	{"another state inside", []string{"state", strings.Repeat("A", 43)},
		authcode.Forged, "state.tag"},
	{"an error inside, a code aside", []string{"code", "", "error", "access_denied"},
		authcode.Denied, "authorization.error"},
}

// signed is a response that messages.verify reads, with changes.
func signed(l *world.Pending, changes ...string) string {
	_, query, _ := strings.Cut(world.With(l.Callback().URL.String(), changes...), "?")
	return query
}

// TestSignedRequestByValue: response_type and scope stand beside the object, as
// they are in it (OpenID Connect Core section 6.1). A push has the object alone.
func TestSignedRequestByValue(t *testing.T) {
	m := &messages{sign: true}
	p := world.Answering(201, world.Pushed)
	opts := []authcode.AuthOption{authcode.Scopes("openid", "a&b"), authcode.Param("prompt", "login")}
	l := world.Begin(t, world.Client(t, p, m.signing), nil, opts...)
	for _, name := range []string{"response_type", "scope"} {
		if got := l.Query[name]; len(got) != 1 || got[0] == "" || got[0] != m.params.Get(name) {
			t.Errorf("%s is %q beside the object, and %q in it", name, got, m.params[name])
		}
	}
	if len(l.Query) != 4 {
		t.Errorf("the browser goes to %s", l.URL)
	}
	world.Begin(t, world.Client(t, p, m.signing, world.Pushing), nil, opts...)
	if form := p.Requests()[0].Form; len(form) != 2 || !form.Has("request") {
		t.Errorf("pushed %v", form)
	}
}

// TestSignedResponse: with JARM nothing but the signed response counts.
func TestSignedResponse(t *testing.T) {
	m := &messages{signed: true}
	c := world.Client(t, &world.Provider{}, m.signing)
	l := world.Begin(t, c, nil)
	if got := l.Query.Get("response_mode"); got != "query.jwt" {
		t.Errorf("response_mode is %q", got)
	}
	for _, row := range inside {
		t.Run(row.claim, func(t *testing.T) {
			l := world.Begin(t, c, nil)
			_, err := l.Exchange(c, "response", signed(l, row.changes...))
			world.WantError(t, err, row.reason, row.check)
		})
	}
	_, err := l.Exchange(c)
	world.WantError(t, err, authcode.Malformed, "response")
	l.Finish(t, c, "response", signed(l), "state", "plain parameters", "code", "are ignored")

	l = world.Begin(t, c, nil)
	m.err = errors.New("canary")
	_, err = l.Exchange(c, "response", "x")
	world.WantError(t, err, authcode.Forged, "response.verify")
	post := world.Begin(t, world.Client(t, &world.Provider{},
		(&messages{signed: true}).signing, formPost), nil)
	if got := post.Query.Get("response_mode"); got != "form_post.jwt" {
		t.Errorf("response_mode is %q", got)
	}
}

// TestUnwantedResponse: without JARM no signed response is taken.
func TestUnwantedResponse(t *testing.T) {
	for _, off := range []func(*config){new(messages).signing, func(*config) {}} {
		c := world.Client(t, &world.Provider{}, off)
		l := world.Begin(t, c, nil)
		_, err := l.Exchange(c, "response", "x")
		world.WantError(t, err, authcode.Malformed, "response")
		l.Finish(t, c) // the refusal did not end the login
	}
}

// TestOddResponse: what Provider.Verify returns passes the checks of a plain
// response.
func TestOddResponse(t *testing.T) {
	var opened map[string]any
	c := world.Client(t, &world.Provider{}, func(c *config) {
		c.MessageSigning.SignedResponses = true
		c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (
			map[string]any, error) {
			return opened, nil
		}
	})
	for name, check := range map[string]string{
		"state": "callback.state", "code": "callback.code", "iss": "iss", "error": "",
	} {
		for _, value := range []any{nil, "", []any{"a", "b"}, json.Number("7"), map[string]any{}} {
			l := world.Begin(t, c, nil)
			opened = map[string]any{"state": l.Query.Get("state"), "code": "c0de",
				"iss": world.Issuer, "exp": json.Number("1")}
			opened[name] = value
			_, err := l.Exchange(c, "response", "x")
			switch {
			case value == "" && name != "iss":
				world.WantOutcome(t, err, authcode.Malformed, check)
			case value == "":
				world.WantError(t, err, authcode.Forged, check)
			default:
				world.WantError(t, err, authcode.Malformed, "response.claim")
			}
		}
	}
}

// objects are what a signer returns as a request object.
var objects = []struct {
	claim    string
	signer   messages
	admitted []string
	check    string // empty: it is sent
}{
	{"admitted", messages{header: `{"alg":"ES256"}`}, twoAlgorithms, ""},
	{"any", messages{header: `{"alg":"RS256"}`}, nil, ""},
	{"another algorithm", messages{header: `{"alg":"RS256"}`}, twoAlgorithms, "messages.key"},
	{"none", messages{header: `{"alg":"none"}`}, nil, "messages.object"},
	{"no algorithm", messages{header: `{}`}, nil, "messages.object"},
	{"no signature", messages{object: "eyJhbGciOiJFUzI1NiJ9.e30."}, nil, "messages.object"},
	{"not a JWT", messages{object: "object"}, nil, "messages.object"},
	{"claims that are not JSON", messages{object: "eyJhbGciOiJFUzI1NiJ9.e30x.sig"}, nil,
		"messages.object"},
	{"an encrypted one", messages{object: "e30.e30.e30.e30.e30"}, nil, "messages.object"},
	{"two algorithms in it", messages{header: `{"alg":"ES256","alg":"none"}`}, nil,
		"messages.object"},
	{"no state", messages{change: func(c map[string]string) { delete(c, "state") }}, nil,
		"messages.claims"},
	{"no code_challenge", messages{change: func(c map[string]string) { delete(c, "code_challenge") }},
		nil, "messages.claims"},
	{"another redirect_uri", messages{change: func(c map[string]string) {
		c["redirect_uri"] = "https://evil.example/"
	}}, nil, "messages.claims"},
	{"another client_id", messages{change: func(c map[string]string) { c["client_id"] = "x" }}, nil,
		"messages.claims"},
	{"a further claim", messages{change: func(c map[string]string) { c["aud"] = "x" }}, nil, ""},
}

// TestRequestObjectIsChecked: what a signer returns is a JWT signed with an
// admitted algorithm, whatever the signer says of itself.
func TestRequestObjectIsChecked(t *testing.T) {
	for _, row := range objects {
		t.Run(row.claim, func(t *testing.T) {
			m := &row.signer
			m.sign = true
			_, _, err := world.Start(world.Client(t, &world.Provider{}, m.signing,
				func(c *config) { c.Algorithms = row.admitted }))
			world.WantOutcome(t, err, authcode.Configuration, row.check)
		})
	}
}
