// Package once remembers what has been used, for a while and up to a limit:
// logins that were redeemed, logout tokens that were accepted.
package once

import (
	"sync"
	"time"
)

// Outcome is what became of something that is used once.
type Outcome uint8

// The outcomes. The zero value is Unused.
const (
	Unused Outcome = iota
	Running
	Failed
	Done
)

// Set remembers hashes until their time is over. When it is full, the oldest
// failed ones are forgotten first, then the oldest of the others: a failed login
// costs an attacker nothing, so a flood of them must not push out the memory of
// a login that succeeded. It is safe for concurrent use. Set Max before the first
// use.
type Set struct {
	Max int

	mu      sync.Mutex
	entries map[[32]byte]record
	queue   []entry // in order of their coming
	failed  []entry // in order of their failing
}

type record struct {
	outcome Outcome
	until   time.Time
}

type entry struct {
	id    [32]byte
	until time.Time
}

// maxSweep bounds the expired entries that one call removes, so that no login
// waits for the cleaning up after a busy hour.
const maxSweep = 64

// Begin marks id as running until the given time and returns Unused, or returns
// what became of it before.
func (s *Set) Begin(id [32]byte, now, until time.Time) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r, ok := s.entries[id]; ok {
		return r.outcome
	}
	s.sweep(now)
	for len(s.entries) >= s.Max {
		s.evict()
	}
	if len(s.entries) == 0 {
		// Give the memory back.
		s.entries, s.queue, s.failed = make(map[[32]byte]record), nil, nil
	}
	s.entries[id] = record{Running, until}
	s.queue = append(s.queue, entry{id, until})
	return Unused
}

// sweep removes what has expired, a bounded number at a time.
func (s *Set) sweep(now time.Time) {
	for _, list := range []*[]entry{&s.queue, &s.failed} {
		for n := 0; n < maxSweep && len(*list) > 0 && now.After((*list)[0].until); n++ {
			s.remove((*list)[0])
			*list = (*list)[1:]
		}
	}
}

// evict makes room for one more.
func (s *Set) evict() {
	list := &s.failed
	if len(s.failed) == 0 {
		list = &s.queue
	}
	s.remove((*list)[0])
	*list = (*list)[1:]
}

// remove forgets e, unless its id was forgotten and has come again since.
func (s *Set) remove(e entry) {
	if r, ok := s.entries[e.id]; ok && r.until.Equal(e.until) {
		delete(s.entries, e.id)
	}
}

// End records how what runs ended; with Unused it may begin again. What has left
// the set stays out.
func (s *Set) End(id [32]byte, o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.entries[id]
	if !ok || r.outcome != Running {
		return
	}
	if o == Unused {
		delete(s.entries, id)
		return
	}
	s.entries[id] = record{o, r.until}
	if o == Failed {
		s.failed = append(s.failed, entry{id, r.until})
	}
}

// Outcome returns what became of id.
func (s *Set) Outcome(id [32]byte) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id].outcome
}
