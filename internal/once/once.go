// Package once remembers for a while what has been used, such as logins that
// were redeemed and logout tokens that were accepted. A second use is then
// refused.
package once

import (
	"sync"
	"time"
)

// Outcome says what became of something that may be used once.
type Outcome uint8

// The outcomes. The zero value is Unused.
const (
	Unused  Outcome = iota
	Running         // its use has begun and not ended
	Failed
	Done
)

// ID is 128 bits of a hash of what is used once. That is enough: to look for two
// that are equal, somebody needs the app's key or the provider's.
type ID [16]byte

// Set remembers IDs until they expire. When it is full, it forgets the
// oldest failed ones first, and then the oldest of the others. A failed login
// costs an attacker nothing, so a flood of them must not make the set forget a
// login that succeeded. It is safe for concurrent use.
type Set struct {
	// Max is how many IDs the set holds, so that nobody can fill the memory
	// by beginning many logins. Set it before the first use.
	Max int

	mu      sync.Mutex
	entries map[ID]record
	queue   []entry // in the order in which they began
	failed  []entry // in the order in which they failed
}

type record struct {
	outcome Outcome
	until   time.Time
}

type entry struct {
	id    ID
	until time.Time
}

// maxSweep bounds how many expired entries one call removes, so that no login
// has to wait for a large clean-up after a busy hour.
const maxSweep = 64

// Begin marks id as Running and returns Unused, or returns what became of id
// before. The set remembers id until the given time.
func (s *Set) Begin(id ID, now, until time.Time) Outcome {
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
		// A Go map never shrinks: start again to give the memory back.
		s.entries, s.queue, s.failed = make(map[ID]record), nil, nil
	}
	s.entries[id] = record{Running, until}
	s.queue = append(s.queue, entry{id, until})
	return Unused
}

// sweep removes expired entries, up to maxSweep of each list.
func (s *Set) sweep(now time.Time) {
	for _, list := range []*[]entry{&s.queue, &s.failed} {
		for n := 0; n < maxSweep && len(*list) > 0 && now.After((*list)[0].until); n++ {
			s.remove((*list)[0])
			*list = (*list)[1:]
		}
	}
}

// evict makes room for one more entry.
func (s *Set) evict() {
	list := &s.failed
	if len(s.failed) == 0 {
		list = &s.queue
	}
	s.remove((*list)[0])
	*list = (*list)[1:]
}

// remove forgets the id of e, unless it was forgotten before and has begun
// again since.
func (s *Set) remove(e entry) {
	if r, ok := s.entries[e.id]; ok && r.until.Equal(e.until) {
		delete(s.entries, e.id)
	}
}

// End records the outcome of id, whose use Begin has marked as Running. With
// Unused, id may be used again. End does nothing if id has left the set
// meanwhile.
func (s *Set) End(id ID, o Outcome) {
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

// Outcome returns what became of id: Unused if the set does not know it.
func (s *Set) Outcome(id ID) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id].outcome
}
