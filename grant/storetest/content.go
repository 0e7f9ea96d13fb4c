package storetest

import (
	"time"

	"example.com/authcode/grant"
)

// replaces: Content replaces data, digests, Expires and Idle, no matter who holds
// the lease. The Swap says who holds it afterwards.
func replaces(c *trial) {
	for _, before := range [][]grant.Swap{
		nil,
		{take("a", long)},
		{take("b", long)},
		{take("a", long), giveUp("a", long)},
	} {
		for _, after := range []grant.Swap{
			{},
			{Owner: "a"},
			{Owner: "a", Wait: long},
			{Owner: "a", Lease: long},
			{Owner: "a", Lease: long, Wait: long},
		} {
			r := c.record()
			r.Digests[grant.ByIssuer], r.Digests[grant.ByGrant] = digest(), digest()
			s := c.create(r)
			for _, w := range before {
				s.swap(w, nil)
			}
			w := after
			w.Version = r.Version
			w.Content = &grant.Content{Data: random(10), Expires: 2 * long, Idle: long}
			w.Content.Digests[grant.ByIssuer] = digest()
			s.swap(w, nil)
			s.load()
			isFree := error(nil)
			if after.Lease > 0 {
				isFree = grant.ErrConflict
			}
			s.swap(take("b", long), isFree)
			s.load()
		}
	}
}

// needsVersion: Content without the record's version changes nothing.
func needsVersion(c *trial) {
	s := c.create(c.record())
	for _, before := range []grant.Swap{take("a", long), s.replace(), take("a", long)} {
		s.swap(before, nil)
		for _, version := range []int64{
			0, 1, -1, s.want.Version - 1, s.want.Version + 1, s.want.Version ^ 1<<40,
		} {
			w := s.replace()
			w.Version, w.Owner, w.Lease = version, "a", long
			s.swap(w, grant.ErrConflict)
			s.load()
		}
	}
}

// repeats: clients repeat commands by themselves.
func repeats(c *trial) {
	s := c.create(c.record())
	for range 3 {
		s.swap(take("a", long), nil)
	}
	w := s.replace()
	w.Owner, w.Lease = "a", long
	s.swap(w, nil)
	for range 2 {
		s.swap(w, grant.ErrConflict) // with the record, so the caller sees its own data
	}
	s.swap(giveUp("a", long), nil)
	wait(0)
	for range 2 {
		s.swap(giveUp("a", long), grant.ErrConflict) // Wait does not start again
	}
	s.touch(time.Millisecond, true)
	s.touch(long, false)
	for range 3 {
		s.delete(s.want.Version, nil)
	}
}
