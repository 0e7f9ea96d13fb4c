package grant

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// keeper extends a lease while its holder waits.
type keeper struct {
	version atomic.Int64 // that the record must have
	end     context.CancelFunc
	ended   sync.WaitGroup
}

// keepLease extends the lease of f until stop is called, for extendFor at most.
func (f *flight) keepLease(ctx context.Context) *keeper {
	ctx, cancel := context.WithTimeout(ctx, extendFor)
	k := &keeper{end: cancel}
	k.version.Store(f.last.record.Version)
	k.ended.Go(func() {
		for pause := extendEvery; ; {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			// The version keeps this from taking a lease that the holder has
			// given up by saving.
			once, cancel := context.WithTimeout(ctx, opTime)
			_, err := f.g.cfg.Store.Swap(once, f.key,
				Swap{Version: k.version.Load(), Owner: f.owner, Lease: leaseTime})
			cancel()
			switch pause = extendEvery; {
			case errors.Is(err, ErrNotFound):
				return
			case err != nil && !errors.Is(err, ErrConflict):
				// When the store is back, nobody should be faster: another holder
				// would send the refresh token again.
				pause = maxPause
			}
		}
	})
	return k
}

// stop ends the keeper and waits for it.
func (k *keeper) stop() {
	k.end()
	k.ended.Wait()
}

// budget is a context that ends after a time in which the process was running.
// A process that was stopped finds the answer waiting in its socket when it
// wakes up. A deadline would have passed by then, and the answer, with the only
// refresh token that still works, would be dropped.
type budget struct {
	context.Context
	done chan struct{}
	once sync.Once
}

// newBudget returns a context that ends after about d.
func newBudget(parent context.Context, d time.Duration) (*budget, context.CancelFunc) {
	b := &budget{Context: parent, done: make(chan struct{})}
	ticker := time.NewTicker(time.Second)
	go func() {
		defer ticker.Stop()
		// A ticker drops the ticks that nobody has received.
		for range int(d / time.Second) {
			select {
			case <-ticker.C:
			case <-b.done:
				return
			}
		}
		b.stop()
	}()
	return b, b.stop
}

func (b *budget) stop() { b.once.Do(func() { close(b.done) }) }

// Done implements [context.Context].
func (b *budget) Done() <-chan struct{} { return b.done }

// Err implements [context.Context].
func (b *budget) Err() error {
	select {
	case <-b.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Deadline implements [context.Context]: it is not known.
func (b *budget) Deadline() (time.Time, bool) { return time.Time{}, false }

// change is what a renewal does to the record.
type change struct {
	refresh string // the refresh token that it brings
	lease   time.Duration
	apply   func(*content) error
	isDone  func(*content) bool // reports whether the record has it already
}

// answer is what a renewal brings.
type answer struct {
	want
	token    *oauth2.Token
	identity *authcode.Identity
	came     time.Time // by the clock that made the expiry
}

// pendingChange stores a renewed token that was not checked yet.
func pendingChange(conn *authcode.Connection, a answer) change {
	raw, err := authcode.MarshalToken(a.token)
	return change{
		refresh: a.token.RefreshToken, lease: leaseTime,
		apply: func(c *content) error {
			c.Refresh = a.token.RefreshToken
			c.Pending = &pending{a.want, raw, a.came, conn.Config.Clock.Now()}
			return err
		},
		isDone: func(c *content) bool {
			return c.Pending != nil && slices.Equal(c.Pending.Token, raw)
		},
	}
}

// checkedChange stores a renewed token whose owner was checked.
func checkedChange(conn *authcode.Connection, a answer, sent *opened) change {
	t, life := a.token, time.Duration(0)
	if !t.Expiry.IsZero() {
		life = max(t.Expiry.Sub(a.came), time.Millisecond)
	}
	return change{
		refresh: t.RefreshToken,
		apply: func(c *content) error {
			// Now, and not when the answer came: the store may have been away.
			left := leftOf(conn, t)
			// Another process may have received the token. Then the expiry is by
			// its clock.
			if p := sent.Pending; p != nil && left > 0 {
				left = max(t.Expiry.Sub(p.Wrote)-sent.age(), time.Millisecond)
			}
			c.Pending = nil
			c.merge(a.identity)
			return c.put(a.want, t, left, life)
		},
		isDone: func(c *content) bool {
			// Some providers return the same access token for a while.
			return c.Pending == nil && c.Refresh == t.RefreshToken &&
				(&opened{content: c}).accessToken(a.want) == t.AccessToken
		},
	}
}

// changed is base after c.
func (f *flight) changed(base *opened, c change) (Content, error) {
	next := base.clone()
	next.passed(base.age())
	if err := c.apply(next); err != nil {
		return Content{}, err
	}
	return f.g.sealed(f.key, base.record.Version+1, next)
}

// save stores what a renewal brought, which the refresh token spent has paid
// for. While the store is away, it tries again without end: the grant would be
// lost. It does not need the lease. A late holder saves too, as long as nobody
// has replaced the refresh token.
func (f *flight) save(ctx context.Context, spent string, c change) error {
	for pause, failures := minPause, 0; ; pause = min(2*pause, maxPause) {
		base := f.last
		if base.Refresh != spent && base.Refresh != c.refresh {
			return errOvertaken
		}
		data, err := f.changed(base, c)
		if err != nil {
			return err
		}
		err = f.swap(ctx, Swap{Version: base.record.Version, Lease: c.lease, Content: &data})
		switch {
		case err == nil, errors.Is(err, ErrConflict) && c.isDone(f.last.content):
			// The answer to an earlier try may have been lost. Without a lease,
			// the keeper must not take a new one.
			if c.lease > 0 {
				f.kept.version.Store(f.last.record.Version)
			}
			return nil
		case errors.Is(err, ErrConflict):
			// The record has changed. If it has the refresh token that was
			// sent, nobody else has renewed it.
			continue
		case errors.Is(err, ErrNotFound):
			return errDeleted
		case errors.Is(err, authcode.GrantRejected):
			return err // it does not open any more, and never will here
		}
		if failures++; failures == 1 {
			f.observe(ctx, SaveFailed, err)
		}
		if failures == 4 {
			f.setStuck.Do(func() { close(f.stuck) })
		}
		time.Sleep(pause)
	}
}
