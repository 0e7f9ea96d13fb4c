package session

import (
	"sync"
	"time"

	"example.com/authcode/grant"
)

const maxCached = 10_000

// cache keeps opened sessions for Config.CacheFor.
type cache struct {
	keep time.Duration

	mu       *sync.Mutex
	sessions map[grant.Key]*opened
}

func newCache(keep time.Duration) cache {
	return cache{keep, new(sync.Mutex), make(map[grant.Key]*opened)}
}

// get returns a session that is not too old, or nil. For activity it returns one
// whose loading counted as such: otherwise a page that polls could keep the
// person's own requests from the store, and the session would end as idle.
func (c cache) get(key grant.Key, active bool) *opened {
	if c.keep == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.sessions[key]
	if o == nil || o.content == nil || active && !o.active {
		return nil
	}
	if age := time.Since(o.asked); age > c.keep || age >= o.record.Left {
		return nil
	}
	return o
}

// put keeps o, unless a newer one is there.
func (c cache) put(o *opened) {
	if c.keep == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.sessions) >= maxCached {
		for key := range c.sessions {
			delete(c.sessions, key) // any: it is read again
			break
		}
	}
	if old := c.sessions[o.record.Key]; old == nil || old.asked.Before(o.asked) {
		c.sessions[o.record.Key] = o
	}
}

// drop forgets a session at once. What was read before is not kept afterwards.
func (c cache) drop(key grant.Key) {
	c.put(&opened{record: grant.Record{Key: key}, asked: time.Now()})
}
