package test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

// TestBoundGrants: two instances use and renew tokens that are bound to a key,
// at a server that names a new nonce in each answer.
func TestBoundGrants(t *testing.T) {
	for claim, binding := range map[string]func() authcode.Binding{
		"one key":     func() authcode.Binding { return dpop.New(edKey) },
		"per session": func() authcode.Binding { return dpop.PerSession(world.Key('d')) },
	} {
		t.Run(claim, func(t *testing.T) {
			w := world.New(t, func(c *config) { c.Binding = binding() })
			w.Server.SetNonces(authserver.RotatingNonces, authserver.RotatingNonces)
			w.Browser().SignIn("")
			store := newTable()
			id, err := keeping(t, store, w.Client, 'g').Save(t.Context(), w.Client, w.LastLogin())
			if err != nil {
				t.Fatal(err)
			}
			// Another instance has another Client, and knows no nonce.
			var instances []*grant.Grants
			for range 2 {
				cfg := w.Config
				cfg.Binding = binding()
				c, err := authcode.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				instances = append(instances, keeping(t, store, c, 'g'))
			}
			for n := range 6 {
				g := instances[n%2].Handle(id)
				if n%3 == 1 {
					if _, err := g.Renew(t.Context(), nil); err != nil {
						t.Fatalf("call %d: %v", n, err)
					}
				}
				wantBound(t, w, g)
			}
		})
	}
}

// wantBound calls an API with the grant's token.
func wantBound(t *testing.T, w *world.World, g *grant.Grant) {
	t.Helper()
	client, err := g.APIClient(t.Context(), w.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(w.Server.URL + "/resource")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body [1 << 10]byte
	n, _ := resp.Body.Read(body[:])
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(body[:n]), `"binding":"dpop"`) {
		t.Errorf("the API answered %d: %s", resp.StatusCode, body[:n])
	}
}
