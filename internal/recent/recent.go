// Package recent keeps what was read from a store lately.
package recent

import (
	"sync"
	"time"
)

// The bounds of a half of a Cache.
const (
	maxKept  = 5_000
	maxBytes = 16 << 20 // a provider decides how large the records of its people are
)

// Cache keeps values for a time after they were asked for, at most 10,000 and
// 32 MiB of them. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	keep time.Duration // if zero, it keeps nothing

	// When the newer half is full, or as old as a value can be, it becomes the
	// older one. The older one is dropped with what nobody asks for any more.
	mu           sync.Mutex
	newer, older half[K, V]
}

// half is what was put within some time.
type half[K comparable, V any] struct {
	items map[K]item[V]
	size  int
	began time.Time
}

type item[V any] struct {
	value V
	size  int
	asked time.Time
	gone  bool // Drop was called then
}

// New returns a Cache that keeps values for that long, nothing if it is zero.
func New[K comparable, V any](keep time.Duration) *Cache[K, V] { return &Cache[K, V]{keep: keep} }

// Get returns a value that is not too old, or the zero V.
func (c *Cache[K, V]) Get(key K) (value V) {
	if c.keep == 0 {
		return value
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, has := c.find(key); has && !i.gone && time.Since(i.asked) <= c.keep {
		return i.value
	}
	return value
}

// find returns the newest item. The caller holds c.mu.
func (c *Cache[K, V]) find(key K) (item[V], bool) {
	i, has := c.newer.items[key]
	if !has {
		i, has = c.older.items[key]
	}
	return i, has
}

// Put keeps a value of so many bytes that the store was asked for at a time,
// unless a newer one is there.
func (c *Cache[K, V]) Put(key K, value V, size int, asked time.Time) {
	c.put(key, item[V]{value: value, size: size, asked: asked})
}

// Drop forgets a value at once. What was read before is not kept afterwards.
func (c *Cache[K, V]) Drop(key K) { c.put(key, item[V]{asked: time.Now(), gone: true}) }

func (c *Cache[K, V]) put(key K, i item[V]) {
	if c.keep == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if n := &c.newer; n.items == nil || now.Sub(n.began) > c.keep ||
		len(n.items) >= maxKept || n.size+i.size > maxBytes {
		c.older, c.newer = c.newer, half[K, V]{items: make(map[K]item[V]), began: now}
	}
	// A clock may be so coarse that two operations have the same time. The later
	// one counts, but what was read when the value was dropped does not.
	old, has := c.find(key)
	switch {
	case i.asked.Before(c.older.began):
		// It may have been dropped since, in the half that is gone.
	case !has || old.asked.Before(i.asked) || !old.gone && old.asked.Equal(i.asked):
		c.newer.size += i.size - c.newer.items[key].size
		c.newer.items[key] = i
	}
}
