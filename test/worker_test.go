package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// worker makes a Config that of a worker.
func worker(c *config) {
	c.RedirectURL, c.CookieKeys, c.LoginURL, c.HomeURL = "", nil, "", ""
}

// TestWorker: a Client without the fields of the login does everything that
// comes after one.
func TestWorker(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p, worker)
	if _, err := c.Refresh(t.Context(), world.Expired()); err != nil {
		t.Error(err)
	}
	if err := c.Revoke(t.Context(), world.Expired()); err != nil {
		t.Error(err)
	}
	resp, err := apiClient(t, c, world.Expired(), apiURL).Get(apiURL + "/x")
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("got %v, %v", resp, err)
	}
	p.WantRequests(t, 2, "/token")
	p.WantRequests(t, 1, "/revoke")
	p.Answer = world.Always(400, `{"error":"invalid_grant"}`)
	_, err = c.Refresh(t.Context(), world.Expired())
	e := world.WantError(t, err, authcode.GrantRejected, "answer.error")
	if e.LoginURL != "" {
		t.Errorf("the error names the page %q of another app", e.LoginURL)
	}
}

// TestWorkerOrMistake: an app that has forgotten a field of the login is told
// so. It is not taken for a worker.
func TestWorkerOrMistake(t *testing.T) {
	both := []string{"RedirectURL", "CookieKeys"}
	for claim, row := range map[string]struct {
		change func(*config)
		says   []string
	}{
		"CookieKeys alone": {func(c *config) { c.CookieKeys = [][]byte{world.Key('k')} },
			[]string{"RedirectURL"}},
		"RedirectURL alone": {func(c *config) { c.RedirectURL = world.RedirectURL },
			[]string{"CookieKeys"}},
		"LoginURL":      {func(c *config) { c.LoginURL = "/login" }, both},
		"HomeURL":       {func(c *config) { c.HomeURL = "/" }, both},
		"ReturnToParam": {func(c *config) { c.ReturnToParam = "to" }, both},
		"UsedStates":    {func(c *config) { c.UsedStates = badSeam{} }, both},
		"OnError": {func(c *config) {
			c.OnError = func(http.ResponseWriter, *http.Request, *authcode.Error) {}
		}, both},
	} {
		t.Run(claim+" is no worker's", func(t *testing.T) {
			_, err := authcode.New(world.Config(&world.Provider{}, worker, row.change))
			e := world.WantError(t, err, authcode.Configuration, "config")
			if len(e.Faults) != len(row.says) {
				t.Fatalf("got %q, want %q", e.Faults, row.says)
			}
			for i, field := range row.says {
				if !strings.HasPrefix(e.Faults[i], "Config."+field+" is empty") ||
					!strings.Contains(e.Faults[i], "worker") {
					t.Errorf("fault %q, want one of %s", e.Faults[i], field)
				}
			}
		})
	}
}

// TestWorkerIsOnHTTPS: its provider and its APIs cannot be on http. The error
// says how a worker develops against a provider on loopback.
func TestWorkerIsOnHTTPS(t *testing.T) {
	plain := func(c *config) { c.Provider.TokenURL = "http://localhost:9000/token" }
	_, err := authcode.New(world.Config(&world.Provider{}, worker, plain))
	e := world.WantError(t, err, authcode.Configuration, "config")
	if len(e.Faults) != 1 || !strings.Contains(e.Faults[0], "Provider.TokenURL must be https") {
		t.Errorf("got %q", e.Faults)
	}
	if !strings.Contains(strings.Join(e.Faults, ""), "CookieKeys") {
		t.Errorf("%q does not say what a worker sets", e.Faults)
	}
	developing := func(c *config) {
		c.RedirectURL, c.CookieKeys = "http://localhost:8080/cb", [][]byte{world.Key('k')}
	}
	if _, err := authcode.New(world.Config(&world.Provider{}, worker, plain, developing)); err != nil {
		t.Errorf("with what the error names: %v", err)
	}
	source := world.Client(t, &world.Provider{}, worker).TokenSource(living(), nil)
	_, err = source.APIClient("http://localhost:9000")
	world.WantError(t, err, authcode.Configuration, "api.origin")
}

// panicOf is what f panics with.
func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

// TestMountingPanics: an app that cannot sign anybody in ends when it starts,
// with words that say why.
func TestMountingPanics(t *testing.T) {
	app := http.NotFoundHandler()
	for claim, row := range map[string]struct {
		client *authcode.Client
		says   string
	}{
		"a worker's Client": {world.Client(t, &world.Provider{}, worker), "RedirectURL"},
		"a nil Client":      {nil, "Client"},
	} {
		for name, mount := range map[string]func(c *authcode.Client){
			"LoginHandler":         func(c *authcode.Client) { c.LoginHandler() },
			"CallbackHandler":      func(c *authcode.Client) { c.CallbackHandler(app) },
			"Mount":                func(c *authcode.Client) { c.Mount(http.NewServeMux(), app) },
			"InitiateLoginHandler": func(c *authcode.Client) { oidc.InitiateLoginHandler(c) },
		} {
			got := panicOf(func() { mount(row.client) })
			if !strings.Contains(got, row.says) {
				t.Errorf("%s with %s panics with %q", name, claim, got)
			}
		}
	}
	c := world.Client(t, &world.Provider{})
	for _, next := range []http.Handler{nil, http.HandlerFunc(nil)} {
		if got := panicOf(func() { c.CallbackHandler(next) }); !strings.Contains(got, "needs a handler") {
			t.Errorf("CallbackHandler(%T) panics with %q", next, got)
		}
	}
}

// TestWorkerSignsNobodyIn: the methods behind the handlers return an error.
func TestWorkerSignsNobodyIn(t *testing.T) {
	c := world.Client(t, &world.Provider{}, worker)
	_, err := c.AuthCodeURL(httptest.NewRecorder(), world.Get(world.LoginURL))
	world.WantError(t, err, authcode.Configuration, "config.worker")
	_, err = c.Exchange(httptest.NewRecorder(), world.Get(world.RedirectURL+"?code=a&state=b"))
	world.WantError(t, err, authcode.Configuration, "config.worker")
	if login, ok := authcode.FromContext(t.Context()); ok || login != nil {
		t.Errorf("a login came from nowhere: %v", login)
	}
}
