package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var newAccepts = []struct {
	claim  string
	change func(*config)
}{
	{"the usual configuration", func(*config) {}},
	{"a name of 24 characters", func(c *config) { c.Provider.Name = strings.Repeat("a-9", 8) }},
	{"localhost over http", func(c *config) { c.RedirectURL = "http://localhost:8080/cb" }},
	{"localhost in upper case", func(c *config) { c.RedirectURL = "http://LOCALHOST/cb" }},
	{"a name under localhost", func(c *config) { c.RedirectURL = "http://app.localhost/cb" }},
	{"an IPv4 loopback address",
		func(c *config) { c.RedirectURL = "http://127.8.9.1:3000/cb" }},
	{"the IPv6 loopback address", func(c *config) { c.RedirectURL = "http://[::1]:3000/cb" }},
	{"a redirect URL with a query", func(c *config) { c.RedirectURL += "?a=1" }},
	{"endpoints on loopback",
		func(c *config) {
			c.RedirectURL = "http://localhost:8080/cb"
			c.Provider.TokenURL = "http://127.0.0.1:9000/token"
		}},
	{"an authorization endpoint with a query",
		func(c *config) { c.Provider.AuthURL += "?tenant=1" }},
	{"no revocation endpoint", func(c *config) { c.Provider.RevocationURL = "" }},
	{"form_post to https", func(c *config) { c.Provider.FormPost = true }},
	{"a provider without an issuer", func(c *config) { c.Provider.Issuer = "" }},
	{"a public client", func(c *config) { c.ClientAuth = authcode.Public() }},
	{"a client id with a colon, form-encoded", func(c *config) { c.ClientID = "a:b" }},
	{"client_id named in full", func(c *config) { c.Provider.ClientIDParam = "client_id" }},
	{"a whole max_age",
		func(c *config) { c.Provider.AuthParams = map[string]string{"max_age": "0"} }},
	{"scopes that are URLs",
		func(c *config) { c.Scopes = []string{"https://api.example/a.b"} }},
	{"a scope with a comma, separated by spaces",
		func(c *config) { c.Scopes = []string{"a,b"} }},
	{"no links", func(c *config) { c.LoginURL, c.HomeURL = "", "" }},
	{"links elsewhere", func(c *config) {
		c.LoginURL, c.HomeURL = "https://www.example/in", "http://www.example"
	}},
	{"nothing around the transport", func(c *config) { c.Wrap = nil }},
	{"no endpoints where Metadata finds them", func(c *config) {
		c.Provider.AuthURL, c.Provider.TokenURL, c.Provider.Metadata = "", "",
			world.Finds(world.Endpoints())
	}},
}

func TestNewAccepts(t *testing.T) {

	for _, row := range newAccepts {
		t.Run(row.claim, func(t *testing.T) { world.Client(t, &world.Provider{}, row.change) })
	}
}

// TestNewListsAllFaults breaks every field at once: one message names them all.
func TestNewListsAllFaults(t *testing.T) {
	_, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Endpoints: authcode.Endpoints{AuthURL: "http://provider.example", TokenURL: "x",
				RevocationURL: "http://provider.example",
				AuthStyle:     9, RequireIss: true},
			FormPost: true, Scopes: []string{" "}, ClientIDParam: "code",
			AuthParams: map[string]string{"nonce": ""},
		},
		RedirectURL: "http://app.example", Scopes: []string{" "}, LoginURL: "x", HomeURL: "x",
	})
	text := world.WantError(t, err, authcode.Configuration, "config").Error()
	for _, field := range []string{
		"Provider.Name", "Provider.AuthURL", "Provider.TokenURL", "Provider.RevocationURL",
		"Provider.AuthStyle",
		"Provider.RequireIss", "Provider.ClientIDParam", "Provider.AuthParams",
		"Provider.Scopes[0]",
		"Config.ClientID", "Config.ClientAuth", "Config.RedirectURL", "Config.Scopes[0]",
		"Config.CookieKeys",
		"Config.LoginURL", "Config.HomeURL",
	} {
		if !slices.ContainsFunc(strings.Split(text, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "authcode: "+field)
		}) {
			t.Errorf("no line about %s in\n%s", field, text)
		}
	}
}

// TestNewDoesNoIO: nothing is sent or loaded, and a provider that is down does
// not matter.
func TestNewDoesNoIO(t *testing.T) {
	p := &world.Provider{Answer: world.Down}
	down := func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		t.Error("New looked the metadata up")
		return authcode.Endpoints{}, errors.New("down")
	}
	world.Client(t, p, func(c *config) { c.Provider.Metadata = down })
	p.WantRequests(t, 0)
}

func TestNewCopiesItsConfig(t *testing.T) {
	p := &world.Provider{}
	cfg := world.Config(p, func(c *config) {
		c.Scopes = []string{"read"}
		c.Provider.AuthParams = map[string]string{"access_type": "offline"}
	})
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := world.Begin(t, c, nil)
	twin, err := authcode.New(world.Config(p)) // has the key as it was
	if err != nil {
		t.Fatal(err)
	}

	clear(cfg.CookieKeys[0])
	cfg.Scopes[0] = "write"
	cfg.Provider.AuthParams["access_type"] = "online"
	cfg.Provider.AuthParams["prompt"] = "none"
	cfg.Wrap = nil

	after := world.Begin(t, c, nil)
	for _, name := range []string{"scope", "access_type", "prompt"} {
		if !slices.Equal(before.Query[name], after.Query[name]) {
			t.Errorf("%s is now %q, was %q", name, after.Query[name], before.Query[name])
		}
	}
	before.Finish(t, c)
	after.Finish(t, twin)
	p.WantRequests(t, 2)
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
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.Scopes, c.Provider.Scopes = row.config, row.provider
			})
			if got := world.Begin(t, c, nil).Query["scope"]; !slices.Equal(got, row.want) {
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
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.LoginURL, c.HomeURL = row.login, row.home
			})
			_, err := c.Exchange(httptest.NewRecorder(), world.Get("/"))
			e := world.WantError(t, err, authcode.Malformed, "callback.empty")
			if e.LoginURL != row.want || e.ContinueURL != "" {
				t.Errorf("LoginURL is %q, ContinueURL %q", e.LoginURL, e.ContinueURL)
			}
		})
	}
}

// TestTransport: without Config.Transport the headers of answers are bounded,
// and with or without one no redirect is followed.
func TestTransport(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect of a token request was followed")
	}))
	defer elsewhere.Close()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Huge", strings.Repeat("x", 80<<10))
		w.Write([]byte(world.TokenJSON))
	}))
	defer provider.Close()
	own := new(http.Transport)
	defer own.CloseIdleConnections()
	refresh := func(transport *http.Transport, tokenURL string) error {
		c := world.Client(t, nil, func(c *config) {
			c.Wrap, c.Transport, c.Provider.TokenURL = nil, transport, tokenURL
			c.RedirectURL = "http://localhost:8080/cb"
		})
		_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
		return err
	}
	world.WantError(t, refresh(nil, provider.URL), authcode.Unreachable, "provider.unreachable")
	if err := refresh(own, provider.URL); err != nil {
		t.Errorf("with a transport of the app's: %v", err)
	}
	world.WantError(t, refresh(own, provider.URL+"/redirect"),
		authcode.BadAnswer, "answer.redirect")
}

// TestAPI compares the exported API with testdata/api.txt, so that a change
// shows in review. UPDATE_API=1 go test -run TestAPI . writes the file anew.
func TestAPI(t *testing.T) {
	const file = "testdata/api.txt"
	const update = "If the change is meant: UPDATE_API=1 go test -run TestAPI ."
	out, err := exec.Command("go", "doc", "-all", ".").Output()
	if err != nil {
		t.Fatalf("go doc: %v", err)
	}
	got := string(out)
	if os.Getenv("UPDATE_API") != "" {
		if err := os.WriteFile(file, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := string(b); got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s:%d says\n%s\nbut the package says\n%s\n%s", file, i+1, w[i], g[i],
					update)
			}
		}
		t.Fatalf("%s has %d lines, the package's documentation has %d\n%s", file, len(w), len(g),
			update)
	}
}

// TestImports holds the root to its few dependencies: the standard library,
// golang.org/x/oauth2, gorilla/securecookie, and this module's internal
// packages, which bring nothing else along.
func TestImports(t *testing.T) {
	const format = "{{if not .Standard}}{{.ImportPath}}{{end}}"
	out, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const module = "example.com/authcode"
	seen := make(map[string]bool)
	for path := range strings.FieldsSeq(string(out)) {
		seen[path] = true
		switch {
		case path == module, strings.HasPrefix(path, module+"/internal/"):
		case path == "golang.org/x/oauth2", strings.HasPrefix(path, "golang.org/x/oauth2/"):
		case path == "github.com/gorilla/securecookie":
		default:
			t.Errorf("the root package depends on %s", path)
		}
	}
	for _, path := range []string{module, "golang.org/x/oauth2",
		"github.com/gorilla/securecookie"} {
		if !seen[path] {
			t.Errorf("go list does not name %s: is this the root package?", path)
		}
	}
}
