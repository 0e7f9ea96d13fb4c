package grant_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// TestEndedHook: the app hears of each grant that ends by itself, when it is gone.
func TestEndedHook(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *grant.Grants, string){
		"deleted": func(t *testing.T, g *grant.Grants, id string) { g.Handle(id).Delete(t.Context()) },
		"revoked": func(t *testing.T, g *grant.Grants, id string) { g.Handle(id).Revoke(t.Context()) },
		"refused": func(t *testing.T, g *grant.Grants, id string) { g.Handle(id).Token(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				a.provider.Answer = world.Always(400, `{"error":"invalid_grant"}`)
				var told []string
				var g *grant.Grants
				g = a.instance(t, func(c *grant.Config) {
					c.Ended = func(ctx context.Context, id string) {
						told = append(told, id)
						wantToken(t, g, id, "grant.ended")
					}
				})
				id := a.save(t, g, login())
				time.Sleep(2 * time.Minute)
				end(t, g, id)
				if !slices.Equal(told, []string{id}) {
					t.Errorf("the hook was told of %d grants", len(told))
				}
			})
		})
	}
}
