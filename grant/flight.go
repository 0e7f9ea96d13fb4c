package grant

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// flightKey identifies a renewal within this process.
type flightKey struct {
	key  Key
	want want
}

// flight is one renewal, which any number of callers in this process wait for.
type flight struct {
	g        *Grants
	key      Key
	want     want
	refused  string // an access token that is not good enough
	owner    string // holds the lease
	began    time.Time
	provider string

	last *opened // the newest record that it knows
	kept *keeper // extends the lease while it is held

	stuck    chan struct{} // closed when the store does not take the new token
	setStuck sync.Once
	done     chan struct{}
	token    *oauth2.Token
	err      error
}

// start returns the renewal for w that is under way, or begins one.
func (g *Grants) start(
	ctx context.Context, key Key, o *opened, w want, refused string,
) (*flight, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.flights[flightKey{key, w}]; f != nil {
		return f, nil
	}
	if g.closed {
		return nil, later(checkClosed, "Grants.Close was called: this instance renews nothing any more",
			o.Provider, time.Second)
	}
	f := &flight{
		g: g, key: key, want: w, refused: refused, owner: rand.Text(), began: time.Now(),
		last: o, provider: o.Provider,
		stuck: make(chan struct{}), done: make(chan struct{}),
		err: later(checkWait, "the renewal has no result: try again", o.Provider, time.Second),
	}
	g.flights[flightKey{key, w}] = f
	g.active.Add(1)
	// It uses a context of its own, so that one caller's cancellation does not
	// fail the others.
	go f.run(context.WithoutCancel(ctx))
	return f, nil
}

// run makes the renewal and wakes up the callers.
func (f *flight) run(ctx context.Context) {
	defer func() {
		// A seam of the app's may panic. On this goroutine that would end the
		// program, and every other grant with it.
		if v := recover(); v != nil {
			f.token, f.err = nil, authcode.NewError(authcode.Configuration, "grant.panic",
				fmt.Sprintf("a function of the Config panicked with a %T: correct it", v), nil)
		}
		f.g.mu.Lock()
		delete(f.g.flights, flightKey{f.key, f.want})
		f.g.mu.Unlock()
		close(f.done)
		f.g.active.Done()
	}()
	f.token, f.err = f.renew(ctx)
}

// wait returns the result of the renewal.
func (f *flight) wait(ctx context.Context) (*oauth2.Token, error) {
	select {
	case <-f.done:
		return f.result()
	case <-f.stuck:
		return nil, later(checkSave, "the token was renewed, but the store does not take it: "+
			"check the store; it is tried again until it does", f.provider, time.Second)
	case <-ctx.Done():
		// Only this caller leaves.
		e := left(ctx, checkWait, "the caller went away before the token was renewed")
		e.Provider = f.provider
		return nil, e
	}
}

// result is for a caller after the end of f.
func (f *flight) result() (*oauth2.Token, error) {
	if f.err != nil {
		return nil, f.err
	}
	own := *f.token
	return &own, nil
}

// observe tells the app about an outcome.
func (f *flight) observe(ctx context.Context, o Outcome, err error) {
	f.g.cfg.Observe(ctx, Event{o, f.provider, time.Since(f.began), err})
}
