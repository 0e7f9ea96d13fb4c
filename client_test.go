package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

func TestNewRefuses(t *testing.T) {
	for _, row := range hRefusals {
		t.Run(row.claim, func(t *testing.T) {
			c, err := authcode.New(hConfig(&hProvider{}, row.change))
			if c != nil {
				t.Error("got a Client")
			}
			text := hWantError(t, err, authcode.Configuration, "config").Error()
			for _, s := range row.says {
				if !strings.Contains(text, s) {
					t.Errorf("%q does not say %q", text, s)
				}
			}
			if strings.Contains(text, "\n") || !strings.HasPrefix(text, "authcode: "+row.says[0]) {
				t.Errorf("%q is not one line that begins with the field", text)
			}
		})
	}
}

func TestNewAccepts(t *testing.T) {
	rows := []struct {
		claim  string
		change func(*authcode.Config)
	}{
		{"the harness's configuration", func(*authcode.Config) {}},
		{"a name of 24 characters", func(c *authcode.Config) { c.Provider.Name = strings.Repeat("a-9", 8) }},
		{"localhost over http", func(c *authcode.Config) { c.RedirectURL = "http://localhost:8080/cb" }},
		{"localhost in upper case", func(c *authcode.Config) { c.RedirectURL = "http://LOCALHOST/cb" }},
		{"a name under localhost", func(c *authcode.Config) { c.RedirectURL = "http://app.localhost/cb" }},
		{"an IPv4 loopback address", func(c *authcode.Config) { c.RedirectURL = "http://127.8.9.1:3000/cb" }},
		{"the IPv6 loopback address", func(c *authcode.Config) { c.RedirectURL = "http://[::1]:3000/cb" }},
		{"a redirect URL with a query", func(c *authcode.Config) { c.RedirectURL += "?a=1" }},
		{"endpoints on loopback", func(c *authcode.Config) { c.Provider.TokenURL = "http://127.0.0.1:9000/token" }},
		{"an authorization endpoint with a query", func(c *authcode.Config) { c.Provider.AuthURL += "?tenant=1" }},
		{"no revocation endpoint", func(c *authcode.Config) { c.Provider.RevocationURL = "" }},
		{"form_post to https", func(c *authcode.Config) { c.Provider.FormPost = true }},
		{"a provider without an issuer", func(c *authcode.Config) { c.Provider.Issuer = "" }},
		{"a public client", func(c *authcode.Config) { c.ClientAuth = authcode.Public() }},
		{"a client id with a colon, form-encoded", func(c *authcode.Config) { c.ClientID = "a:b" }},
		{"client_id named in full", func(c *authcode.Config) { c.Provider.ClientIDParam = "client_id" }},
		{"a whole max_age", func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"max_age": "0"} }},
		{"scopes that are URLs", func(c *authcode.Config) { c.Scopes = []string{"https://api.example/a.b"} }},
		{"a scope with a comma, separated by spaces", func(c *authcode.Config) { c.Scopes = []string{"a,b"} }},
		{"no links", func(c *authcode.Config) { c.LoginURL, c.HomeURL = "", "" }},
		{"links elsewhere", func(c *authcode.Config) { c.LoginURL, c.HomeURL = "https://www.example/in", "http://www.example" }},
		{"nothing around the transport", func(c *authcode.Config) { c.Wrap = nil }},
		{"no endpoints where Metadata finds them", func(c *authcode.Config) {
			c.Provider.AuthURL, c.Provider.TokenURL, c.Provider.Metadata = "", "", new(hMetadata).Load
		}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) { hNew(t, &hProvider{}, row.change) })
	}
}

// TestNewListsAllFaults breaks every field at once: one message names them all.
func TestNewListsAllFaults(t *testing.T) {
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Endpoints: authcode.Endpoints{AuthURL: "http://provider.example", TokenURL: "x", RevocationURL: "http://provider.example",
				AuthStyle: 9, RequireIss: true},
			FormPost: true, Scopes: []string{" "}, ClientIDParam: "code",
			AuthParams: map[string]string{"nonce": ""},
		},
		RedirectURL: "http://app.example", Scopes: []string{" "}, LoginURL: "x", HomeURL: "x",
	})
	text := hWantError(t, err, authcode.Configuration, "config").Error()
	for _, field := range []string{
		"Provider.Name", "Provider.AuthURL", "Provider.TokenURL", "Provider.RevocationURL", "Provider.AuthStyle",
		"Provider.RequireIss", "Provider.ClientIDParam", "Provider.AuthParams", "Provider.Scopes[0]",
		"Config.ClientID", "Config.ClientAuth", "Config.RedirectURL", "Config.Scopes[0]", "Config.CookieKeys",
		"Config.LoginURL", "Config.HomeURL",
	} {
		if !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "authcode: "+field)
		}) {
			t.Errorf("no line about %s in\n%s", field, text)
		}
	}
}

// TestNewDoesNoIO: nothing is sent or loaded, and a provider that is down does not matter.
func TestNewDoesNoIO(t *testing.T) {
	p := &hProvider{answer: func(*hRequest) (*http.Response, error) { return nil, errors.New("down") }}
	m := &hMetadata{load: func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		return authcode.Endpoints{}, errors.New("down")
	}}
	hNew(t, p, func(c *authcode.Config) { c.Provider.Metadata = m.Load })
	p.wantRequests(t, 0)
	if n := m.calls.Load(); n != 0 {
		t.Errorf("New loaded the metadata %d times", n)
	}
}

func TestNewCopiesItsConfig(t *testing.T) {
	p := &hProvider{}
	cfg := hConfig(p, func(c *authcode.Config) {
		c.Scopes = []string{"read"}
		c.Provider.AuthParams = map[string]string{"access_type": "offline"}
	})
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := hStart(t, c, nil)
	twin, err := authcode.New(hConfig(p)) // has the key as it was
	if err != nil {
		t.Fatal(err)
	}

	clear(cfg.CookieKeys[0])
	cfg.Scopes[0] = "write"
	cfg.Provider.AuthParams["access_type"] = "online"
	cfg.Provider.AuthParams["prompt"] = "none"
	cfg.Wrap = nil

	after := hStart(t, c, nil)
	for _, name := range []string{"scope", "access_type", "prompt"} {
		if !slices.Equal(before.query[name], after.query[name]) {
			t.Errorf("%s is now %q, was %q", name, after.query[name], before.query[name])
		}
	}
	before.finish(t, c)
	after.finish(t, twin)
	p.wantRequests(t, 2)
}

// TestScopesOfConfig: Config.Scopes wins over Provider.Scopes unless it is nil.
func TestScopesOfConfig(t *testing.T) {
	rows := []struct {
		claim            string
		config, provider []string
		want             []string
	}{
		{"nil takes the provider's", nil, []string{"a", "b"}, []string{"a b"}},
		{"the app's go first", []string{"c"}, []string{"a"}, []string{"c"}},
		{"an empty list asks for none", []string{}, []string{"a"}, nil},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Scopes, c.Provider.Scopes = row.config, row.provider })
			if got := hStart(t, c, nil).query["scope"]; !slices.Equal(got, row.want) {
				t.Errorf("scope is %q, want %q", got, row.want)
			}
		})
	}
}

// TestLinkDefaults: where errors say that a person may start again.
func TestLinkDefaults(t *testing.T) {
	for claim, row := range map[string]struct{ login, home, want string }{
		"LoginURL goes first":          {"/in", "/home", "/in"},
		"HomeURL stands in":            {"", "/home", "/home"},
		"the root stands in for both":  {"", "", "/"},
		"LoginURL may be another site": {"https://www.example/in", "", "https://www.example/in"},
	} {
		t.Run(claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.LoginURL, c.HomeURL = row.login, row.home })
			_, err := c.Exchange(httptest.NewRecorder(), hGet("/"))
			if e := hWantError(t, err, authcode.Malformed, "callback.state"); e.LoginURL != row.want || e.ContinueURL != "" {
				t.Errorf("LoginURL is %q, ContinueURL %q", e.LoginURL, e.ContinueURL)
			}
		})
	}
}

// TestOwnHTTPClient: without Config.HTTPClient headers are bounded, and with one its redirects and its
// jar are switched off.
func TestOwnHTTPClient(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect of a back-channel request was followed")
	}))
	defer elsewhere.Close()
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Huge", strings.Repeat("x", 80<<10))
		w.Write([]byte(hTokenJSON))
	}))
	defer huge.Close()
	token := &oauth2.Token{RefreshToken: "rt"}

	c := hNew(t, nil, func(c *authcode.Config) { c.Wrap, c.Provider.TokenURL = nil, huge.URL })
	_, err := c.Refresh(t.Context(), token)
	hWantError(t, err, authcode.Unreachable, "provider.unreachable")

	own := new(http.Transport)
	defer own.CloseIdleConnections()
	c = hNew(t, nil, func(c *authcode.Config) { c.Wrap, c.Transport, c.Provider.TokenURL = nil, own, huge.URL })
	if _, err := c.Refresh(t.Context(), token); err != nil {
		t.Errorf("with a transport of the app's: %v", err)
	}
	c = hNew(t, nil, func(c *authcode.Config) { c.Wrap, c.Transport, c.Provider.TokenURL = nil, own, huge.URL+"/redirect" })
	_, err = c.Refresh(t.Context(), token)
	hWantError(t, err, authcode.BadAnswer, "answer.redirect")
}
