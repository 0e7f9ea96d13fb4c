// Package recent keeps what was read from a store lately.
package recent

import (
	"sync"
	"time"
)

// maxKept bounds how many values a Cache keeps.
const maxKept = 10_000

// Cache keeps values for a time after they were asked for. It is safe for
// concurrent use.
type Cache[K comparable, V any] struct {
	keep time.Duration // if zero, it keeps nothing

	mu    sync.Mutex
	items map[K]item[V]
}

type item[V any] struct {
	value V
	asked time.Time
	gone  bool // Drop was called then
}

// New returns a Cache that keeps values for that long, nothing if it is zero.
func New[K comparable, V any](keep time.Duration) *Cache[K, V] {
	return &Cache[K, V]{keep: keep, items: make(map[K]item[V])}
}

// Get returns a value that is not too old, or the zero V.
func (c *Cache[K, V]) Get(key K) (value V) {
	if c.keep == 0 {
		return value
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, has := c.items[key]; has && !i.gone && time.Since(i.asked) <= c.keep {
		return i.value
	}
	return value
}

// Put keeps a value that the store was asked for at a time, unless a newer one
// is there.
func (c *Cache[K, V]) Put(key K, value V, asked time.Time) {
	c.put(key, item[V]{value: value, asked: asked})
}

// Drop forgets a value at once. What was read before is not kept afterwards.
func (c *Cache[K, V]) Drop(key K) { c.put(key, item[V]{asked: time.Now(), gone: true}) }

func (c *Cache[K, V]) put(key K, i item[V]) {
	if c.keep == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.items) >= maxKept {
		for other := range c.items {
			delete(c.items, other) // any: it is read again
			break
		}
	}
	// A clock may be so coarse that two operations have the same time. The later
	// one counts, but what was read when the value was dropped does not.
	old, has := c.items[key]
	if !has || old.asked.Before(i.asked) || !old.gone && old.asked.Equal(i.asked) {
		c.items[key] = i
	}
}
