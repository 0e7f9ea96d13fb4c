package test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

const (
	apiA, apiB = "https://a.example/", "https://b.example/"

	// presumptuous is an answer that names what only the app may name.
	presumptuous = `{"access_token":"at-1","refresh_token":"rt-1","token_type":"Bearer",` +
		`"authcode.resource":"https://evil.example/","authcode.scope":"evil"}`
)

// throughStore is t after a visit to the app's database.
func throughStore(t *testing.T, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	b, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	token, err = authcode.UnmarshalToken(b)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// withResource adds a resource to every login.
func withResource(c *config) {
	c.Provider.AuthParams = map[string]string{"resource": apiB}
}

var loginResources = []struct {
	claim  string
	change func(*config)
	opts   []authcode.AuthOption
	want   []string
}{
	{"without one none is sent", func(*config) {}, nil, nil},
	{"the login's is sent again", func(*config) {},
		[]authcode.AuthOption{authcode.Param("resource", apiA)}, []string{apiA}},
	{"so is that of AuthParams", withResource, nil, []string{apiB}},
	{"the login's replaces that of AuthParams", withResource,
		[]authcode.AuthOption{authcode.Param("resource", apiA)}, []string{apiA}},
	{"of two none is sent", func(*config) {},
		[]authcode.AuthOption{authcode.Param("resource", apiA, apiB)}, nil},
}

// TestRefreshKeepsTheResource: each refresh asks for the audience of the login,
// also after the token was stored. The provider's answers try to change it.
func TestRefreshKeepsTheResource(t *testing.T) {
	for _, row := range loginResources {
		t.Run(row.claim, func(t *testing.T) {
			p := world.Answering(200, presumptuous)
			c := world.Client(t, p, row.change)
			token := world.Begin(t, c, nil, row.opts...).Finish(t, c).Token
			for range 2 {
				var err error
				if token, err = c.Refresh(t.Context(), throughStore(t, token)); err != nil {
					t.Fatal(err)
				}
			}
			expired := throughStore(t, token)
			expired.Expiry = world.Expired().Expiry
			if _, err := c.TokenSource(expired, nil).Token(t.Context()); err != nil {
				t.Fatal(err)
			}
			p.WantRequests(t, 4)
			for i, r := range p.Requests() {
				if got := r.Form["resource"]; !reflect.DeepEqual(got, row.want) || r.Form.Has("scope") {
					t.Errorf("request %d sent resource %q, scope %q; want resource %q", i, got,
						r.Form["scope"], row.want)
				}
			}
		})
	}
}

var refreshOptions = []struct {
	claim           string
	opts            []authcode.RefreshOption
	scope, resource string // sent by this refresh and by the next
}{
	{"a nil option is ignored", []authcode.RefreshOption{nil}, "", apiA},
	{"fewer scopes", []authcode.RefreshOption{authcode.RefreshScopes("a", "b")}, "a b", apiA},
	{"another resource", []authcode.RefreshOption{authcode.RefreshResource(apiB)}, "", apiB},
	{"both", []authcode.RefreshOption{
		authcode.RefreshResource(apiB), authcode.RefreshScopes("a")}, "a", apiB},
	{"the last of several counts", []authcode.RefreshOption{
		authcode.RefreshScopes("a"), authcode.RefreshScopes("b")}, "b", apiA},
}

// TestRefreshOptions: what an option asks for is sent, and kept with the token.
func TestRefreshOptions(t *testing.T) {
	for _, row := range refreshOptions {
		t.Run(row.claim, func(t *testing.T) {
			p := world.Answering(200, presumptuous)
			c := world.Client(t, p)
			token := world.Begin(t, c, nil, authcode.Param("resource", apiA)).Finish(t, c).Token
			fresh, err := c.Refresh(t.Context(), token, row.opts...)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = c.Refresh(t.Context(), throughStore(t, fresh)); err != nil {
				t.Fatal(err)
			}
			for _, r := range p.Requests()[1:] {
				if r.Form.Get("scope") != row.scope || r.Form.Get("resource") != row.resource ||
					len(r.Form["scope"]) > 1 || len(r.Form["resource"]) > 1 {
					t.Errorf("sent %v, want scope %q, resource %q", r.Form, row.scope, row.resource)
				}
			}
			want := map[bool]any{true: nil, false: row.scope}[row.scope == ""]
			if got := fresh.Extra("scope"); got != want {
				t.Errorf("Extra(scope) is %v, want %v", got, want)
			}
		})
	}
}

func TestRefreshScopesUseTheSeparator(t *testing.T) {
	p := world.Answering(200, `{"access_token":"at-1","scope":"a"}`)
	c := world.Client(t, p, func(c *config) { c.Provider.ScopeSep = "," })
	scopes := []string{"a", "b"}
	option := authcode.RefreshScopes(scopes...)
	scopes[1] = "changed by the caller"
	fresh, err := c.Refresh(t.Context(), world.Expired(), option)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Requests()[0].Form.Get("scope"); got != "a,b" || fresh.Extra("scope") != "a" {
		t.Errorf("sent %q, got %v", got, fresh.Extra("scope"))
	}
}

func TestRefreshOptionsRefused(t *testing.T) {
	for claim, row := range map[string]struct {
		opt   authcode.RefreshOption
		check string
	}{
		"no scopes":                  {authcode.RefreshScopes(), "scopes"},
		"an empty scope":             {authcode.RefreshScopes("a", ""), "scopes"},
		"two scopes in one":          {authcode.RefreshScopes("a b"), "scopes"},
		"no resource":                {authcode.RefreshResource(""), "param.resource"},
		"a relative resource":        {authcode.RefreshResource("/api"), "param.resource"},
		"a resource with a fragment": {authcode.RefreshResource(apiA + "#x"), "param.resource"},
	} {
		t.Run(claim+" is refused", func(t *testing.T) {
			p := &world.Provider{}
			_, err := world.Client(t, p).Refresh(t.Context(), world.Expired(), row.opt)
			world.WantError(t, err, authcode.Configuration, row.check)
			p.WantRequests(t, 0)
		})
	}
}

// TestRefusedOptionsDoNotEndAGrant: a code that may be about the option does
// not make the person sign in again.
func TestRefusedOptionsDoNotEndAGrant(t *testing.T) {
	for _, row := range []struct {
		code  string
		opts  []authcode.RefreshOption
		final bool
	}{
		{"invalid_request", nil, true},
		{"invalid_request", []authcode.RefreshOption{authcode.RefreshResource(apiA)}, false},
		{"access_denied", []authcode.RefreshOption{authcode.RefreshScopes("a")}, false},
		{"invalid_target", []authcode.RefreshOption{authcode.RefreshResource(apiA)}, false},
		{"invalid_grant", []authcode.RefreshOption{authcode.RefreshResource(apiA)}, true},
	} {
		t.Run(fmt.Sprint(row.code, " with ", len(row.opts), " options"), func(t *testing.T) {
			c := world.Client(t, world.Answering(400, `{"error":"`+row.code+`"}`))
			_, err := c.Refresh(t.Context(), world.Expired(), row.opts...)
			e := world.WantError(t, err, authcode.GrantRejected, "answer.error")
			if e.Final != row.final {
				t.Errorf("Final is %v: %v", e.Final, err)
			}
			// Without options, invalid_target is not final either.
			want := !row.final && row.code != "invalid_target"
			if strings.Contains(err.Error(), "try without them") != want {
				t.Errorf("the error says %q; want the options in it: %t", err, want)
			}
		})
	}
}
