package storetest

import (
	"errors"
	"time"

	"example.com/authcode/grant"
)

// expiresByExpires: Expires counts from Create, and again from each Content.
func expiresByExpires(c *trial) {
	r := c.record()
	r.Expires = short
	s := c.create(r)
	s.expires(s.written, short, 0)
	s = c.create(c.record())
	s.swap(take("a", long), nil)
	w := s.replace()
	w.Content.Expires, w.Content.Idle = short, long
	s.swap(w, nil)
	s.expires(s.written, short, 0)
}

// expiresByIdle: Idle counts from Create, and Load with touch zero does not
// touch.
func expiresByIdle(c *trial) {
	r := c.record()
	r.Idle = short
	s := c.create(r)
	s.expires(s.seen, short, 0)
	s = c.create(c.record())
	w := s.replace()
	w.Content.Idle = short
	s.swap(w, nil) // Swap does not touch
	s.expires(s.seen, short, 0)
}

// findsNothingExpired: nothing but Create does anything with an expired record.
func findsNothingExpired(c *trial) {
	r := c.record()
	r.Expires, r.Idle, r.Digests[grant.ByPerson] = long, 2*short, digest()
	s := c.create(r)
	if _, err := c.store().Swap(c.ctx, r.Key, take("a", long)); err == nil {
		_, err = c.store().Swap(c.ctx, r.Key, take("b", long))
		if !errors.Is(err, grant.ErrNotFound) { // expired meanwhile
			c.returns("Swap", err, grant.ErrConflict)
		}
	}
	s.expires(s.seen, 2*short, 0)
	_, err := c.store().Load(c.ctx, r.Key, time.Millisecond)
	c.returns("Load", err, grant.ErrNotFound)
	for _, w := range []grant.Swap{take("a", long), giveUp("a", 0), s.replace()} {
		_, err := c.store().Swap(c.ctx, r.Key, w)
		c.returns("Swap", err, grant.ErrNotFound)
	}
	found, err := c.store().Find(c.ctx, kind, grant.ByPerson, r.Digests[grant.ByPerson],
		grant.ID{}, 10)
	if err != nil || len(found) > 0 {
		c.Errorf("Find returned %d expired records, %v", len(found), err)
	}
	c.returns("Delete", c.store().Delete(c.ctx, r.Key, r.Version+1), nil)
	r.Idle = 0 // the same version and data, which is not the expired record
	s = c.create(r)
	s.load()
	c.sweep(100) // nor does it take the new one with it
	s.load()
}

// touches: a record is touched at most once in the time of touch, and Left
// starts again.
func touches(c *trial) {
	r := c.record()
	r.Idle = long
	r.Expires = 2 * long
	s := c.create(r)
	wait(short)
	s.touch(long, false)
	s.touch(time.Millisecond, true)
	s.load()
	for range 2 {
		wait(0)
		s.becomes("touched", s.seen, short, func() bool {
			var got grant.Record
			var err error
			now := during(func() { got, err = c.store().Load(c.ctx, r.Key, short) })
			s.returns("Load", err, nil)
			least, _ := s.seen.until(now) // a touch makes it less
			touched := got.Seen < least-tolerance
			if touched {
				s.seen = now
			}
			s.compare(got, now)
			return touched
		})
		s.load()
		s.touch(long, false)
	}
}

// touchesAlive: a record that is touched in time lives on. If the machine is too
// slow to do that, the check tries again with more time.
func touchesAlive(c *trial) {
	for idle := 3 * short; idle < time.Minute; idle *= 2 {
		if c.touchAlive(idle) {
			return
		}
	}
}

// touchAlive reports whether it was fast enough.
func (c *trial) touchAlive(idle time.Duration) bool {
	c.Helper()
	r := c.record()
	r.Idle = idle
	s := c.create(r)
	for {
		var err error
		now := during(func() { _, err = c.store().Load(c.ctx, r.Key, time.Millisecond) })
		if _, most := s.seen.until(now); err != nil && most > idle-tolerance {
			return false
		}
		c.returns("Load of a record that was touched", err, nil)
		s.seen = now
		if least, _ := s.written.until(now); least > idle+short {
			return true
		}
		time.Sleep(short / 4)
	}
}

// touchesWithinExpires: the earlier of both ends a record.
func touchesWithinExpires(c *trial) {
	r := c.record()
	r.Expires, r.Idle = 2*short, long
	s := c.create(r)
	s.expires(s.written, 2*short, time.Millisecond)
}

// touchesByLoadOnly: Swap, Find and a repeated Create leave Seen alone, and a
// lease leaves Age alone.
func touchesByLoadOnly(c *trial) {
	r := c.record()
	r.Idle, r.Digests[grant.ByPerson] = long, digest()
	s := c.create(r)
	wait(short)
	c.returns("a repeated Create", c.store().Create(c.ctx, r), nil)
	_, err := c.store().Find(c.ctx, kind, grant.ByPerson, r.Digests[grant.ByPerson], grant.ID{}, 1)
	c.returns("Find", err, nil)
	s.load()
	s.swap(take("a", long), nil)
	s.swap(take("a", long), nil)
	s.swap(take("b", long), grant.ErrConflict)
	s.swap(giveUp("a", 0), nil)
	wait(short)
	s.swap(s.replace(), nil)
	s.load()
	s.swap(grant.Swap{Version: 1, Content: &r.Content}, grant.ErrConflict)
	w := s.replace()
	w.Content.Idle = 2 * long
	s.swap(w, nil)
	s.touch(time.Millisecond, true)
	s.load()
}
