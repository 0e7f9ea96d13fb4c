package grant

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	sweepEvery = time.Second
	sweepLimit = 200
	sweepTime  = 10 * time.Second // for one call; a store that hangs is asked again

	// sweepers is how many abandoned renewals one instance takes up at a time,
	// and sweepersEach how many at one provider: one that hangs must not use up
	// the time of those at the others.
	sweepers, sweepersEach = 64, 16

	maxPassed = 1000 // renewals that are listed beside sweepLimit; see sweeper.passed

	// giveUpAfter is how long a renewal that nobody asks for is tried again. No
	// provider accepts a spent refresh token for that long.
	giveUpAfter = time.Minute
)

// Run takes up renewals that nobody comes back to, because their instance died
// or the person is not asking, and deletes what has expired. Run it in every
// instance: without it, a refresh token that was sent without an answer is lost
// when the provider no longer accepts it again, mostly after ten seconds. It
// returns when ctx has ended. When the Store begins to fail, slog's default
// logger gets a line.
func (g *Grants) Run(ctx context.Context) {
	s := sweeper{
		g: g, keys: make(map[Key]bool), at: make(map[Origin]int), passed: make(map[Key]bool),
	}
	defer s.running.Wait()
	hasFailed := false
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, sweepTime)
		abandoned, more, err := g.cfg.Store.Sweep(once, s.limit())
		cancel()
		switch {
		case err == nil:
			more = s.takeUp(ctx, abandoned) || more
		// Nobody asks Run for its error. One line for each outage.
		case !hasFailed && ctx.Err() == nil:
			slog.WarnContext(ctx, "authcode: grant.Run: the store failed: check it; Run goes on "+
				"trying", "error", err)
		}
		if hasFailed = err != nil; hasFailed {
			s.forgetPassed()
		}
		pause := sweepEvery
		if more {
			pause /= 10
		}
		// Instances that started together should not sweep together.
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
		}
	}
}

// sweeper takes up what others have begun.
type sweeper struct {
	g       *Grants
	running sync.WaitGroup

	mu   sync.Mutex
	keys map[Key]bool   // that it works on
	at   map[Origin]int // how many renewals at a provider

	// passed are those that cannot be taken up now. A store lists the oldest
	// first. So a provider that hangs could fill the list, and nobody would see
	// the renewals at the others. The list is longer by as many.
	passed map[Key]bool
}

// limit is how many abandoned renewals the store may list.
func (s *sweeper) limit() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sweepLimit + min(len(s.passed), maxPassed)
}

// takeUp begins with as many as it may. Sweep lists the others again. It reports
// whether there are some that it has not looked at.
func (s *sweeper) takeUp(ctx context.Context, keys []Key) (more bool) {
	// The instances get the same keys. Each begins with others.
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	s.mu.Lock()
	defer s.mu.Unlock()
	var fresh, passed []Key
	for _, key := range keys {
		if s.passed[key] {
			passed = append(passed, key)
		} else {
			fresh = append(fresh, key)
		}
	}
	// What is no longer listed was taken up elsewhere.
	clear(s.passed)
	for _, key := range passed {
		s.passed[key] = true
	}
	for i, key := range append(fresh, passed...) {
		if key.Kind != kind || s.keys[key] {
			continue
		}
		if len(s.keys) >= sweepers {
			more = i < len(fresh)
			break
		}
		s.keys[key] = true
		s.running.Go(func() {
			defer func() {
				s.mu.Lock()
				delete(s.keys, key)
				s.mu.Unlock()
			}()
			s.takeUpOne(ctx, key)
		})
	}
	return more
}

// takeUpOne renews one grant, or ends a wait that has led nowhere.
func (s *sweeper) takeUpOne(ctx context.Context, key Key) {
	g, asked := s.g, time.Now()
	once, cancel := context.WithTimeout(ctx, 3*opTime)
	defer cancel()
	r, err := g.cfg.Store.Load(once, key, 0) // nobody uses it, so no touch
	if err != nil {
		s.pass(key)
		return
	}
	if r.Lease.Since > giveUpAfter {
		g.release(once, key, r)
		return
	}
	o, err := g.open(key, r, asked)
	// Without an error, its provider has no room. With one, an instance that has
	// the key takes it up.
	if err != nil || !s.enter(o.Origin, 1) {
		s.pass(key)
		return
	}
	defer s.enter(o.Origin, -1)
	if f, err := g.start(ctx, key, o, want{}, o.accessToken(want{})); err == nil {
		f.wait(ctx)
	}
}

// pass notes that key cannot be taken up now.
func (s *sweeper) pass(key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.passed[key] = true
}

// forgetPassed makes the next list short: a slow store may have failed because
// this one was too long for sweepTime.
func (s *sweeper) forgetPassed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.passed)
}

// enter counts a renewal at a provider. It reports whether there may be one
// more.
func (s *sweeper) enter(at Origin, n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n > 0 && s.at[at] >= sweepersEach {
		return false
	}
	if s.at[at] += n; s.at[at] == 0 {
		delete(s.at, at)
	}
	return true
}

// release ends the wait of a record, so that Sweep no longer lists it.
func (g *Grants) release(ctx context.Context, key Key, r Record) {
	const owner = "sweep"
	take := Swap{Version: r.Version, Owner: owner, Lease: leaseTime}
	if _, err := g.cfg.Store.Swap(ctx, key, take); err == nil {
		g.cfg.Store.Swap(ctx, key, Swap{Version: r.Version, Owner: owner})
	}
}
