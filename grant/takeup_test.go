package grant_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
)

// hangingLoads is a store whose Load hangs, and that lists these keys in each
// Sweep.
type hangingLoads struct {
	grant.Store
	abandoned []grant.Key

	mu    sync.Mutex
	loads map[grant.Key]int
}

func (s *hangingLoads) Load(ctx context.Context, key grant.Key, _ time.Duration) (grant.Record, error) {
	s.mu.Lock()
	s.loads[key]++
	s.mu.Unlock()
	<-ctx.Done()
	return grant.Record{}, ctx.Err()
}

func (s *hangingLoads) Sweep(context.Context, int) ([]grant.Key, bool, error) {
	return append([]grant.Key(nil), s.abandoned...), false, nil
}

// TestRunIsBounded: one instance takes up 64 abandoned renewals at a time, each
// once, and leaves the records of other packages to them.
func TestRunIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		kind  string
		keys  int
		loads int
	}{
		"each once":        {"grant", 10, 10},
		"64 at a time":     {"grant", 100, 64},
		"no other records": {"session", 10, 0},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				s := &hangingLoads{Store: grant.NewMemory(0), loads: make(map[grant.Key]int)}
				for n := range c.keys {
					s.abandoned = append(s.abandoned, grant.Key{Kind: c.kind, ID: grant.ID{byte(n)}})
				}
				a := newApp(t)
				g := a.instance(t, func(cfg *grant.Config) { cfg.Store = s })
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				g.Run(ctx) // until all have left
				loads := 0
				for _, n := range s.loads {
					loads += n
				}
				if loads != c.loads {
					t.Errorf("%d loads, want %d", loads, c.loads)
				}
			})
		})
	}
}
