package grant

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	sweepEvery = time.Second
	sweepLimit = 200
	sweepTime  = 10 * time.Second // for one call; a store that hangs is asked again
	sweepers   = 8                // abandoned renewals that one instance takes up at a time

	// giveUpAfter is how long a renewal that nobody asks for is tried again. No
	// provider accepts a spent refresh token for that long.
	giveUpAfter = time.Minute
)

// Run takes up renewals that nobody comes back to, because their instance died
// or the person is not asking, and deletes what has expired. Run it in every
// instance: without it, a refresh token that was sent without an answer is lost
// when the provider no longer accepts it again, mostly after ten seconds. It
// returns when ctx has ended.
func (g *Grants) Run(ctx context.Context) {
	for ctx.Err() == nil {
		once, cancel := context.WithTimeout(ctx, sweepTime)
		abandoned, more, err := g.cfg.Store.Sweep(once, sweepLimit)
		cancel()
		if err == nil {
			g.takeUp(ctx, abandoned)
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

// takeUp renews what others have begun.
func (g *Grants) takeUp(ctx context.Context, keys []Key) {
	var busy sync.WaitGroup
	slots := make(chan struct{}, sweepers)
	// The instances get the same keys. Each begins with others.
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		if key.Kind != kind {
			continue
		}
		slots <- struct{}{}
		busy.Go(func() {
			defer func() { <-slots }()
			g.takeUpOne(ctx, key)
		})
	}
	busy.Wait()
}

// takeUpOne renews one grant, or ends a wait that has led nowhere.
func (g *Grants) takeUpOne(ctx context.Context, key Key) {
	asked := time.Now()
	once, cancel := context.WithTimeout(ctx, 3*opTime)
	defer cancel()
	r, err := g.cfg.Store.Load(once, key, 0) // nobody uses it, so no touch
	if err != nil {
		return
	}
	if r.Lease.Since > giveUpAfter {
		g.release(once, key, r)
		return
	}
	o, err := g.open(key, r, asked)
	if err != nil {
		return // an instance that has the key takes it up
	}
	if f, err := g.start(ctx, key, o, want{}, o.accessToken(want{})); err == nil {
		f.wait(ctx)
	}
}

// release ends the wait of a record, so that Sweep no longer lists it.
func (g *Grants) release(ctx context.Context, key Key, r Record) {
	const owner = "sweep"
	if _, err := g.cfg.Store.Swap(ctx, key, Swap{Version: r.Version, Owner: owner, Lease: leaseTime}); err == nil {
		g.cfg.Store.Swap(ctx, key, Swap{Version: r.Version, Owner: owner})
	}
}
