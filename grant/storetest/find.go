package storetest

import (
	"bytes"
	"slices"
	"time"

	"example.com/authcode/grant"
)

// find returns what Find does.
func (c *trial) find(i grant.Index, d grant.Digest, after grant.ID, limit int) []grant.Record {
	c.Helper()
	found, err := c.store().Find(c.ctx, kind, i, d, after, limit)
	c.returns("Find", err, nil)
	return found
}

// finds reports an error if Find does not return these records.
func (c *trial) finds(i grant.Index, d grant.Digest, want ...*subject) {
	c.Helper()
	var got []grant.Record
	now := during(func() { got = c.find(i, d, grant.ID{}, 100) })
	if len(got) != len(want) {
		c.Errorf("Find returned %d records, want %d", len(got), len(want))
		return
	}
	for i, s := range want {
		s.compare(got[i], now)
	}
}

// findsPages: IDs are ordered as bytes, and a page begins after the ID that it
// is asked for.
func findsPages(c *trial) {
	d := digest()
	var all []*subject
	for _, first := range []byte{0x80, 0x00, 0xff, 0x7f, 0x61, 0x41, 0x0a} {
		r := c.record()
		r.ID[0], r.Digests[grant.ByIssuer] = first, d
		all = append(all, c.create(r))
	}
	slices.SortFunc(all, func(a, b *subject) int {
		return bytes.Compare(a.want.ID[:], b.want.ID[:])
	})
	c.finds(grant.ByIssuer, d, all...)
	for _, limit := range []int{1, 2, 3, 6, 7, 8} {
		var got []grant.ID
		for page := []grant.Record(nil); len(got) == 0 || len(page) == limit; {
			var after grant.ID
			if len(got) > 0 {
				after = got[len(got)-1]
			}
			page = c.find(grant.ByIssuer, d, after, limit)
			for _, r := range page {
				got = append(got, r.ID)
			}
			if len(page) > limit || len(got) > len(all) || len(got) == 0 {
				c.Fatalf("Find with limit %d returned %d records", limit, len(page))
			}
		}
		for i, s := range all {
			if i >= len(got) || got[i] != s.want.ID {
				c.Fatalf("Find with limit %d returned IDs %x", limit, got)
			}
		}
	}
	between := all[2].want.ID // no record's
	for i := range between[1:] {
		between[1+i] = 0xff
	}
	if got := c.find(grant.ByIssuer, d, between, 1); len(got) != 1 || got[0].ID != all[3].want.ID {
		c.Errorf("Find after an ID that no record has returned %v", got)
	}
}

// findsExactly: a record is found by its own digest only.
func findsExactly(c *trial) {
	r := c.record()
	for i := range r.Digests {
		r.Digests[i] = digest()
	}
	r.Digests[grant.BySession] = grant.Digest{}
	s := c.create(r)
	other := c.record()
	other.Kind, other.Digests = "storetestx", r.Digests
	c.create(other)
	for i, d := range r.Digests {
		if d == (grant.Digest{}) {
			c.finds(grant.Index(i), d)
			continue
		}
		c.finds(grant.Index(i), d, s)
		for _, at := range []int{0, 7, 15} {
			near := d
			near[at] ^= 1
			c.finds(grant.Index(i), near)
		}
		c.finds(grant.Index((i+1)%len(r.Digests)), d)
	}
}

// findsChanges: a record is found by the digests that it has now.
func findsChanges(c *trial) {
	before, after := digest(), digest()
	r := c.record()
	r.Digests[grant.ByPerson] = before
	s := c.create(r)
	s.swap(take("a", long), nil)
	c.finds(grant.ByPerson, before, s)
	s.swap(giveUp("a", long), nil)
	s.touch(time.Millisecond, true)
	c.finds(grant.ByPerson, before, s)
	w := s.replace()
	w.Content.Digests[grant.ByPerson] = after
	w.Content.Digests[grant.ByGrant] = before
	s.swap(w, nil)
	c.finds(grant.ByPerson, before)
	c.finds(grant.ByPerson, after, s)
	c.finds(grant.ByGrant, before, s)
	w.Version, w.Content.Digests = 1, r.Digests
	s.want.Digests[grant.ByPerson], s.want.Digests[grant.ByGrant] = after, before
	s.swap(w, grant.ErrConflict)
	c.finds(grant.ByPerson, before)
	w = s.replace()
	w.Content.Digests = [len(r.Digests)]grant.Digest{}
	s.swap(w, nil)
	c.finds(grant.ByPerson, after)
	w = s.replace()
	w.Content.Digests[grant.ByPerson] = before
	s.swap(w, nil)
	c.finds(grant.ByPerson, before, s)
	s.delete(0, nil)
	c.finds(grant.ByPerson, before)
}
