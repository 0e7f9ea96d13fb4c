package test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// The servers of a provider with two data centers.
const (
	home = world.Issuer
	away = "https://away.example"
)

func twoServers(c *config) {
	c.Provider.Servers, c.Provider.ServerParam = []string{home, away}, "server"
}

// hosts are those of the requests that p saw.
func hosts(p *world.Provider) string {
	var list []string
	for _, r := range p.Requests() {
		list = append(list, r.URL.Scheme+"://"+r.URL.Host+r.URL.Path)
	}
	return strings.Join(list, " ")
}

// restarted is token after a restart of the app.
func restarted(t *testing.T, token *oauth2.Token) *oauth2.Token {
	b, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	if token, err = authcode.UnmarshalToken(b); err != nil {
		t.Fatal(err)
	}
	return token
}

// TestServers: all requests about a grant go to the server that the callback
// named, and Identity learns of it.
func TestServers(t *testing.T) {
	for named, want := range map[string]string{"": home, home: home, away: away} {
		p, told := new(world.Provider), ""
		c := world.Client(t, p, twoServers, func(c *config) {
			c.Provider.UserInfoURL, c.Provider.IntrospectionURL = home+"/me?a=b%2Fc", "https://other.example/i"
			c.Provider.Identity = func(_ context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
				told = r.Endpoints.UserInfoURL + " " + r.Endpoints.IntrospectionURL
				return &authcode.Identity{Issuer: "i", Subject: "s"}, nil
			}
		})
		login := world.Begin(t, c, nil).Finish(t, c, "server", named)
		if wants := want + "/me?a=b%2Fc https://other.example/i"; told != wants {
			t.Errorf("%q: Identity was told %s", named, told)
		}
		token, err := c.Refresh(t.Context(), restarted(t, login.Token))
		if err != nil {
			t.Fatal(err)
		}
		if wants := want + "/me?a=b%2Fc https://other.example/i"; told != wants {
			t.Errorf("%q: Identity was told %s at the refresh", named, told)
		}
		if err := c.Revoke(t.Context(), restarted(t, token)); err != nil {
			t.Fatal(err)
		}
		if got := hosts(p); got != want+"/token "+want+"/token "+want+"/revoke" {
			t.Errorf("%q: requests to %s", named, got)
		}
		if got := login.Token.Extra("authcode.server"); named != "" && got != named {
			t.Errorf("the token keeps %v, want %s", got, named)
		}
	}
}

// TestForeignServer: a callback that names another server changes nothing, and
// the login that it was to spoil can still be finished.
func TestForeignServer(t *testing.T) {
	p := new(world.Provider)
	c := world.Client(t, p, twoServers)
	l := world.Begin(t, c, nil)
	for _, pairs := range [][]string{{"server", "https://evil.example"}, {"server", away + "/"},
		{"server", "https://evil.example", "error", "access_denied", "code", ""}} {
		rec := httptest.NewRecorder()
		_, err := c.Exchange(rec, l.Callback(pairs...))
		e := world.WantError(t, err, authcode.Forged, "callback.server")
		if strings.Contains(e.Error(), "evil") || len(rec.Result().Cookies()) != 0 {
			t.Errorf("got %v, cookies %v", e, rec.Result().Cookies())
		}
	}
	p.WantRequests(t, 0)
	l.Finish(t, c, "server", away)
	// The other rules come first.
	_, err := world.Begin(t, c, nil).Exchange(c, "server", away, "iss", "https://evil.example")
	world.WantError(t, err, authcode.Forged, "iss")
	// Where nothing is configured, the parameter means nothing.
	p = new(world.Provider)
	c = world.Client(t, p)
	world.Begin(t, c, nil).Finish(t, c, "server", "https://evil.example", "", "https://evil.example")
	if got := hosts(p); got != home+"/token" {
		t.Errorf("requests to %s", got)
	}
}

// TestServerOfAToken: a stored token chooses no server that is not listed, and
// no answer chooses one for its token.
func TestServerOfAToken(t *testing.T) {
	p := new(world.Provider)
	c := world.Client(t, p, twoServers)
	login := world.Begin(t, c, nil).Finish(t, c, "server", away)
	alone := world.Client(t, p, func(c *config) {
		twoServers(c)
		c.Provider.Servers = c.Provider.Servers[:1]
	})
	none := world.Client(t, p)
	token := restarted(t, login.Token)
	for _, c := range []*authcode.Client{alone, none} {
		_, err := c.Refresh(t.Context(), token)
		world.WantError(t, err, authcode.Configuration, "token.server")
		world.WantError(t, c.Revoke(t.Context(), token), authcode.Configuration, "token.server")
	}
	p.WantRequests(t, 1)
	p.Answer = world.Always(200, strings.Replace(world.TokenJSON, "{",
		`{"authcode.server":"https://away.example","authcode.params":"client_secret=x",`, 1))
	login = world.Begin(t, c, nil).Finish(t, c)
	fresh, err := c.Refresh(t.Context(), token)
	if err != nil || login.Token.Extra("authcode.server") != nil ||
		login.Token.Extra("authcode.params") != nil || fresh.Extra("authcode.params") != nil {
		t.Errorf("the answer chose its server or parameters: %v", err)
	}
}

// tokenOf is a token that the app has stored, from a login at server.
func tokenOf(t *testing.T, server string) *oauth2.Token {
	c := world.Client(t, new(world.Provider), twoServers)
	return restarted(t, world.Begin(t, c, nil).Finish(t, c, "server", server).Token)
}

// TestServerFaults: New refuses servers that the app cannot have meant.
func TestServerFaults(t *testing.T) {
	for want, change := range map[string]func(*config){
		"need each other":  func(c *config) { c.Provider.ServerParam = "" },
		"need each  other": func(c *config) { c.Provider.Servers = nil },
		"ServerParam is":   func(c *config) { c.Provider.ServerParam = "code" },
		"more than an origin": func(c *config) {
			c.Provider.Servers = append(c.Provider.Servers, "https://x.example/")
		},
		"Provider.Servers must be https": func(c *config) {
			c.Provider.Servers = append(c.Provider.Servers, "http://localhost:1")
		},
		"TokenURL is at none of":  func(c *config) { c.Provider.Servers = []string{away} },
		"MTLS has aliases":        func(c *config) { c.Provider.MTLS = new(authcode.Endpoints) },
		"not in Provider.Origins": func(c *config) { c.Provider.Origins = []string{home} },
	} {
		_, err := authcode.New(world.Config(new(world.Provider), twoServers, change))
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "  ", " ")) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	c := world.Client(t, new(world.Provider), twoServers, func(c *config) {
		e := c.Provider.Endpoints
		e.TokenURL = "https://moved.example/token"
		c.Provider.Endpoints, c.Provider.Metadata = authcode.Endpoints{}, world.Finds(e)
	})
	_, err := c.Connection(t.Context())
	world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
}

// TestServersAreCopied: an app that changes its slice later changes no Client.
func TestServersAreCopied(t *testing.T) {
	servers := []string{home, away}
	c := world.Client(t, new(world.Provider), twoServers, func(c *config) { c.Provider.Servers = servers })
	servers[1] = "https://evil.example"
	_, err := world.Begin(t, c, nil).Exchange(c, "server", "https://evil.example")
	world.WantError(t, err, authcode.Forged, "callback.server")
}

// TestServersWithFormPost: the POST of a form_post callback already refuses a
// foreign server.
func TestServersWithFormPost(t *testing.T) {
	c := world.Client(t, new(world.Provider), twoServers, func(c *config) { c.Provider.FormPost = true })
	l := world.Begin(t, c, nil)
	get := l.Callback("server", "https://evil.example")
	r := httptest.NewRequest(http.MethodPost, world.RedirectURL, strings.NewReader(get.URL.RawQuery))
	r.Header = get.Header
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := c.Exchange(httptest.NewRecorder(), r)
	world.WantError(t, err, authcode.Forged, "callback.server")
}
