package test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestConnection: what the Client and its provider have agreed on is handed out
// as a copy.
func TestConnection(t *testing.T) {
	c := world.Client(t, &world.Provider{}, func(c *config) { c.Algorithms = []string{"ES256"} })
	conn, err := c.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if conn.Config.CookieKeys != nil || conn.Config.Provider.ClientIDParam != "client_id" ||
		conn.Endpoints.AuthStyle != oauth2.AuthStyleInHeader ||
		!slices.Equal(conn.Config.Provider.Algorithms, []string{"ES256"}) ||
		!conn.Config.Provider.IsIssuer(world.Issuer) ||
		conn.Config.Provider.IsIssuer(world.Issuer+"/") {
		t.Errorf("handed %q, %v, %q", conn.Config.Provider.ClientIDParam, conn.Endpoints.AuthStyle,
			conn.Config.Provider.Algorithms)
	}
	conn.Endpoints.TokenURL, conn.Config.ClientID = "https://evil.example", "other"
	again, err := c.Connection(t.Context())
	if err != nil || again.Endpoints.TokenURL != world.TokenURL ||
		again.Config.ClientID != "client" || again.Transport != conn.Transport {
		t.Errorf("what one caller changed reaches the next: %s, %v", again.Endpoints.TokenURL, err)
	}
}

// TestBindingConnection: Binding.Transport gets a copy as well, also for an API.
func TestBindingConnection(t *testing.T) {
	p := world.Answering(200, `{"access_token":"at-1","refresh_token":"rt-1","token_type":"DPoP"}`)
	asked := 0
	c := world.Client(t, p, func(c *config) {
		c.Binding = authcode.Binding{TokenType: "DPoP", Transport: func(
			conn *authcode.Connection, base http.RoundTripper, key string,
		) (http.RoundTripper, error) {
			if asked++; conn.Endpoints.TokenURL != world.TokenURL || conn.Config.ClientID != "client" {
				t.Errorf("got %s, %s", conn.Endpoints.TokenURL, conn.Config.ClientID)
			}
			conn.Endpoints.TokenURL, conn.Config.ClientID = "https://evil.example", "other"
			return adding(proofs[0].header)(conn, base, key)
		}}
	})
	for range 2 {
		world.Begin(t, c, nil).Finish(t, c)
		for _, kind := range []string{"refresh", "API"} {
			if err := requestsOfBound[kind](t, c); err != nil {
				t.Error(kind, err)
			}
		}
	}
	if asked != 6 {
		t.Errorf("asked %d times, want 6", asked)
	}
}

// TestMetadataConnection: what loads metadata is handed the rules, the fields,
// and a transport that follows no redirect.
func TestMetadataConnection(t *testing.T) {
	p := world.Answering(302, "", "Location", "https://evil.example/", "Set-Cookie", "a=b")
	lookup := func(ctx context.Context, conn *authcode.Connection) (endpoints, error) {
		r, err := http.NewRequestWithContext(ctx, "GET", world.Issuer+"/metadata", nil)
		if err != nil {
			return endpoints{}, err
		}
		resp, err := conn.Transport.RoundTrip(r)
		if err != nil {
			return endpoints{}, err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			t.Errorf("status %d", resp.StatusCode)
		}
		cfg := &conn.Config
		if cfg.ClientID != "client" || cfg.Provider.Issuer != world.Issuer ||
			!slices.Equal(cfg.Algorithms, []string{"ES256"}) || cfg.CookieKeys != nil ||
			conn.Endpoints.UserInfoURL != "https://provider.example/me" {
			t.Errorf("handed %q, %q, %q, %d keys, %q", cfg.ClientID, cfg.Provider.Issuer,
				cfg.Algorithms, len(cfg.CookieKeys), conn.Endpoints.UserInfoURL)
		}
		return world.Endpoints(), nil
	}
	world.Begin(t, world.Client(t, p, world.LookedUp(lookup), func(c *config) {
		c.Algorithms, c.Provider.UserInfoURL = []string{"ES256"}, "https://provider.example/me"
	}), nil)
	p.WantRequests(t, 1)
}
