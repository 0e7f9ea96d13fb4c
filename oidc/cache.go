package oidc

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/authcode"
)

const (
	budget     = 10 * time.Second // for one load, whoever waits for it
	retryPause = 5 * time.Second  // between a failed load and the next
)

// cached is one document of the provider's, loaded when it is needed: once for all who need
// it at the same time, and by nobody's context, so that who gives up harms nobody else.
type cached[T any] struct {
	name     string        // begins the checks of errors
	lifetime time.Duration // after which the document is loaded anew
	patience time.Duration // how long a caller waits for that, before it gets the old one

	mu       sync.Mutex
	value    T
	loaded   time.Time // zero: never
	failures map[*allowance]*failure
	running  *flight
}

// failure is remembered for those alone whose client it was: strangers could otherwise keep logins
// away, by making a handler try that cannot reach the provider.
type failure struct {
	at  time.Time
	err *authcode.Error
}

// flight is one load on its way.
type flight struct {
	by       *allowance
	done     chan struct{}
	err      *authcode.Error
	panicked any
}

type loader[T any] func(context.Context) (T, *authcode.Error)

// get returns the document. One that is older than its lifetime is loaded anew, and returned all the
// same if that fails or takes long. by is on whose behalf.
func (c *cached[T]) get(ctx context.Context, load loader[T], by *allowance) (T, *authcode.Error) {
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

// renew loads the document now, if by allows it, or joins whoever is at it, and waits for the end.
// A load that was joined may be older than what the caller knows.
func (c *cached[T]) renew(ctx context.Context, load loader[T], by *allowance) (joined, ok bool, err *authcode.Error) {
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

// start returns the load on its way, a new one if there is none. The caller holds c.mu.
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

// wait returns when the load has ended, or ctx has.
func (f *flight) wait(ctx context.Context, name string) *authcode.Error {
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

// ended explains why ctx is over.
func ended(ctx context.Context, name string) *authcode.Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return failed(authcode.Canceled, name+".canceled", nil)
	}
	return failed(authcode.Timeout, name+".timeout", nil)
}

// allowance is how often keys may be fetched anew on somebody's behalf: a few times in any minute.
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
