package oidc

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"example.com/authcode"
)

const (
	loadTimeout = 10 * time.Second // of one load, for all who wait for it
	retryPause  = 5 * time.Second  // between a failed load and the next
)

// document is one of the provider's documents, kept in memory: its metadata or
// a JWKS. It is loaded when it is first needed. It is safe for concurrent use.
type document[T any] struct {
	name      string // the first part of its Checks
	urls      []string
	parse     func([]byte) (T, error)
	transport http.RoundTripper // of one Client, or of several that share it
	owner     *authcode.Config  // of that Client, or of the first one

	// lifetime is the age at which it is loaded again, patience how long a
	// caller waits for that before it gets the old one. They are measured with
	// the real clock: a test that moves Config's clock does not empty the
	// cache.
	lifetime, patience time.Duration

	mu       sync.Mutex
	value    T
	loaded   time.Time               // zero: never
	failures map[*allowance]*failure // the last one of each purpose
	running  *load                   // at most one, for all who wait
}

// failure is a failed load.
type failure struct {
	at  time.Time
	err error
}

// load is one attempt to load a document.
type load struct {
	by       *allowance    // of the caller that started it
	done     chan struct{} // closed at the end
	err      error         // valid after done
	panicked any           // what the transport panicked with, valid after done
}

// get returns the document. If it is older than its lifetime, get loads it
// again, but returns the old one if that fails or takes longer than patience.
// by is the allowance of the caller's purpose.
func (d *document[T]) get(ctx context.Context, by *allowance) (T, error) {
	d.mu.Lock()
	value, known := d.value, !d.loaded.IsZero()
	// Report a failure only to callers with the purpose of that load. Otherwise
	// a stranger's request to a handler could make a login fail that has tried
	// nothing yet.
	failed := d.failures[by]
	// Without the pause, each login would send one more request to a provider
	// that is down.
	paused := failed != nil && time.Since(failed.at) < retryPause
	switch {
	case known && (paused || time.Since(d.loaded) < d.lifetime):
		d.mu.Unlock()
		return value, nil
	// A load that is running may succeed. Then do not repeat the old error.
	case paused && d.running == nil:
		d.mu.Unlock()
		return value, failed.err
	}
	l := d.start(ctx, by)
	d.mu.Unlock()
	if known {
		// While the provider is down, people still sign in with the old
		// document. The price is that a withdrawn key is accepted for longer.
		l.waitBriefly(ctx, d.patience)
		return d.latest(), nil
	}
	err := l.wait(ctx, d.name)
	switch {
	case err == nil:
		return d.latest(), nil
	case l.by != by && ctx.Err() == nil:
		// This caller had joined a load of another purpose, which failed. That
		// says nothing about a load of its own, so try one.
		return d.get(ctx, by)
	}
	return value, err
}

// renew loads the document now, if by allows it, or joins a load that is
// running, and waits for its end. It ignores lifetime and retryPause: the
// caller has seen a JWT that the document cannot explain. ok is false if
// nothing new was loaded.
func (d *document[T]) renew(ctx context.Context, by *allowance) (joined, ok bool, err error) {
	// Joining a load costs the provider nothing, so it uses up no allowance.
	d.mu.Lock()
	joined = d.running != nil
	if !joined && !by.take() {
		d.mu.Unlock()
		return false, false, nil
	}
	l := d.start(ctx, by)
	d.mu.Unlock()
	err = l.wait(ctx, d.name)
	return joined, err == nil, err
}

// latest returns what was loaded last, the zero value if nothing was.
func (d *document[T]) latest() T {
	// The load writes value in another goroutine.
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.value
}

// start returns the running load, or starts one. The caller holds d.mu.
func (d *document[T]) start(ctx context.Context, by *allowance) *load {
	if d.running == nil {
		d.running = &load{by: by, done: make(chan struct{})}
		// Many callers may wait for this load. It uses a context of its own, so
		// that one caller's cancellation does not fail the others.
		go d.run(context.WithoutCancel(ctx), d.running)
	}
	return d.running
}

func (d *document[T]) run(ctx context.Context, l *load) {
	// The load has lost the caller's deadline. Without one of its own, a
	// provider that never answers would keep this goroutine forever.
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	var value T
	// If the transport panics, this error is what callers within the pause get.
	l.err = newError(authcode.Unreachable, d.name+".panic", nil)
	defer func() {
		// A panic in this goroutine would end the whole program. wait repeats
		// it in the goroutine of a request, where the server recovers.
		l.panicked = recover()
		// A load that failed leaves the old document in its place: while the
		// provider is down, a key set from before is better than none.
		d.mu.Lock()
		defer d.mu.Unlock()
		d.running = nil
		if l.err == nil {
			d.value, d.loaded = value, time.Now()
		} else {
			if d.failures == nil {
				d.failures = make(map[*allowance]*failure)
			}
			d.failures[l.by] = &failure{time.Now(), l.err}
		}
		close(l.done)
	}()
	l.err = d.observed(ctx, l.err, func(ctx context.Context) error {
		a, err := fetchFirst(ctx, d.transport.RoundTrip, d.name, d.urls)
		if err == nil {
			value, err = d.parse(a.body)
		}
		return err
	})
}

// observed runs load, and tells Config.Observe about it. If load panics, it has
// failed with panicked.
func (d *document[T]) observed(
	ctx context.Context, panicked error, load func(context.Context) error,
) (err error) {
	if d.owner.Observe == nil {
		return load(ctx)
	}
	// The Client has wrapped this function: it returns no nil.
	ctx, end := d.owner.Observe(ctx, authcode.Operation{
		Kind: authcode.Kind(d.name), Provider: d.owner.Provider.Name,
	})
	err = panicked
	defer func() {
		own, _ := errors.AsType[*authcode.Error](err)
		end(own)
	}()
	err = load(ctx)
	return err
}

// wait returns when the load or ctx ends.
func (l *load) wait(ctx context.Context, name string) error {
	select {
	case <-l.done:
	case <-ctx.Done():
		return contextError(ctx, name)
	}
	// The app's transport has panicked. Its server's recover, and its log, are
	// the right place to learn of it.
	if l.panicked != nil {
		panic(l.panicked)
	}
	return l.err
}

// waitBriefly returns when the load or ctx ends, or after patience.
func (l *load) waitBriefly(ctx context.Context, patience time.Duration) {
	// The load goes on after that, and a later caller finds its result.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case <-l.done:
	case <-ctx.Done():
	}
}

// allowance limits how often keys are fetched again for one purpose: three
// times in any minute. One would be enough for the provider's rotation, but a
// forged JWT just before it could use that one up. It is safe for concurrent
// use.
type allowance struct {
	mu   sync.Mutex
	last [3]time.Time // the oldest first
}

// take reports whether one more fetch is allowed, and counts it.
func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	// The oldest of the last three fetches decides: a counter that starts anew
	// each minute would allow six in a row.
	if !a.last[0].IsZero() && now.Sub(a.last[0]) < time.Minute {
		return false
	}
	copy(a.last[:], a.last[1:])
	a.last[len(a.last)-1] = now
	return true
}
