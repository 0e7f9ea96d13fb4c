// Package once remembers what has been used, for a while and up to a limit: logins that were redeemed, logout
// tokens that were accepted.
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

// Set remembers hashes until their time is over, oldest out first when it is full. It is safe for concurrent
// use. Set Max before the first use.
type Set struct {
	Max int

	mu      sync.Mutex
	entries map[[32]byte]Outcome
	queue   []entry // in order of their coming
}

type entry struct {
	id    [32]byte
	until time.Time
}

// Begin marks id as running until the given time and returns Unused, or returns what became of it before.
func (s *Set) Begin(id [32]byte, now, until time.Time) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.entries[id]; o != Unused {
		return o
	}
	gone := 0
	for gone < len(s.queue) && (len(s.queue)-gone >= s.Max || now.After(s.queue[gone].until)) {
		delete(s.entries, s.queue[gone].id)
		gone++
	}
	s.queue = s.queue[gone:]
	if len(s.queue) == 0 {
		s.queue, s.entries = nil, make(map[[32]byte]Outcome) // give the memory back
	}
	s.entries[id] = Running
	s.queue = append(s.queue, entry{id, until})
	return Unused
}

// End records how what runs ended; with Unused it may begin again. What has left the set stays out.
func (s *Set) End(id [32]byte, o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.entries[id] != Running:
	case o == Unused:
		delete(s.entries, id)
	default:
		s.entries[id] = o
	}
}

// Outcome returns what became of id.
func (s *Set) Outcome(id [32]byte) Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[id]
}
