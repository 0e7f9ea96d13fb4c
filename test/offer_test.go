package test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// offers are what a provider says about DPoP, and whether a login can begin.
var offers = []struct {
	claim     string
	found     string   // Endpoints.DPoPAlgorithms of the metadata
	own       string   // that of the Provider
	signs     []string // Binding.Algorithms
	tokenType string
	says      string // if empty, the login begins
}{
	{"nothing is known", "", "", []string{"ES256"}, "DPoP", ""},
	{"the algorithm is offered", "PS256 ES256", "", []string{"ES256"}, "DPoP", ""},
	{"one of several is offered", "ES256", "", []string{"PS256", "ES256"}, "DPoP", ""},
	{"either name of Ed25519 will do", "Ed25519", "", []string{"EdDSA"}, "DPoP", ""},
	{"algorithms that are not known pass", "PS256", "", nil, "DPoP", ""},
	{"no DPoP is refused", "none", "", []string{"ES256"}, "DPoP", "Provider.DPoPAlgorithms"},
	{"no DPoP is refused whatever signs", "none", "", nil, "dpop", "Config.Binding"},
	{"another algorithm is refused", "PS256 RS256", "", []string{"ES256"}, "DPoP",
		"signs proofs with ES256, but the provider takes PS256, RS256 only"},
	{"words that are no algorithm are not repeated", "canary", "", []string{"ES256"}, "DPoP",
		"Config.Binding demands DPoP"},
	{"bearer tokens need no offer", "none", "", nil, "Bearer", ""},
	{"the app knows better", "none", "ES256", []string{"ES256"}, "DPoP", ""},
	{"the app says otherwise", "ES256", "none", []string{"ES256"}, "DPoP", "Config.Binding"},
}

// TestOffer: a login whose token the provider would not bind does not begin.
// Nothing is sent and no cookie set. A worker's requests go on: the answer shows
// whether the token is bound.
func TestOffer(t *testing.T) {
	for _, row := range offers {
		t.Run(row.claim, func(t *testing.T) {
			found := world.Endpoints()
			found.PARURL, found.DPoPAlgorithms = world.PARURL, row.found
			b := &keyBinding{key: "key-1", tokenType: row.tokenType, signs: row.signs}
			p, c := bound(t, b, world.LookedUp(world.Finds(found)), func(c *config) {
				c.Provider.DPoPAlgorithms = row.own
			})
			_, cookies, err := world.Start(c)
			if row.says == "" {
				if err != nil || len(cookies) == 0 {
					t.Errorf("got %v and %d cookies", err, len(cookies))
				}
				return
			}
			e := world.WantError(t, err, authcode.Configuration, "binding.unsupported")
			if !strings.Contains(e.Error(), row.says) || strings.Contains(e.Error(), "canary") {
				t.Errorf("%q does not say %q", e, row.says)
			}
			if p.WantRequests(t, 0); len(cookies) > 0 {
				t.Error("a login began all the same")
			}
			if _, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestOfferOfEndpoints: a Provider without Metadata can say the same.
func TestOfferOfEndpoints(t *testing.T) {
	_, c := bound(t, &keyBinding{tokenType: "DPoP"}, func(c *config) { c.Provider.DPoPAlgorithms = "none" })
	_, _, err := world.Start(c)
	world.WantError(t, err, authcode.Configuration, "binding.unsupported")
}
