package tenants_test

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hostilePause is the mean time between two logins at one hostile tenant.
const hostilePause = 500 * time.Millisecond

// siege are people who sign in at all hostile tenants again and again, one at
// each, while it is on.
type siege struct {
	on     atomic.Bool
	logins atomic.Int64
}

// lay begins a siege, which is off at first. The function that it returns ends it.
func (c *crowd) lay(s *siege) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for name := range c.bad {
		all.Go(func() {
			for ctx.Err() == nil {
				// Not in step with the others, as people come.
				select {
				case <-ctx.Done():
				case <-time.After(rand.N(2 * hostilePause)):
				}
				if !s.on.Load() {
					continue
				}
				s.logins.Add(1)
				if c.tryBad(ctx, name) {
					c.t.Errorf("somebody signed in at %s", name)
				}
			}
		})
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// times signs in so often, and returns how long each login took.
func (c *crowd) times(n int, names []string) (took []time.Duration) {
	for i := range n {
		start := time.Now()
		if err := c.signIn(names[i%len(names)]); err != nil {
			c.t.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	return took
}

// BenchmarkBesideHostile compares good logins beside a hundred hostile tenants with
// good logins alone, in turns, so that whatever else the machine does slows both.
// It reports the ratios of the medians and of the 99th percentiles.
func BenchmarkBesideHostile(b *testing.B) {
	c := newCrowd(b)
	c.fill()
	c.start(nil)
	names := slices.Sorted(maps.Keys(c.good))
	c.times(10*len(names), names) // loads the metadata
	var s siege
	defer c.lay(&s)()
	var took [2][]time.Duration
	var besieged time.Duration
	b.ResetTimer()
	for range b.N {
		for i, on := range []bool{false, true} {
			s.on.Store(on)
			c.times(20, names) // until the change has had its effect
			start := time.Now()
			took[i] = append(took[i], c.times(100, names)...)
			if on {
				besieged += time.Since(start)
			}
		}
	}
	at := func(i, percent int) float64 { return took[i][len(took[i])*percent/100].Seconds() * 1000 }
	for i := range took {
		slices.Sort(took[i])
	}
	b.ReportMetric(at(0, 50), "p50-alone-ms")
	b.ReportMetric(at(0, 99), "p99-alone-ms")
	b.ReportMetric(at(1, 50)/at(0, 50), "p50-ratio")
	b.ReportMetric(at(1, 99)/at(0, 99), "p99-ratio")
	b.ReportMetric(float64(s.logins.Load())/besieged.Seconds(), "hostile/s")
	b.ReportMetric(0, "ns/op") // with both, so it says nothing
}
