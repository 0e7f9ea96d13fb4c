package authcode

import (
	"sync"
	"time"
)

// outcome of a login whose code was sent to the provider.
type outcome uint8

const (
	unused outcome = iota
	running
	failed
	done
)

const maxUsed = 1 << 18

// usedStates makes each login one-time within the process. It remembers hashes for as long as
// the state would be accepted, oldest out first when full: PKCE and the provider's one-time
// code are the second lock. Only redeemed logins cost memory, abandoned ones nothing.
type usedStates struct {
	mu      sync.Mutex
	entries map[[32]byte]outcome
	queue   []usedEntry // in order of expiry
}

type usedEntry struct {
	id    [32]byte
	until time.Time
}

// begin marks id as running and returns unused, or returns what became of it before.
func (u *usedStates) begin(id [32]byte, now time.Time) outcome {
	u.mu.Lock()
	defer u.mu.Unlock()
	if o := u.entries[id]; o != unused {
		return o
	}
	gone := 0
	for gone < len(u.queue) && (len(u.queue)-gone >= maxUsed || now.After(u.queue[gone].until)) {
		delete(u.entries, u.queue[gone].id)
		gone++
	}
	u.queue = u.queue[gone:]
	if len(u.queue) == 0 {
		u.queue, u.entries = nil, make(map[[32]byte]outcome) // give the memory back
	}
	u.entries[id] = running
	u.queue = append(u.queue, usedEntry{id, now.Add(loginLifetime + clockSkew)})
	return unused
}

// end records how a running login ended. An entry that has left the set stays out.
func (u *usedStates) end(id [32]byte, o outcome) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.entries[id] == running {
		u.entries[id] = o
	}
}

func (u *usedStates) outcome(id [32]byte) outcome {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.entries[id]
}
