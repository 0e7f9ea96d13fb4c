package storetest

import (
	"errors"
	"slices"
	"time"

	"example.com/authcode/grant"
)

// sweep calls Sweep until there is nothing more to delete. It returns the
// records that were listed.
func (c *trial) sweep(limit int) []grant.Key {
	c.Helper()
	var listed []grant.Key
	for range 10_000 {
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

// listsAbandoned: a lease that has run out, or a Wait that is over, is listed
// until somebody takes the lease or gives it up, or the record has another
// version or none.
func listsAbandoned(c *trial) {
	var abandoned, others []*subject
	for i := range 4 {
		abandoned = append(abandoned, c.abandon(i))
	}
	for i, w := range []grant.Swap{take("a", long), take("b", long), giveUp("a", 0)} {
		s := c.abandon(i % 2)
		s.swap(w, nil)
		others = append(others, s)
	}
	for i := range 4 {
		s := c.abandon(i)
		s.swap(s.replace(), nil)
		others = append(others, s)
		s = c.abandon(i)
		s.delete(0, nil)
		others = append(others, s)
	}
	waiting := c.create(c.record())
	waiting.swap(take("a", short), nil)
	waiting.swap(giveUp("a", long), nil)
	held := c.create(c.record())
	held.swap(take("a", long), nil)
	others = append(others, c.expired(), waiting, held)
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
				c.Errorf("Sweep lists record %d, which is not abandoned", i)
			}
		}
	}
}

// abandon creates a record that is abandoned in one of four ways. Its holder is
// a in the first two.
func (c *trial) abandon(way int) *subject {
	c.Helper()
	const brief = time.Millisecond
	s := c.create(c.record())
	switch way {
	case 0:
		s.swap(take("a", brief), nil)
	case 1:
		w := s.replace()
		w.Owner, w.Lease = "a", brief
		s.swap(w, nil)
	case 2:
		s.swap(take("a", long), nil)
		s.swap(giveUp("a", brief), nil)
	case 3:
		s.swap(take("a", brief), nil)
		s.runsOut()
		s.swap(giveUp("a", brief), nil)
	}
	if way < 2 {
		s.runsOut()
		return s
	}
	s.becomes("free", s.given, brief, func() bool { return s.load().Lease.Wait <= 0 })
	return s
}

// expired creates a record that has expired, and whose lease has run out.
func (c *trial) expired() *subject {
	c.Helper()
	r := c.record()
	r.Expires = short
	s := c.create(r)
	_, err := c.store().Swap(c.ctx, r.Key, take("a", time.Millisecond))
	if !errors.Is(err, grant.ErrNotFound) { // expired meanwhile
		c.returns("Swap", err, nil)
	}
	s.expires(s.written, short, 0)
	return s
}

// sweepsBounded: a limit is kept, and repeating ends.
func sweepsBounded(c *trial) {
	var last *subject
	for range 5 {
		r := c.record()
		r.Expires = short
		last = c.create(r)
	}
	for i := range 5 {
		c.abandon(i % 4)
	}
	last.expires(last.written, short, 0)
	for _, limit := range []int{1, 2, 100} {
		if len(c.sweep(limit)) == 0 {
			c.Errorf("Sweep with limit %d lists none of the abandoned records", limit)
		}
	}
}
