package tenants

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/realm"
)

const (
	loadTime  = 10 * time.Second
	retryTime = 5 * time.Second // after a failed load of a tenant that is known

	// patience is how long a login waits for a tenant to be loaded again before
	// it goes on with the former Config.
	patience = time.Second

	// formerTime is longer than any login takes.
	formerTime = 13 * time.Minute

	maxFormer = 4
)

const (
	checkUnknown = "tenants.unknown"
	checkLoad    = "tenants.load"
)

// tenant is a Client that was made of one version of a tenant's Config.
type tenant struct {
	client  *authcode.Client
	version string // a hash
	tail    string // how the path of its own redirect URL ends; empty if it is shared
}

// entry is what is known of a slot. Registry.mu guards it.
type entry struct {
	current *tenant
	due     time.Time // when it is loaded again; zero: Forget was called
	former  []former  // the newest last
}

type former struct {
	*tenant
	until time.Time
}

// flight is one load, for all who wait for it.
type flight struct {
	done     chan struct{}
	outdated bool // Forget was called meanwhile; Registry.mu guards it
	tenant   *tenant
	err      error // valid, like tenant, after done
}

// newest returns the newest version of a tenant. It waits until deadline at most.
func (g *Registry) newest(ctx context.Context, deadline time.Time, s slot) (*tenant, error) {
	g.mu.Lock()
	e, known := g.entries.Get(s)
	if known && time.Now().Before(e.due) {
		defer g.mu.Unlock()
		return e.current, nil
	}
	var old *tenant
	// After Forget, the former Config is known to be wrong.
	if known && !e.due.IsZero() {
		old = e.current
	}
	f := g.start(ctx, s)
	g.mu.Unlock()
	if soon := time.Now().Add(patience); old != nil && soon.Before(deadline) {
		deadline = soon
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case <-f.done:
	case <-ctx.Done():
		if old != nil {
			return old, nil
		}
		return nil, left(ctx)
	}
	if f.err != nil && old != nil && !isUnknown(f.err) {
		return old, nil
	}
	return f.tenant, f.err
}

// atHand returns a tenant for a request of somebody who is signed in. It waits for
// Load only if it knows nothing to go on with, and then not for long.
func (g *Registry) atHand(ctx context.Context, s slot) (*tenant, error) {
	now := time.Now()
	g.mu.Lock()
	if e, known := g.entries.Get(s); known && !e.due.IsZero() {
		defer g.mu.Unlock()
		if !now.Before(e.due) {
			g.start(ctx, s) // a later request sees what it finds
		}
		return e.current, nil
	}
	g.mu.Unlock()
	return g.newest(ctx, now.Add(patience), s)
}

// begun returns the version of a tenant that a login began with, if it is still
// here, and else the newest one, which the login may not fit.
func (g *Registry) begun(
	ctx context.Context, deadline time.Time, s slot, version string,
) (*tenant, error) {
	t, err := g.newest(ctx, deadline, s)
	if err != nil || t.version == version {
		return t, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if e, ok := g.entries.Get(s); ok {
		for _, f := range e.former {
			if f.version == version && time.Now().Before(f.until) {
				return f.tenant, nil
			}
		}
	}
	return t, nil
}

// start returns the load of s that is under way, or begins one. The caller holds
// g.mu.
func (g *Registry) start(ctx context.Context, s slot) *flight {
	f := g.flights[s]
	if f == nil {
		f = &flight{done: make(chan struct{})}
		g.flights[s] = f
		// It uses a context of its own, so that one caller's cancellation does not
		// fail the others.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadTime)
		result := make(chan loaded, 1) // so that a Load which comes too late can end
		go func() {
			defer cancel()
			result <- g.load(ctx, s)
		}()
		go g.await(ctx, s, f, result)
	}
	return f
}

type loaded struct {
	tenant *tenant
	err    error
}

// await ends the flight with the result, or when ctx ends: a Load that ignores
// its context must not keep the tenant from being loaded ever again.
func (g *Registry) await(ctx context.Context, s slot, f *flight, result <-chan loaded) {
	select {
	case l := <-result:
		f.tenant, f.err = l.tenant, l.err
	case <-ctx.Done():
		// load may have sent its result and then ended ctx.
		select {
		case l := <-result:
			f.tenant, f.err = l.tenant, l.err
		default:
			f.err = left(ctx)
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	defer close(f.done)
	if f.outdated {
		return // the callers that came before Forget get it, and nobody else
	}
	delete(g.flights, s)
	g.keep(s, f)
}

// keep stores what a flight has brought. The caller holds g.mu.
func (g *Registry) keep(s slot, f *flight) {
	e, known := g.entries.Get(s)
	now := time.Now()
	switch {
	case isUnknown(f.err):
		g.entries.Delete(s) // also what logins under way would need
	case f.err != nil && known && !e.due.IsZero():
		e.due = now.Add(retryTime)
	case f.err != nil:
		// A flood of keys that do not exist must not drop tenants that do. So
		// nothing is kept of a failure.
	case !known:
		g.entries.Put(s, &entry{current: f.tenant, due: now.Add(g.cfg.RenewAfter)})
	// After Forget, the app may have forgotten the version, too.
	case e.current.version == f.tenant.version && !e.due.IsZero():
		// The old Client knows its endpoints already.
		e.due, f.tenant = now.Add(g.cfg.RenewAfter), e.current
	default:
		e.former = append(e.former, former{e.current, now.Add(formerTime)})
		e.former = e.former[max(0, len(e.former)-maxFormer):]
		e.current, e.due = f.tenant, now.Add(g.cfg.RenewAfter)
	}
}

// load makes the newest Client of a tenant.
func (g *Registry) load(ctx context.Context, s slot) (l loaded) {
	defer func() {
		// On this goroutine, a panic of the app's function would end the program.
		if v := recover(); v != nil {
			detail := fmt.Sprintf("Config.Load panicked with a %T: correct it", v)
			l.tenant, l.err = nil, authcode.NewError(authcode.Configuration, "tenants.panic", detail, nil)
		}
	}()
	cfg, version, err := g.cfg.Load(ctx, s.key)
	if err == nil {
		sum := sha256.Sum256([]byte(version))
		l.tenant, err = g.build(s, realm.Login{Tenant: s.key, Version: string(sum[:8])}, cfg)
		if err != nil {
			return loaded{err: errorOf(s.key, err)}
		}
	}
	if err != nil {
		return loaded{err: loadError(ctx, err)}
	}
	return l
}

// errorOf adds the key of a tenant that Load knows to an error about it. Of any
// other key, anybody may have made it up, and it must not get into a log.
func errorOf(key string, err error) error {
	var e *authcode.Error
	if !errors.As(err, &e) || e == nil {
		return err
	}
	own := *e
	own.Tenant = key
	return &own
}

// loadError explains why a tenant cannot be used.
func loadError(ctx context.Context, err error) error {
	if errors.Is(err, ErrNotFound) {
		return authcode.NewError(authcode.NotFound, checkUnknown,
			"Config.Load knows no such tenant: look at where the login began, and whether the tenant "+
				"was removed", nil)
	}
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil {
		return own
	}
	if ctx.Err() != nil {
		return left(ctx)
	}
	e := authcode.NewError(authcode.Overloaded, checkLoad,
		"Config.Load failed: check its database; to explain it, return an authcode.NewError", err)
	e.RetryAfter = retryTime
	return e
}

func isUnknown(err error) bool {
	var e *authcode.Error
	return errors.As(err, &e) && e.Check == checkUnknown
}

// left is the error for a caller whose context has ended, or of a load that took
// too long.
func left(ctx context.Context) error {
	reason := authcode.Canceled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		reason = authcode.Timeout
	}
	return authcode.NewError(reason, checkLoad,
		"Config.Load did not answer in time: check its database", ctx.Err())
}
