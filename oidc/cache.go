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
	mu      sync.Mutex
	value   T
	loaded  time.Time // zero: never
	failed  time.Time
	err     *authcode.Error // of the last load, if it failed
	running *flight
}

// flight is one load on its way.
type flight struct {
	done     chan struct{}
	err      *authcode.Error
	panicked any
}

type loader[T any] func(context.Context) (T, *authcode.Error)

// get returns the document. One that is older than lifetime is returned all the same, while it is
// loaded anew. name begins the checks of errors.
func (c *cached[T]) get(ctx context.Context, name string, lifetime time.Duration, load loader[T]) (T, *authcode.Error) {
	c.mu.Lock()
	paused := c.err != nil && time.Since(c.failed) < retryPause
	if !c.loaded.IsZero() {
		defer c.mu.Unlock()
		if time.Since(c.loaded) >= lifetime && !paused {
			c.start(ctx, load)
		}
		return c.value, nil
	}
	if paused && c.running == nil {
		defer c.mu.Unlock()
		return c.value, c.err
	}
	f := c.start(ctx, load)
	c.mu.Unlock()
	if err := f.wait(ctx, name); err != nil {
		var none T
		return none, err
	}
	return c.last(), nil
}

// renew loads the document now, if a allows it, or joins whoever is at it, and waits for the end.
// A load that was joined may be older than what the caller knows.
func (c *cached[T]) renew(ctx context.Context, name string, load loader[T], a *allowance) (joined, ok bool, err *authcode.Error) {
	c.mu.Lock()
	joined = c.running != nil
	if !joined && !a.take() {
		c.mu.Unlock()
		return false, false, nil
	}
	f := c.start(ctx, load)
	c.mu.Unlock()
	err = f.wait(ctx, name)
	return joined, err == nil, err
}

// last returns what was loaded last, the zero value if nothing was.
func (c *cached[T]) last() T {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.value
}

// start returns the load on its way, a new one if there is none. The caller holds c.mu.
func (c *cached[T]) start(ctx context.Context, load loader[T]) *flight {
	if c.running == nil {
		c.running = &flight{done: make(chan struct{})}
		go c.run(context.WithoutCancel(ctx), c.running, load)
	}
	return c.running
}

func (c *cached[T]) run(ctx context.Context, f *flight, load loader[T]) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var value T
	f.err = &authcode.Error{Reason: authcode.Unreachable, Check: "load.panic"}
	defer func() {
		f.panicked = recover() // an app's transport may panic: see wait
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err, c.running = f.err, nil; f.err == nil {
			c.value, c.loaded = value, time.Now()
		} else {
			c.failed = time.Now()
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

// ended explains why ctx is over.
func ended(ctx context.Context, name string) *authcode.Error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return &authcode.Error{Reason: authcode.Canceled, Check: name + ".canceled"}
	}
	return &authcode.Error{Reason: authcode.Timeout, Check: name + ".timeout"}
}

// allowance is how often something may happen: a few times in any minute.
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
