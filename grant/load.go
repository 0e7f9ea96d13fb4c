package grant

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"example.com/authcode"
)

// opTime bounds an operation of the store that no caller's context bounds.
const opTime = leaseTime

// opened is a record that was opened, and when it was asked for.
type opened struct {
	*content
	record Record // without Data
	asked  time.Time
}

// age is how long ago the record was written.
func (o *opened) age() time.Duration { return o.record.Age + time.Since(o.asked) }

// isHeld reports whether somebody is renewing the token.
func (o *opened) isHeld() bool {
	return o.record.Lease.Owner != "" && o.record.Lease.Left > time.Since(o.asked)
}

// wait is how long nobody may take the lease. A record from the cache may be
// older than its Wait was long.
func (o *opened) wait() time.Duration {
	if o.record.Lease.Owner != "" {
		return 0
	}
	return max(o.record.Lease.Wait-time.Since(o.asked), 0)
}

// open opens the record with this key, which was asked for at a time.
func (g *Grants) open(key Key, r Record, asked time.Time) (*opened, error) {
	plain, ok := g.ring.Reveal().Open(sealedAs(key, r.Version), r.Data)
	// The key is the one that was asked for. A store or a connection that mixes
	// up answers must not show one person's grant to another.
	if ok && r.Key == key {
		var c *content
		if c, ok = decode(plain); ok && keyOf(c.ID) == key {
			r.Data = nil
			return &opened{c, r, asked}, nil
		}
	}
	e := authcode.NewError(authcode.GrantRejected, checkOpen, "the stored grant does not open: "+
		"Config.Keys lacks the key that sealed it, or the record was changed", nil)
	e.Final = true
	return nil, e
}

// load reads and opens a record.
func (g *Grants) load(ctx context.Context, key Key) (*opened, error) {
	asked := time.Now()
	r, err := g.cfg.Store.Load(ctx, key, g.touch())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errEnded("")
	case err != nil:
		return nil, storeError(ctx, err)
	}
	isOld := g.ring.Reveal().IsOld(r.Data) || r.Expires < g.lifetime()/2
	o, err := g.open(key, r, asked)
	if err != nil {
		return nil, err
	}
	if isOld {
		o = g.reseal(ctx, o)
	}
	g.cache.Put(key, o, len(r.Data), o.asked)
	return o, nil
}

// reseal seals a record with the newest key, and begins its lifetime anew. If this
// fails, a later call tries again.
func (g *Grants) reseal(ctx context.Context, o *opened) *opened {
	// Who renews it seals it anyway.
	if o.record.Lease.Tries > 0 {
		return o
	}
	// New content ends a lease. Without a lease of its own, this could end that
	// of an instance which has just begun to renew, and a second one would send
	// the same refresh token.
	key, owner := o.record.Key, rand.Text()
	if _, err := g.cfg.Store.Swap(ctx, key,
		Swap{Version: o.record.Version, Owner: owner, Lease: leaseTime}); err != nil {
		return o
	}
	c, asked := o.clone(), time.Now()
	c.passed(o.age())
	data, err := g.sealed(key, o.record.Version+1, c)
	if err == nil {
		var r Record
		r, err = g.cfg.Store.Swap(ctx, key, Swap{Version: o.record.Version, Content: &data})
		if err == nil {
			r.Data = nil
			return &opened{c, r, asked}
		}
	}
	g.cfg.Store.Swap(ctx, key, Swap{Version: o.record.Version, Owner: owner})
	return o
}
