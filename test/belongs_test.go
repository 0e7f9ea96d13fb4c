package test

import (
	"errors"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestLoginBelongs: a login of one Client is of no use to another, though they
// share a key, and even if its cookie is moved to the name that the other one
// looks for.
func TestLoginBelongs(t *testing.T) {
	for claim, row := range map[string]struct {
		change func(*config)
		check  string
	}{
		"another name": {func(c *config) { c.Provider.Name = "y" }, "cookie.seal"},
		"another issuer": {func(c *config) { c.Provider.Issuer = "https://other.example" },
			"cookie.client"},
		"another client id":    {func(c *config) { c.ClientID = "other" }, "cookie.client"},
		"another redirect URL": {func(c *config) { c.RedirectURL += "2" }, "cookie.client"},
	} {
		t.Run(claim+" is refused", func(t *testing.T) {
			p := &world.Provider{}
			l := world.Begin(t, world.Client(t, p), nil)
			if row.check == "cookie.seal" {
				l.Cookies[0].Name = strings.Replace(l.Cookies[0].Name, "login-x-", "login-y-", 1)
			}
			_, err := l.Exchange(world.Client(t, p, row.change))
			world.WantError(t, err, authcode.Forged, row.check)
			p.WantRequests(t, 0)
		})
	}
}

// others are Clients at which the callback of a login of the usual Client
// arrives.
var others = map[string]struct {
	change func(*config)
	check  string // empty: the login goes on
}{
	"another process with the same Config finishes it": {func(*config) {}, ""},
	"other scopes and another secret change nothing": {func(c *config) {
		c.Scopes, c.ClientAuth = []string{"x"}, authcode.Secret("s")
	}, ""},
	"an older key that is kept opens it": {func(c *config) {
		c.CookieKeys = [][]byte{world.Key('o'), world.Key('k')}
	}, ""},
	"a key that was dropped does not": {func(c *config) {
		c.CookieKeys = [][]byte{world.Key('o')}
	}, "state.tag"},
	"a key that begins with the same bytes does not": {func(c *config) {
		c.CookieKeys = [][]byte{append(world.Key('k'), 'x')}
	}, "state.tag"},
	"another provider name does not": {func(c *config) { c.Provider.Name = "x-2" },
		"cookie.missing"},
	"an http loopback app with the same key does not": {func(c *config) {
		c.RedirectURL = "http://localhost/callback"
	}, "cookie.missing"},
	"another issuer does not": {func(c *config) { c.Provider.Issuer += "/" }, "cookie.client"},
	"no issuer does not":      {func(c *config) { c.Provider.Issuer = "" }, "cookie.client"},
	"another client id does not": {func(c *config) { c.ClientID = "other" },
		"cookie.client"},
	"another redirect URL does not": {func(c *config) { c.RedirectURL += "2" },
		"cookie.client"},
	"another authorization endpoint does not": {func(c *config) { c.Provider.AuthURL += "2" },
		"cookie.client"},
	"another token endpoint does not": {func(c *config) {
		c.Provider.TokenURL = "https://evil.example/t"
	}, "cookie.client"},
	"another userinfo endpoint does not": {func(c *config) {
		c.Provider.UserInfoURL = "https://evil.example/u"
	}, "cookie.client"},
	"other keys of the provider do not": {func(c *config) {
		c.Provider.JWKSURL = "https://evil.example/k"
	}, "cookie.client"},
	"the same texts divided in another way do not": {func(c *config) {
		c.Provider.Issuer, c.ClientID = world.Issuer+"c", "lient"
	}, "cookie.client"},
	"endpoints that a lookup finds elsewhere do not": {func(c *config) {
		c.Provider.Metadata = world.Finds(authcode.Endpoints{
			AuthURL: world.AuthURL, TokenURL: "https://evil.example/t",
		})
	}, "cookie.client"},
}

// TestLoginsBelongToOneClient: a login that began with one Client is of no use
// to another one, whatever they share. No code reaches a token endpoint.
func TestLoginsBelongToOneClient(t *testing.T) {
	for claim, row := range others {
		t.Run(claim, func(t *testing.T) {
			l := world.Begin(t, world.Client(t, &world.Provider{}), nil)
			p := &world.Provider{Answer: world.Down}
			_, err := l.Exchange(world.Client(t, p, row.change), "iss", "")
			if row.check == "" {
				p.WantRequests(t, 1)
				return
			}
			p.WantRequests(t, 0)
			var e *authcode.Error
			if !errors.As(err, &e) || e.Check != row.check {
				t.Errorf("got %v, want %q", err, row.check)
			}
		})
	}
}
