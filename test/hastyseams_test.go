package test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// These tests have seams that an app wrote in a hurry.

// TestEndpointStaysTheOneThatWasChecked: Authenticate cannot send code and secret
// elsewhere.
func TestEndpointStaysTheOneThatWasChecked(t *testing.T) {
	for _, target := range []string{"https://evil.example/token", world.TokenURL + "#", ""} {
		p := &world.Provider{}
		c := world.Client(t, p, func(c *config) {
			c.ClientAuth = world.Authenticate(func(r *authcode.TokenRequest) error {
				r.URL = target
				return nil
			})
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		world.WantError(t, err, authcode.Configuration, "client_auth.url")
		p.WantRequests(t, 0)
	}
}

// TestTokenStaysOffHTTP: a function of the app cannot send a token without TLS.
func TestTokenStaysOffHTTP(t *testing.T) {
	for _, target := range []string{
		"http://api.example/me", "HTTP://api.example/me", "http://127.0.0.1/me", "ftp://api.example/",
	} {
		p := &world.Provider{}
		c := world.Client(t, p, func(c *config) {
			c.Provider.Identity = func(
				ctx context.Context, resp *authcode.TokenResponse,
			) (*authcode.Identity, error) {
				r, err := http.NewRequestWithContext(ctx, "GET", target, nil)
				if err != nil {
					return nil, err
				}
				_, err = resp.Do(r)
				return nil, err
			}
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		world.WantError(t, err, authcode.Configuration, "api.url")
		p.WantRequests(t, 1)
	}
}

// TestSecretRefusesByItself: its function is no way around its Err.
func TestSecretRefusesByItself(t *testing.T) {
	for _, value := range []string{"", " ", "s3cret\n"} {
		p := &world.Provider{}
		c := world.Client(t, p, func(c *config) {
			c.ClientAuth = authcode.ClientAuth{Authenticate: authcode.Secret(value).Authenticate}
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		world.WantError(t, err, authcode.Configuration, "client_auth")
		p.WantRequests(t, 0)
	}
}

// TestParametersOfABinding: they replace nothing.
func TestParametersOfABinding(t *testing.T) {
	for _, row := range []struct {
		params url.Values
		check  string
	}{
		{url.Values{"dpop_jkt": {"a"}}, ""},
		{url.Values{"ext": {"a"}}, ""},
		{url.Values{"dpop_jkt": {"a", "b"}}, "binding.params"},
		{url.Values{"DPoP_JKT": {"a"}}, "binding.params"},
		{url.Values{"state": {"a"}}, "binding.params"},
		{url.Values{"redirect_uri": {"https://evil.example"}}, "binding.params"},
		{url.Values{"prompt": {"none"}}, "binding.params"},
		{url.Values{"Display": {"page"}}, "binding.params"},
		{url.Values{"tenant": {"2"}}, "binding.params"},
		{url.Values{"": {"a"}}, "binding.params"},
	} {
		c := world.Client(t, &world.Provider{}, func(c *config) {
			c.Provider.AuthParams = map[string]string{"prompt": "consent"}
			c.Provider.AuthURL += "?tenant=1"
			c.Binding.Begin = func(context.Context) (string, url.Values, error) {
				return "key", row.params, nil
			}
		})
		_, cookies, err := world.Start(c, authcode.Param("display", "popup"))
		world.WantOutcome(t, err, authcode.Configuration, row.check)
		if err != nil && len(cookies) > 0 {
			t.Errorf("%v began a login", row.params)
		}
	}
}

// TestNothingIsNoAnswer: a seam that returns neither a value nor an error.
func TestNothingIsNoAnswer(t *testing.T) {
	nothing := world.RoundTrip(func(*http.Request) (*http.Response, error) { return nil, nil })
	for name, row := range map[string]struct {
		change func(*config)
		check  string
	}{
		"Wrap": {func(c *config) { c.Wrap = world.Through(nothing) }, "transport.nil"},
		"a bound transport": {func(c *config) {
			c.Binding.Transport = func(*authcode.Connection, http.RoundTripper, string) (http.RoundTripper, error) {
				return nothing, nil
			}
		}, "transport.nil"},
		"Binding.Transport": {func(c *config) {
			c.Binding.Transport = func(*authcode.Connection, http.RoundTripper, string) (http.RoundTripper, error) {
				return nil, nil
			}
		}, "binding"},
	} {
		t.Run(name, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, row.change)
			_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			world.WantError(t, err, authcode.Configuration, row.check)
			source := c.TokenSource(&oauth2.Token{AccessToken: "at"}, (&world.Store{}).Save)
			api, err := source.APIClient("https://api.example")
			if err != nil {
				t.Fatal(err)
			}
			_, err = api.Get("https://api.example/")
			if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != row.check {
				t.Errorf("got %v, want %s", err, row.check)
			}
		})
	}
}

// TestNewAndHastySeams: New says what is wrong.
func TestNewAndHastySeams(t *testing.T) {
	p := &world.Provider{}
	one := http.RoundTripper(p)
	for name, row := range map[string]struct {
		change func(*config)
		says   string
	}{
		"an error without a text": {
			func(c *config) { c.Provider.Err = errors.New("") }, "Err without a text"},
		"an Error without a text": {
			func(c *config) { c.Binding.Err = &authcode.Error{} }, "Err without a text"},
		"one RoundTripper for two": {func(c *config) {
			certified(p, p)(c)
			c.Wrap = func(http.RoundTripper) http.RoundTripper { return one }
		}, "the same RoundTripper twice"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := authcode.New(world.Config(p, row.change))
			e := world.WantError(t, err, authcode.Configuration, "config")
			if !strings.Contains(e.Error(), row.says) {
				t.Errorf("%q does not say %q", e, row.says)
			}
		})
	}
}
