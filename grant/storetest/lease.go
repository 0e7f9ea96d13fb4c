package storetest

import (
	"strings"

	"example.com/authcode/grant"
)

// holdsLease: only the holder extends a lease or gives it up, and only a free
// one can be taken.
func holdsLease(c *trial) {
	for _, owner := range []string{"a", strings.Repeat("x", 31) + "y"} {
		s := c.create(c.record())
		v := s.want.Version
		s.swap(giveUp(owner, 0), grant.ErrConflict)
		s.swap(giveUp("", long), grant.ErrConflict)
		s.swap(grant.Swap{Version: v + 1, Owner: owner, Lease: long}, grant.ErrConflict)
		s.swap(take(owner, long), nil)
		s.load()
		s.swap(take("b", long), grant.ErrConflict)
		s.swap(grant.Swap{Version: v, Owner: "b", Lease: long}, grant.ErrConflict)
		s.swap(giveUp("b", long), grant.ErrConflict)
		s.swap(giveUp("", long), grant.ErrConflict)
		s.swap(grant.Swap{Version: v, Owner: owner, Lease: 3 * long}, nil)
		s.swap(grant.Swap{Version: v + 1, Owner: owner, Lease: long}, grant.ErrConflict)
		s.swap(take(owner, 2*long), nil) // shorter than what is left
		s.load()
		s.swap(grant.Swap{Version: v - 1, Owner: owner}, grant.ErrConflict)
		s.swap(giveUp(owner, 0), nil)
		s.load()
		s.swap(giveUp(owner, long), grant.ErrConflict)
		s.swap(grant.Swap{Version: v, Owner: "b", Lease: long}, nil)
		s.swap(take(owner, long), grant.ErrConflict)
		s.swap(grant.Swap{Version: v, Owner: "b", Wait: 0}, nil)
		s.load()
	}
}

// runsOut: others can take a lease then, and not before.
func runsOut(c *trial) {
	s := c.create(c.record())
	s.swap(take("a", short), nil)
	s.becomes("taken", s.leased, short, func() bool {
		var got grant.Record
		var err error
		now := during(func() { got, err = c.store().Swap(c.ctx, s.want.Key, take("b", long)) })
		if err == nil {
			s.apply(take("b", long), now)
			s.compare(got, now)
			return true
		}
		s.returns("Swap", err, grant.ErrConflict)
		s.compare(got, now)
		return false
	})
	s.load()
	s.swap(take("c", long), grant.ErrConflict)
	s.swap(take("b", short), nil)
	s.runsOut()
	s.load() // it still has its holder
	s.swap(take("c", long), nil)
	s.load()
}

// returnsToHolder: after it has run out, its holder extends it or gives it up.
// That is not another try.
func returnsToHolder(c *trial) {
	s := c.create(c.record())
	s.swap(take("a", short), nil)
	s.runsOut()
	s.swap(giveUp("b", 0), grant.ErrConflict)
	s.swap(take("a", short), nil)
	s.runsOut()
	s.swap(giveUp("a", long), nil)
	s.load()
	s.swap(take("b", long), grant.ErrConflict)
}

// refusesLateHolder: a holder that was stopped for longer than its lease can
// still save what it has, if nobody has replaced the version, and no more.
func refusesLateHolder(c *trial) {
	s := c.create(c.record())
	s.swap(take("late", short), nil)
	s.runsOut()
	s.swap(take("b", long), nil)
	s.swap(take("late", long), grant.ErrConflict)
	s.swap(giveUp("late", 0), grant.ErrConflict)
	w := s.replace()
	w.Owner = "late"
	s.swap(w, nil)
	s.load()
	s.swap(take("b", short), nil)
	s.swap(s.replace(), nil)
	w = s.replace()
	w.Version--
	s.swap(w, grant.ErrConflict)
	s.load()
}

// waits: after a holder has given the lease up, nobody takes it for the time of
// Wait, the holder included. Content ends that.
func waits(c *trial) {
	s := c.create(c.record())
	s.swap(take("a", long), nil)
	s.swap(giveUp("a", long), nil)
	for _, owner := range []string{"a", "b"} {
		s.swap(take(owner, long), grant.ErrConflict)
		s.swap(giveUp(owner, 2*long), grant.ErrConflict)
		s.swap(giveUp(owner, 0), grant.ErrConflict)
	}
	s.load()
	s.swap(s.replace(), nil)
	s.swap(take("a", long), nil)
	s.swap(giveUp("a", short), nil)
	s.becomes("taken", s.given, short, func() bool {
		var got grant.Record
		var err error
		now := during(func() { got, err = c.store().Swap(c.ctx, s.want.Key, take("b", long)) })
		if err != nil {
			s.returns("Swap", err, grant.ErrConflict)
			s.compare(got, now)
			return false
		}
		s.apply(take("b", long), now)
		s.compare(got, now)
		return true
	})
	s.load()
	s.swap(giveUp("b", 0), nil)
	s.swap(take("c", long), nil)
	s.load()
}

// counts: Tries and Since go on when a lease is given up or runs out. They
// start again with Content.
func counts(c *trial) {
	s := c.create(c.record())
	for range 2 {
		for _, owner := range []string{"a", "a", "b"} {
			s.swap(take(owner, long), nil)
			s.swap(take(owner, long), nil)
			s.swap(giveUp(owner, 0), nil)
			s.load()
		}
		wait(0)
		s.swap(take("a", short), nil)
		s.runsOut()
		s.swap(take("c", long), nil)
		s.load()
		s.swap(s.replace(), nil)
		s.load()
		w := s.replace()
		w.Owner, w.Lease = "d", short
		s.swap(w, nil)
		s.runsOut()
		s.swap(take("e", long), nil)
		s.load()
		s.swap(s.replace(), nil)
	}
}

// separatesOwners: an owner is compared byte by byte.
func separatesOwners(c *trial) {
	for _, owner := range []string{"A", "ab", "b", "-", "_", "0", "1", "a0", "a-", "aa"} {
		s := c.create(c.record())
		s.swap(take("a", long), nil)
		s.swap(take(owner, long), grant.ErrConflict)
		s.swap(giveUp(owner, 0), grant.ErrConflict)
		s.swap(giveUp("a", 0), nil)
		s.swap(take(owner, long), nil)
		s.swap(take("a", long), grant.ErrConflict)
		s.load()
	}
}
