package oidc

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"example.com/authcode"
)

const (
	budget     = 10 * time.Second // for one load, whoever waits for it
	retryPause = 5 * time.Second  // between a failed load and the next
)

// recent holds the values that were made last, at most most of them. When it is full, the oldest one
// goes. Set most before the first use.
type recent[K comparable, V any] struct {
	most int

	mu     sync.Mutex
	values map[K]V
	order  []K // the oldest first
}

// get returns the value of key, which it makes if there is none.
func (r *recent[K, V]) get(key K, create func() V) V {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.values[key]; ok {
		return v
	}
	if len(r.order) >= r.most {
		delete(r.values, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
	if r.values == nil {
		r.values = make(map[K]V)
	}
	v := create()
	r.values[key] = v
	r.order = append(r.order, key)
	return v
}

// cached is one of the provider's documents. It is loaded when it is needed, once for all who need
// it at the same time. A load uses a context of its own, so that one caller's cancellation does not
// fail the others.
type cached[T any] struct {
	name     string        // begins the Checks of errors
	lifetime time.Duration // after which the document is loaded anew
	patience time.Duration // how long a caller waits for that before it gets the old document

	mu       sync.Mutex
	value    T
	loaded   time.Time // zero: never
	failures map[*allowance]*failure
	running  *flight
}

// failure is a failed load. It counts only for those on whose behalf the load was: a stranger's
// request to a handler must not make a login fail that has tried nothing yet.
type failure struct {
	at  time.Time
	err error
}

// flight is a load that is running.
type flight struct {
	by       *allowance
	done     chan struct{}
	err      error
	panicked any
}

type loader[T any] func(context.Context) (T, error)

// get returns the document. A document that is older than its lifetime is loaded anew, and returned
// all the same if that fails or takes long. by says on whose behalf.
func (c *cached[T]) get(ctx context.Context, load loader[T], by *allowance) (T, error) {
	c.mu.Lock()
	value, known := c.value, !c.loaded.IsZero()
	failed := c.failures[by]
	paused := failed != nil && time.Since(failed.at) < retryPause
	switch {
	case known && (paused || time.Since(c.loaded) < c.lifetime):
		c.mu.Unlock()
		return value, nil
	case paused && c.running == nil:
		c.mu.Unlock()
		return value, failed.err
	}
	f := c.start(ctx, load, by)
	c.mu.Unlock()
	if known {
		f.linger(ctx, c.patience)
		return c.last(), nil
	}
	err := f.wait(ctx, c.name)
	switch {
	case err == nil:
		return c.last(), nil
	case f.by != by && ctx.Err() == nil: // somebody else's load failed: ours may not
		return c.get(ctx, load, by)
	}
	return value, err
}

// renew loads the document now, if by allows it, or joins a load that is running, and waits for the
// end. A load that was joined may be older than what the caller knows.
func (c *cached[T]) renew(ctx context.Context, load loader[T], by *allowance) (joined, ok bool, err error) {
	c.mu.Lock()
	joined = c.running != nil
	if !joined && !by.take() {
		c.mu.Unlock()
		return false, false, nil
	}
	f := c.start(ctx, load, by)
	c.mu.Unlock()
	err = f.wait(ctx, c.name)
	return joined, err == nil, err
}

// last returns what was loaded last, the zero value if nothing was.
func (c *cached[T]) last() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// start returns the load that is running, a new one if there is none. The caller holds c.mu.
func (c *cached[T]) start(ctx context.Context, load loader[T], by *allowance) *flight {
	if c.running == nil {
		c.running = &flight{by: by, done: make(chan struct{})}
		go c.run(context.WithoutCancel(ctx), c.running, load)
	}
	return c.running
}

func (c *cached[T]) run(ctx context.Context, f *flight, load loader[T]) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var value T
	f.err = failed(authcode.Unreachable, c.name+".panic", nil)
	defer func() {
		f.panicked = recover() // an app's transport may panic: see wait
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = nil
		if f.err == nil {
			c.value, c.loaded = value, time.Now()
		} else {
			if c.failures == nil {
				c.failures = make(map[*allowance]*failure)
			}
			c.failures[f.by] = &failure{time.Now(), f.err}
		}
		close(f.done)
	}()
	value, f.err = load(ctx)
}

// wait returns when the load has ended, or when ctx has.
func (f *flight) wait(ctx context.Context, name string) error {
	select {
	case <-f.done:
	case <-ctx.Done():
		return ended(ctx, name)
	}
	if f.panicked != nil {
		panic(f.panicked) // where the server's recover can see it
	}
	return f.err
}

// linger waits for a load that the caller can do without.
func (f *flight) linger(ctx context.Context, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// ended explains why ctx has ended.
func ended(ctx context.Context, name string) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return failed(authcode.Canceled, name+".canceled", nil)
	}
	return failed(authcode.Timeout, name+".timeout", nil)
}

// allowance limits how often keys are fetched anew for one purpose: three times in any minute.
type allowance struct {
	mu   sync.Mutex
	last [3]time.Time // the oldest first
}

func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if !a.last[0].IsZero() && now.Sub(a.last[0]) < time.Minute {
		return false
	}
	copy(a.last[:], a.last[1:])
	a.last[len(a.last)-1] = now
	return true
}
