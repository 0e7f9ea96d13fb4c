package test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestPush: the browser's URL holds client_id and request_uri, and the push all
// else, with one method of client authentication (RFC 9126 section 2.1).
func TestPush(t *testing.T) {
	const uri = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
	p := world.Answering(201, `{"request_uri":"`+uri+`","expires_in":60}`)
	c := world.Client(t, p, world.Pushing, func(c *config) {
		c.Provider.AuthURL += "?tenant=1"
		c.Scopes = []string{"openid", "email"}
	})
	l := world.Begin(t, c, nil,
		authcode.Param("resource", "https://a.example", "https://b.example"))
	want := world.AuthURL + "?tenant=1&client_id=client&request_uri=" + url.QueryEscape(uri)
	if l.URL != want {
		t.Errorf("the browser goes to %s", l.URL)
	}
	p.WantRequests(t, 1)
	r := p.Requests()[0]
	got := strings.Join(slices.Sorted(maps.Keys(r.Form)), " ")
	if got != "client_id code_challenge code_challenge_method nonce redirect_uri resource "+
		"response_type scope state" {
		t.Errorf("pushed %s", got)
	}
	id, secret, ok := r.BasicAuth()
	if !ok || id != "client" || secret != world.ClientSecret || r.Method != "POST" ||
		len(r.Form["resource"]) != 2 {
		t.Errorf("pushed by %s with %q and %q", r.Method, id, r.Form["resource"])
	}
	l.Query.Set("state", r.Form.Get("state"))
	p.Answer = nil
	l.Finish(t, c)
}

// pushRefused are answers to a push that end the start of a login.
var pushRefused = []struct {
	claim  string
	status int
	body   string // URI is a good request_uri
	reason authcode.Reason
	check  string
}{
	{"a refusal", 400, `{"error":"invalid_request","error_description":"canary"}`,
		authcode.Configuration, "par.configuration"},
	{"an unknown client", 401, `{"error":"invalid_client"}`,
		authcode.Configuration, "par.configuration"},
	{"too many", 429, `{}`, authcode.Overloaded, "par.error"},
	{"the server is at fault", 400, `{"error":"server_error"}`, authcode.BadAnswer, "par.error"},
	{"unavailable for a moment", 400, `{"error":"temporarily_unavailable"}`,
		authcode.Overloaded, "par.error"},
	{"nonces without end", 400, `{"error":"use_dpop_nonce"}`,
		authcode.BadAnswer, "par.dpop_nonce"},
	{"a bad proof", 400, `{"error":"invalid_dpop_proof"}`,
		authcode.Configuration, "par.configuration"},
	{"too large", 413, ``, authcode.BadAnswer, "par.error"},
	{"a broken server", 500, `oops`, authcode.BadAnswer, "par.error"},
	{"an error with success", 201, `{"error":"invalid_request",URI,"expires_in":60}`,
		authcode.Configuration, "par.configuration"},
	{"a redirect", 307, ``, authcode.BadAnswer, "par.redirect"},
	{"no body", 201, ``, authcode.BadAnswer, "par.empty"},
	{"a page", 200, `<html>`, authcode.BadAnswer, "par.form"},
	{"no request_uri", 201, `{"expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
	{"an empty request_uri", 201, `{"request_uri":"","expires_in":60}`,
		authcode.BadAnswer, "par.request_uri"},
	{"a request_uri with a space", 201, `{"request_uri":"urn:x y","expires_in":60}`,
		authcode.BadAnswer, "par.request_uri"},
	{"a request_uri without end", 201,
		`{"request_uri":"urn:` + strings.Repeat("x", 1021) + `","expires_in":60}`,
		authcode.BadAnswer, "par.request_uri"},
	{"a request_uri that is a number", 201, `{"request_uri":7,"expires_in":60}`,
		authcode.BadAnswer, "par.request_uri"},
	{"no expires_in", 201, `{URI}`, authcode.BadAnswer, "par.expires_in"},
	{"it has expired", 201, `{URI,"expires_in":0}`, authcode.BadAnswer, "par.expires_in"},
	{"it expires at once", 201, `{URI,"expires_in":0.001}`, authcode.BadAnswer, "par.expires_in"},
	{"it expired before", 201, `{URI,"expires_in":-1}`, authcode.BadAnswer, "par.expires_in"},
	{"expires_in in words", 201, `{URI,"expires_in":"soon"}`,
		authcode.BadAnswer, "par.expires_in"},
}

// TestPushRefused: where pushes are demanded, one that fails is an error with its
// own check, no URL and no cookie.
func TestPushRefused(t *testing.T) {
	for _, row := range pushRefused {
		t.Run(row.claim, func(t *testing.T) {
			body := strings.Replace(row.body, "URI", `"request_uri":"urn:x:1"`, 1)
			p := world.Answering(row.status, body)
			target, cookies, err := world.Start(world.Client(t, p, world.Pushing, demandsPAR))
			e := world.WantError(t, err, row.reason, row.check)
			if target != "" || len(cookies) > 0 || strings.Contains(e.Error(), "canary") {
				t.Errorf("got %q, cookies %v, error %v", target, cookies, e)
			}
			p.WantRequests(t, 1)
		})
	}
}

// What a provider says of pushed requests.
const hasPAR, needsPAR = 1, 2

var parChoices = []struct {
	choice   string // of the app
	provider int
	pushes   bool
	fault    bool
}{
	{"", 0, false, false},
	{"", hasPAR, true, false},
	{"", hasPAR | needsPAR, true, false},
	{"", needsPAR, false, true},
	{"required", 0, false, true},
	{"required", hasPAR, true, false},
	{"off", 0, false, false},
	{"off", hasPAR, false, false},
	{"off", hasPAR | needsPAR, true, false},
	{"off", needsPAR, false, true},
	{"required and off", hasPAR, true, false},
	{"required and off", 0, false, true},
}

// TestPARChoices: by default a push happens wherever it can; an app may ask for
// more or less, never for less than the provider requires.
func TestPARChoices(t *testing.T) {
	for _, row := range parChoices {
		found := authcode.Endpoints{
			AuthURL: world.AuthURL, TokenURL: world.TokenURL,
			RequirePAR: row.provider&needsPAR != 0,
		}
		if row.provider&hasPAR != 0 {
			found.PARURL = world.PARURL
		}
		for _, discovered := range []bool{false, true} {
			t.Run(fmt.Sprint(row.choice, row.provider, discovered), func(t *testing.T) {
				c, err := authcode.New(parConfig(row.choice, found, discovered))
				if row.fault && !discovered {
					world.WantError(t, err, authcode.Configuration, "config")
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				target, _, err := world.Start(c)
				switch {
				case row.fault:
					if !errors.Is(err, authcode.BadAnswer) &&
						!errors.Is(err, authcode.Configuration) {
						t.Errorf("got %v", err)
					}
				case err != nil || strings.Contains(target, "request_uri=") != row.pushes:
					t.Errorf("got %s, %v", target, err)
				}
			})
		}
	}
}

// parConfig is that of an app with this choice, at a provider with these
// endpoints, which are discovered or configured.
func parConfig(choice string, found authcode.Endpoints, discovered bool) authcode.Config {
	return world.Config(world.Answering(201, world.Pushed), func(c *config) {
		c.DisablePAR = strings.Contains(choice, "off")
		c.Provider.RequirePAR = strings.Contains(choice, "required")
		if discovered {
			c.Provider.Metadata = world.Finds(found)
			return
		}
		c.Provider.PARURL = found.PARURL
		c.Provider.RequirePAR = c.Provider.RequirePAR || found.RequirePAR
	})
}

// TestPushedTokenIsNotRepeated: a pushed request may carry an ID token of the
// person as id_token_hint. The provider's words about it may reach a log.
func TestPushedTokenIsNotRepeated(t *testing.T) {
	hint := world.JWT(`{"alg":"RS256"}`, `{"sub":"canary"}`)
	p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
		return world.Reply(400, `{"error":"invalid_request","error_description":"bad hint `+
			r.Form.Get("id_token_hint")+`"}`), nil
	}}
	_, _, err := world.Start(world.Client(t, p, world.Pushing), authcode.Param("id_token_hint", hint))
	e := world.WantError(t, err, authcode.Configuration, "par.configuration")
	if strings.Contains(e.ServerDescription, hint) {
		t.Errorf("the description is %q", e.ServerDescription)
	}
}
