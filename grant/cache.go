package grant

import (
	"sync"
	"time"
)

const maxCached = 10_000

// cache keeps opened records for Config.CacheFor.
type cache struct {
	keep time.Duration

	mu      *sync.Mutex
	records map[Key]*opened
}

func newCache(keep time.Duration) cache {
	return cache{keep, new(sync.Mutex), make(map[Key]*opened)}
}

// get returns a record that is not too old, or nil.
func (c cache) get(key Key) *opened {
	if c.keep == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.records[key]
	if o == nil || o.content == nil || time.Since(o.asked) > c.keep {
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
	if len(c.records) >= maxCached {
		for key := range c.records {
			delete(c.records, key) // any: it is read again
			break
		}
	}
	// A clock may be so coarse that two operations have the same time. The later
	// one counts, but what was read when the record was deleted does not.
	old := c.records[o.record.Key]
	if old == nil || old.asked.Before(o.asked) || old.content != nil && old.asked.Equal(o.asked) {
		c.records[o.record.Key] = o
	}
}

// drop forgets a record at once. What was read before is not kept afterwards.
func (c cache) drop(key Key) {
	c.put(&opened{record: Record{Key: key}, asked: time.Now()})
}
