package storetest

import (
	"bytes"
	"errors"
	"time"

	"example.com/authcode/grant"
)

// subject is a record in the store, and what must be in it. Each record that
// the store returns is compared with that.
type subject struct {
	*trial
	want grant.Record // durations as they went in

	// When these began.
	written, seen, leased, since, given moment
}

// create adds a record.
func (c *trial) create(r grant.Record) *subject {
	c.Helper()
	s := &subject{trial: c, want: r}
	c.forget(r.Key)
	var err error
	s.written = during(func() { err = c.store().Create(c.ctx, r) })
	s.seen = s.written
	c.returns("Create", err, nil)
	s.want.Data = bytes.Clone(r.Data)
	return s
}

// load loads the record without touching it.
func (s *subject) load() grant.Record {
	s.Helper()
	return s.touch(0, false)
}

// touch loads the record and says whether that has to touch it.
func (s *subject) touch(d time.Duration, touched bool) grant.Record {
	s.Helper()
	var got grant.Record
	var err error
	now := during(func() { got, err = s.store().Load(s.ctx, s.want.Key, d) })
	s.returns("Load", err, nil)
	if touched {
		s.seen = now
	}
	s.compare(got, now)
	return got
}

// swap makes a change, which has to end with the error want.
func (s *subject) swap(w grant.Swap, want error) {
	s.Helper()
	var got grant.Record
	var err error
	now := during(func() { got, err = s.store().Swap(s.ctx, s.want.Key, w) })
	s.returns("Swap", err, want)
	if want == nil {
		s.apply(w, now)
	}
	s.compare(got, now)
}

// apply changes what must be in the record, as the comment of grant.Swap says.
func (s *subject) apply(w grant.Swap, now moment) {
	l := &s.want.Lease
	switch {
	case w.Content != nil:
		s.want.Version++
		s.want.Content = *w.Content
		s.written, s.leased = now, now
		*l = grant.Lease{}
		if w.Lease > 0 {
			l.Owner, l.Left = w.Owner, w.Lease
		}
	case w.Lease > 0:
		if l.Owner != w.Owner {
			if l.Tries == 0 {
				s.since = now
			}
			l.Tries++
		}
		l.Owner, l.Left, l.Wait = w.Owner, w.Lease, 0
		s.leased = now
	default:
		l.Owner, l.Left, l.Wait = "", 0, w.Wait
		s.given = now
	}
}

// compare reports an error if the store's record is not as it must be.
func (s *subject) compare(got grant.Record, now moment) {
	s.Helper()
	w := s.want
	if got.Key != w.Key || got.Version != w.Version || got.Idle != w.Idle {
		s.Errorf("the record has kind %s, ID %x, version %d and Idle %v, want %s, %x, %d and %v",
			got.Kind, got.ID, got.Version, got.Idle, w.Kind, w.ID, w.Version, w.Idle)
	}
	if got.Digests != w.Digests {
		s.Errorf("the record has the digests %x, want %x", got.Digests, w.Digests)
	}
	if !bytes.Equal(got.Data, w.Data) {
		s.Errorf("the record has %d bytes of data, %.40x…, want %d, %.40x…",
			len(got.Data), got.Data, len(w.Data), w.Data)
	}
	written, writtenMost := s.written.until(now)
	seen, seenMost := s.seen.until(now)
	least, most := w.Expires-writtenMost, w.Expires-written
	s.within("Age", got.Age, written, writtenMost)
	s.within("Seen", got.Seen, seen, seenMost)
	s.within("Expires", got.Expires, least, most)
	if w.Idle > 0 {
		least, most = min(least, w.Idle-seenMost), min(most, w.Idle-seen)
	}
	s.within("Left", got.Left, least, most)
	s.compareLease(got.Lease, now)
}

// compareLease does the same for the lease.
func (s *subject) compareLease(got grant.Lease, now moment) {
	s.Helper()
	w := s.want.Lease
	if got.Owner != w.Owner || got.Tries != w.Tries {
		s.Errorf("Lease has the owner %q and %d tries, want %q and %d",
			got.Owner, got.Tries, w.Owner, w.Tries)
	}
	if w.Owner != "" {
		least, most := s.leased.until(now)
		s.within("Lease.Left", got.Left, w.Left-most, w.Left-least)
	}
	if w.Tries == 0 && got.Since != 0 {
		s.Errorf("Lease.Since is %v, but nobody has taken it", got.Since)
	}
	if w.Tries > 0 {
		least, most := s.since.until(now)
		s.within("Lease.Since", got.Since, least, most)
	}
	var least, most time.Duration
	if w.Wait > 0 {
		least, most = s.given.until(now)
		least, most = max(w.Wait-most, 0), max(w.Wait-least, 0)
	}
	s.within("Lease.Wait", max(got.Wait, 0), least, most)
}

// delete deletes a version, which has to end with the error want.
func (s *subject) delete(version int64, want error) {
	s.Helper()
	s.returns("Delete", s.store().Delete(s.ctx, s.want.Key, version), want)
	if want == nil {
		s.missing(s.want.Key)
		return
	}
	s.load()
}

// expires waits until the record is not found, d after start.
func (s *subject) expires(start moment, d time.Duration, touch time.Duration) {
	s.Helper()
	s.becomes("expired", start, d, func() bool {
		_, err := s.store().Load(s.ctx, s.want.Key, touch)
		if err != nil && !errors.Is(err, grant.ErrNotFound) {
			s.Fatalf("Load returned the error %v", err)
		}
		return err != nil
	})
	s.missing(s.want.Key)
}

// runsOut waits until the lease has.
func (s *subject) runsOut() {
	s.Helper()
	s.becomes("run out", s.leased, s.want.Lease.Left, func() bool {
		return s.load().Lease.Left < 0
	})
}

// take, giveUp and replace are the three changes.

func take(owner string, lease time.Duration) grant.Swap {
	return grant.Swap{Owner: owner, Lease: lease}
}

func giveUp(owner string, wait time.Duration) grant.Swap {
	return grant.Swap{Owner: owner, Wait: wait}
}

func (s *subject) replace() grant.Swap {
	c := s.want.Content
	c.Data = random(50)
	return grant.Swap{Version: s.want.Version, Content: &c}
}
