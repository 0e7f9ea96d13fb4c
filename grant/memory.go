package grant

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// Memory is a [Store] in the memory of one process. What it keeps ends with the
// process.
type Memory struct {
	max int

	mu       sync.Mutex
	records  map[Key]*stored
	digests  map[reference][]*stored // in the order of their IDs
	leased   map[Key]*stored         // those with a holder or a Wait
	expiring queue
}

// reference is what Find looks for.
type reference struct {
	kind   string
	index  Index
	digest Digest
}

// errFull is the error of Create when there is no room.
var errFull = errors.New("grant: the memory store is full: use a database, or a higher limit")

// NewMemory returns a store for up to max records. If max is zero, it is
// 100,000.
func NewMemory(max int) *Memory {
	return &Memory{
		max:     cmp.Or(max, 100_000),
		records: make(map[Key]*stored),
		digests: make(map[reference][]*stored),
		leased:  make(map[Key]*stored),
	}
}

// stored is a record with points in time in place of durations. These have
// monotonic clock readings.
type stored struct {
	Record
	written, seen, ends time.Time
	leased, since, wait time.Time
	place               int // in Memory.expiring
}

// expires is when the record is no longer found.
func (s *stored) expires() time.Time {
	if s.Idle > 0 && s.seen.Add(s.Idle).Before(s.ends) {
		return s.seen.Add(s.Idle)
	}
	return s.ends
}

// at returns the record with its times as of now. The caller shares nothing with
// the store.
func (s *stored) at(now time.Time) Record {
	r := s.Record
	r.Data = bytes.Clone(r.Data)
	r.Age, r.Seen = now.Sub(s.written), now.Sub(s.seen)
	r.Expires, r.Left = s.ends.Sub(now), s.expires().Sub(now)
	if r.Lease.Owner != "" {
		r.Lease.Left = s.leased.Sub(now)
	}
	if !s.since.IsZero() {
		r.Lease.Since = now.Sub(s.since)
	}
	if !s.wait.IsZero() {
		r.Lease.Wait = max(s.wait.Sub(now), 0)
	}
	return r
}

// find returns the record if it has not expired. The caller holds m.mu.
func (m *Memory) find(ctx context.Context, key Key, now time.Time) (*stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := m.records[key]
	if s == nil || !s.expires().After(now) {
		return nil, ErrNotFound
	}
	return s, nil
}

// Create implements [Store].
func (m *Memory) Create(ctx context.Context, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s, err := m.find(ctx, r.Key, now)
	switch {
	case err == nil && s.Version == r.Version && bytes.Equal(s.Data, r.Data):
		return nil
	case err == nil:
		return ErrExists
	case !errors.Is(err, ErrNotFound):
		return err
	}
	m.remove(m.records[r.Key]) // it has expired
	if len(m.records) >= m.max {
		m.sweep(now, 1)
	}
	if len(m.records) >= m.max {
		return errFull
	}
	s = &stored{Record: Record{Key: r.Key, Version: r.Version}, seen: now}
	m.records[r.Key] = s
	heap.Push(&m.expiring, s)
	m.write(s, now, &r.Content)
	return nil
}

// write replaces the content and ends the lease.
func (m *Memory) write(s *stored, now time.Time, c *Content) {
	if s.Digests != c.Digests {
		m.index(s, false)
		s.Digests = c.Digests
		m.index(s, true)
	}
	s.Content = *c
	s.Data = bytes.Clone(c.Data)
	s.written, s.ends = now, now.Add(c.Expires)
	heap.Fix(&m.expiring, s.place)
	s.Lease, s.leased, s.since, s.wait = Lease{}, time.Time{}, time.Time{}, time.Time{}
	delete(m.leased, s.Key)
}

// index adds s to what Find sees, or removes it.
func (m *Memory) index(s *stored, add bool) {
	for i, d := range s.Digests {
		if d == (Digest{}) {
			continue
		}
		ref := reference{s.Kind, Index(i), d}
		all := m.digests[ref]
		at, has := searchID(all, s.ID)
		switch {
		case add && !has:
			m.digests[ref] = slices.Insert(all, at, s)
		case !add && has && len(all) == 1:
			delete(m.digests, ref)
		case !add && has:
			m.digests[ref] = slices.Delete(all, at, at+1)
		}
	}
}

// searchID returns the place of an ID in a list that is in their order.
func searchID(all []*stored, id ID) (at int, has bool) {
	return slices.BinarySearchFunc(all, id, func(s *stored, id ID) int {
		return bytes.Compare(s.ID[:], id[:])
	})
}

// remove forgets s, which may be nil.
func (m *Memory) remove(s *stored) {
	if s == nil {
		return
	}
	m.index(s, false)
	heap.Remove(&m.expiring, s.place)
	delete(m.leased, s.Key)
	delete(m.records, s.Key)
}

// Load implements [Store].
func (m *Memory) Load(ctx context.Context, key Key, touch time.Duration) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s, err := m.find(ctx, key, now)
	if err != nil {
		return Record{}, err
	}
	if touch > 0 && now.Sub(s.seen) >= touch {
		s.seen = now
		heap.Fix(&m.expiring, s.place)
	}
	return s.at(now), nil
}

// Swap implements [Store].
func (m *Memory) Swap(ctx context.Context, key Key, w Swap) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	s, err := m.find(ctx, key, now)
	if err != nil {
		return Record{}, err
	}
	isOwner := s.Lease.Owner == w.Owner && w.Owner != ""
	isFree := s.Lease.Owner == "" && !s.wait.After(now) ||
		s.Lease.Owner != "" && !s.leased.After(now)
	switch {
	case w.Version != s.Version && (w.Version != 0 || w.Content != nil):
		return s.at(now), ErrConflict
	case w.Content != nil:
		m.write(s, now, w.Content)
		s.Version++
		m.hold(s, now, w)
	case w.Lease > 0 && (isOwner || isFree):
		if !isOwner {
			s.Lease.Tries++
			s.since = cmp.Or(s.since, now)
		}
		m.hold(s, now, w)
	case w.Lease <= 0 && isOwner:
		s.Lease.Owner, s.leased, s.wait = "", time.Time{}, now.Add(w.Wait)
		if w.Wait <= 0 {
			s.wait = time.Time{}
			delete(m.leased, key)
		}
	default:
		return s.at(now), ErrConflict
	}
	return s.at(now), nil
}

// hold gives the lease to the owner in w, if it wants one.
func (m *Memory) hold(s *stored, now time.Time, w Swap) {
	if w.Lease > 0 {
		s.Lease.Owner, s.leased, s.wait = w.Owner, now.Add(w.Lease), time.Time{}
		m.leased[s.Key] = s
	}
}

// Delete implements [Store].
func (m *Memory) Delete(ctx context.Context, key Key, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := m.find(ctx, key, time.Now())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	case version != 0 && version != s.Version:
		return ErrConflict
	}
	m.remove(s)
	return nil
}

// Find implements [Store].
func (m *Memory) Find(
	ctx context.Context, kind string, index Index, d Digest, after ID, limit int,
) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := time.Now()
	// There may be 50,000 people of one issuer. To sort them for each page would
	// hold everybody up.
	all := m.digests[reference{kind, index, d}]
	at, has := searchID(all, after)
	if has {
		at++
	}
	var found []Record
	for _, s := range all[at:] {
		if len(found) >= limit {
			break
		}
		if s.expires().After(now) {
			found = append(found, s.at(now))
		}
	}
	return found, nil
}

// Use implements [authcode.UsedStates].
func (m *Memory) Use(ctx context.Context, id string, until time.Time) (fresh bool, err error) {
	return UseState(ctx, m, id, until)
}
