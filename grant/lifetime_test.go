package grant_test

import (
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
)

// TestLifetime: a grant that is never renewed lives for as long as somebody uses
// it, and no record has a longer life ahead of it than four times KeepFor.
func TestLifetime(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const keepFor = 24 * time.Hour
		a := newApp(t)
		n := a.node(t, func(c *grant.Config) { c.KeepFor = keepFor })
		g := n.Handle(a.save(t, n.Grants, login()))
		for day := range 20 {
			if _, err := g.Info(t.Context()); err != nil {
				t.Fatalf("day %d: %v", day, err)
			}
			r, err := a.store.Load(t.Context(), n.created[0], 0)
			if err != nil || r.Expires > 4*keepFor || r.Expires < keepFor {
				t.Fatalf("day %d: it has %v left, %v", day, r.Expires, err)
			}
			time.Sleep(keepFor - time.Hour)
		}
		time.Sleep(keepFor)
		if _, err := g.Info(t.Context()); err == nil {
			t.Error("a grant that nobody uses has not ended")
		}
	})
}
