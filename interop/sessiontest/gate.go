package sessiontest

import (
	"context"
	"sync"
	"time"

	"example.com/authcode/grant"
)

// CreatedKeys are those of all sessions and grants that were ever stored.
type CreatedKeys struct {
	mu   sync.Mutex
	keys []grant.Key
}

func (c *CreatedKeys) add(key grant.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key.Kind == "session" || key.Kind == "grant" {
		c.keys = append(c.keys, key)
	}
}

// Take returns them and forgets them.
func (c *CreatedKeys) Take() []grant.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.keys
	c.keys = nil
	return keys
}

// Gate is the store of one instance, which stops at a step while a test does
// something else. Each request that may touch a session touches it: no test waits
// until that is due.
type Gate struct {
	grant.Store
	Created *CreatedKeys
	Plain   bool // touches only what is due

	mu    sync.Mutex
	stops map[string]*gateStop
}

type gateStop struct {
	skip int // how often to go on first
	do   func()
}

// At calls do when an operation of this name begins for the nth time, such as
// "Create session", or, with "after " before it, when it has ended.
func (g *Gate) At(step string, nth int, do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stops = map[string]*gateStop{step: {nth - 1, do}}
}

// Waits reports whether nobody has come to the step of At.
func (g *Gate) Waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.stops) > 0
}

func (g *Gate) reach(step string) {
	g.mu.Lock()
	stop := g.stops[step]
	switch {
	case stop == nil:
	case stop.skip > 0:
		stop.skip--
		stop = nil
	default:
		delete(g.stops, step)
	}
	g.mu.Unlock()
	if stop != nil {
		stop.do()
	}
}

// Pass begins an operation, and returns what ends it.
func (g *Gate) Pass(name, kind string) (done func()) {
	g.reach(name + " " + kind)
	return func() { g.reach("after " + name + " " + kind) }
}

// Create implements [grant.Store].
func (g *Gate) Create(ctx context.Context, r grant.Record) error {
	defer g.Pass("Create", r.Kind)()
	g.Created.add(r.Key)
	return g.Store.Create(ctx, r)
}

// Load implements [grant.Store].
func (g *Gate) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	defer g.Pass("Load", key.Kind)()
	if !g.Plain {
		touch = min(touch, time.Millisecond)
	}
	return g.Store.Load(ctx, key, touch)
}

// Swap implements [grant.Store].
func (g *Gate) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	defer g.Pass("Swap", key.Kind)()
	return g.Store.Swap(ctx, key, s)
}

// Delete implements [grant.Store].
func (g *Gate) Delete(ctx context.Context, key grant.Key, version int64) error {
	defer g.Pass("Delete", key.Kind)()
	return g.Store.Delete(ctx, key, version)
}

// Find implements [grant.Store].
func (g *Gate) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	defer g.Pass("Find", kind)()
	return g.Store.Find(ctx, kind, index, d, after, limit)
}
