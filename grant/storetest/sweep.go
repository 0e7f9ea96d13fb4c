package storetest

import (
	"slices"
	"time"

	"example.com/authcode/grant"
)

// sweep calls Sweep until there is nothing more to delete. It returns the
// records that were listed.
func (c *trial) sweep(limit int) []grant.Key {
	c.Helper()
	var listed []grant.Key
	for range 100_000 {
		keys, more, err := c.store().Sweep(c.ctx, limit)
		c.returns("Sweep", err, nil)
		if len(keys) > limit {
			c.Fatalf("Sweep with limit %d returned %d keys", limit, len(keys))
		}
		for _, key := range keys {
			if !slices.Contains(listed, key) {
				listed = append(listed, key)
			}
		}
		if !more {
			return listed
		}
	}
	c.Fatalf("Sweep always says that there is more to delete")
	return nil
}

// sweepsExpired: a record that is alive is not deleted, whatever its lease.
func sweepsExpired(c *trial) {
	idle, touched, run := c.record(), c.record(), c.record()
	idle.Idle, touched.Idle = long, 2*short
	alive := []*subject{c.create(c.record()), c.create(idle), c.create(run)}
	alive[2].swap(take("a", time.Millisecond), nil)
	dead := c.record()
	dead.Expires = short
	s := c.create(dead)
	s.expires(s.written, short, 0)
	c.sweep(100)
	for _, s := range alive {
		s.load()
	}
	c.missing(dead.Key)
	kept := c.create(touched)
	for range 10 { // Touched after each Sweep, or gone because the machine is slow.
		time.Sleep(short / 4)
		c.sweep(100)
		var err error
		now := during(func() { _, err = c.store().Load(c.ctx, touched.Key, time.Millisecond) })
		if _, most := kept.seen.until(now); err != nil && most > 2*short-tolerance {
			return
		}
		c.returns("Load after Sweep", err, nil)
		kept.seen = now
	}
}

// listsAbandoned: a lease that has run out is listed until somebody takes it or
// gives it up, or the record has another version or none.
func listsAbandoned(c *trial) {
	expiring := c.record()
	expiring.Expires = 2 * short
	var abandoned, others []*subject
	for range 3 {
		abandoned = append(abandoned, c.create(c.record()))
	}
	w := abandoned[2].replace()
	w.Owner, w.Lease = "a", short
	abandoned[2].swap(w, nil)
	for range 5 {
		others = append(others, c.create(c.record()))
	}
	others = append(others, c.create(expiring))
	for _, s := range append(slices.Clone(abandoned[:2]), others...) {
		if s.want.Expires > short*2 {
			s.swap(take("a", short), nil)
		} else if _, err := c.store().Swap(c.ctx, s.want.Key, take("a", short)); err != nil {
			c.returns("Swap", err, grant.ErrNotFound)
		}
	}
	for _, s := range append(slices.Clone(abandoned), others[:5]...) {
		s.runsOut()
	}
	others[5].expires(others[5].written, 2*short, 0)
	others[0].swap(take("a", long), nil)
	others[1].swap(take("b", long), nil)
	others[2].swap(giveUp("a", 0), nil)
	others[3].swap(others[3].replace(), nil)
	others[4].delete(0, nil)
	for range 2 {
		listed := c.sweep(1000)
		for i, s := range abandoned {
			if !slices.Contains(listed, s.want.Key) {
				c.Errorf("Sweep does not list abandoned record %d", i)
			}
			s.load()
		}
		for i, s := range others {
			if slices.Contains(listed, s.want.Key) {
				c.Errorf("Sweep lists record %d, whose lease is not abandoned", i)
			}
		}
	}
}

// sweepsBounded: a limit is kept, and repeating ends.
func sweepsBounded(c *trial) {
	var last *subject
	for range 5 {
		r := c.record()
		r.Expires = short
		last = c.create(r)
	}
	for range 5 {
		c.create(c.record()).swap(take("a", time.Millisecond), nil)
	}
	last.expires(last.written, short, 0)
	for _, limit := range []int{1, 2, 100} {
		if len(c.sweep(limit)) == 0 {
			c.Errorf("Sweep with limit %d lists none of the abandoned records", limit)
		}
	}
}
