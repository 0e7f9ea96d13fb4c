package storetest

import (
	"bytes"
	"math"
	"strings"
	"time"

	"example.com/authcode/grant"
)

// odd makes a record one that a store might keep in another form.
var odd = []func(r *grant.Record){
	func(*grant.Record) {},
	func(r *grant.Record) { r.Data = nil },
	func(r *grant.Record) { r.Data = []byte{} },
	func(r *grant.Record) { r.Data = []byte{0} },
	func(r *grant.Record) { r.Data = allBytes() },
	func(r *grant.Record) { r.Data = random(1 << 20) },
	func(r *grant.Record) { r.Kind = "a" },
	func(r *grant.Record) { r.Kind = strings.Repeat("z", 16) },
	func(r *grant.Record) { r.ID[0], r.ID[31] = 0, 0 },
	func(r *grant.Record) { r.Version = 1 },
	func(r *grant.Record) { r.Version = 1<<53 + 1 }, // not a float64
	func(r *grant.Record) { r.Version = 1 << 62 },
	func(r *grant.Record) { r.Version = math.MaxInt64 - 1 },
	func(r *grant.Record) { r.Digests[grant.ByIssuer] = digest() },
	func(r *grant.Record) { r.Digests[grant.ByGrant] = grant.Digest{15: 1} },
	func(r *grant.Record) {
		for i := range r.Digests {
			r.Digests[i] = digest()
		}
	},
	func(r *grant.Record) { r.Expires = 100 * 365 * 24 * time.Hour },
	func(r *grant.Record) { r.Idle = 1234 * time.Second },
	func(r *grant.Record) { r.Idle = 100 * 365 * 24 * time.Hour },
}

// createsAll: whatever a record may contain goes in and comes out, with Create
// and with Swap.
func createsAll(c *trial) {
	for _, change := range odd {
		r := c.record()
		change(&r)
		s := c.create(r)
		s.load()
		other := s.record().Content
		s.swap(grant.Swap{Version: r.Version - 1, Content: &other}, grant.ErrConflict)
		s.swap(grant.Swap{Version: r.Version, Content: &r.Content}, nil)
		s.load()
		s.swap(grant.Swap{Version: r.Version, Content: &other}, grant.ErrConflict)
		s.delete(r.Version+1, nil)
	}
}

// allBytes returns each byte once.
func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// createsOnce: a record is not replaced by Create, and the same Create again is
// harmless.
func createsOnce(c *trial) {
	s := c.create(c.record())
	wait(short)
	again := s.want
	again.Expires, again.Digests[grant.ByPerson] = 2*long, digest()
	otherVersion, otherData, lessData := s.want, s.want, s.want
	otherVersion.Version++
	otherData.Data = random(40)
	lessData.Data = nil
	for range 2 {
		c.returns("a repeated Create", c.store().Create(c.ctx, again), nil)
		s.load()
		for _, r := range []grant.Record{otherVersion, otherData, lessData} {
			c.returns("Create", c.store().Create(c.ctx, r), grant.ErrExists)
			s.load()
		}
		s.swap(take("a", long), nil)
	}
	first := s.want
	s.swap(s.replace(), nil)
	c.returns("Create", c.store().Create(c.ctx, first), grant.ErrExists)
	s.load()
}

// separatesKeys: another kind, or an ID that differs in one bit, is another
// record.
func separatesKeys(c *trial) {
	s := c.create(c.record())
	for _, change := range []func(*grant.Key){
		func(k *grant.Key) { k.Kind += "s" },
		func(k *grant.Key) { k.Kind = k.Kind[1:] },
		func(k *grant.Key) { k.ID[0] ^= 0x80 },
		func(k *grant.Key) { k.ID[31] ^= 1 },
	} {
		r := c.record()
		r.Key = s.want.Key
		change(&r.Key)
		c.missing(r.Key)
		other := c.create(r)
		other.swap(take("a", long), nil)
		other.swap(other.replace(), nil)
		s.load()
		other.delete(0, nil)
		s.load()
	}
}

// createsNothing: only Create creates.
func createsNothing(c *trial) {
	for _, r := range []grant.Record{c.record(), c.create(c.record()).want} {
		key := r.Key
		c.returns("Delete", c.store().Delete(c.ctx, key, 0), nil)
		_, err := c.store().Load(c.ctx, key, time.Millisecond)
		c.returns("Load", err, grant.ErrNotFound)
		for _, w := range []grant.Swap{
			take("a", long), giveUp("a", 0), giveUp("", long),
			{Version: r.Version, Owner: "a", Lease: long},
			{Version: r.Version, Content: &r.Content},
			{Version: r.Version, Owner: "a", Lease: long, Content: &r.Content},
			{Owner: "a", Content: &r.Content},
		} {
			_, err := c.store().Swap(c.ctx, key, w)
			c.returns("Swap", err, grant.ErrNotFound)
			c.missing(key)
		}
		for _, version := range []int64{0, 1, r.Version} {
			c.returns("Delete", c.store().Delete(c.ctx, key, version), nil)
			c.missing(key)
		}
	}
}

// sharesNothing: data belongs to the caller, before and after.
func sharesNothing(c *trial) {
	r := c.record()
	r.Digests[grant.ByPerson] = digest()
	s := c.create(r)
	clear(r.Data)
	s.load()
	clear(s.load().Data)
	s.load()
	found, err := c.store().Find(c.ctx, kind, grant.ByPerson, r.Digests[grant.ByPerson],
		grant.ID{}, 1)
	c.returns("Find", err, nil)
	for _, r := range found {
		clear(r.Data)
	}
	s.load()
	w := s.replace()
	data := bytes.Clone(w.Content.Data)
	s.swap(w, nil)
	clear(w.Content.Data)
	s.want.Data = data
	s.load()
	got, err := c.store().Swap(c.ctx, r.Key, take("a", long))
	c.returns("Swap", err, nil)
	clear(got.Data)
	got, err = c.store().Swap(c.ctx, r.Key, take("b", long))
	c.returns("Swap", err, grant.ErrConflict)
	if !bytes.Equal(got.Data, data) {
		c.Errorf("the record has the data %q, want %q", got.Data, data)
	}
}

// deletes: a version that is not the record's is not deleted.
func deletes(c *trial) {
	s := c.create(c.record())
	s.delete(s.want.Version+1, grant.ErrConflict)
	s.swap(take("a", long), nil)
	s.swap(s.replace(), nil)
	s.delete(s.want.Version-1, grant.ErrConflict)
	s.swap(take("a", long), nil)
	s.delete(s.want.Version, nil)
	again := c.record()
	again.Key = s.want.Key
	s = c.create(again) // without the lease
	s.load()
	s.swap(take("b", long), nil)
	s.delete(0, nil)
	s.delete(0, nil)
	s.delete(s.want.Version, nil)
}
