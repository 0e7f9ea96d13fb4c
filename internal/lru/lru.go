// Package lru keeps a bounded number of values, and drops the one that was used
// least recently.
package lru

import (
	"container/list"
	"sync"
)

// Map holds at most Max values. It is safe for concurrent use. Set Max before
// the first use.
type Map[K comparable, V any] struct {
	Max int

	mu    sync.Mutex
	items map[K]*list.Element
	order list.List // of item, the one that was used last at the front
}

type item[K comparable, V any] struct {
	key   K
	value V
}

// Get returns the value of key, and counts as its use.
func (m *Map[K, V]) Get(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.get(key)
}

func (m *Map[K, V]) get(key K) (value V, ok bool) {
	e, ok := m.items[key]
	if !ok {
		return value, false
	}
	m.order.MoveToFront(e)
	return e.Value.(*item[K, V]).value, true
}

// GetOrPut returns the value of key, which it creates if there is none. create
// must not use m.
func (m *Map[K, V]) GetOrPut(key K, create func() V) V {
	// One lock around everything: two goroutines that both created a value
	// would do the same work twice.
	m.mu.Lock()
	defer m.mu.Unlock()
	if value, ok := m.get(key); ok {
		return value
	}
	value := create()
	m.put(key, value)
	return value
}

// Put sets the value of key.
func (m *Map[K, V]) Put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, value)
}

func (m *Map[K, V]) put(key K, value V) {
	if e, ok := m.items[key]; ok {
		e.Value.(*item[K, V]).value = value
		m.order.MoveToFront(e)
		return
	}
	if m.items == nil {
		m.items = make(map[K]*list.Element)
	}
	for len(m.items) >= m.Max {
		m.remove(m.order.Back())
	}
	m.items[key] = m.order.PushFront(&item[K, V]{key, value})
}

func (m *Map[K, V]) remove(e *list.Element) {
	delete(m.items, e.Value.(*item[K, V]).key)
	m.order.Remove(e)
}

// Delete drops the value of key.
func (m *Map[K, V]) Delete(key K) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.items[key]; ok {
		m.remove(e)
	}
}

// Each calls do with each key and value, in no order. do must not use m.
func (m *Map[K, V]) Each(do func(K, V)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key, e := range m.items {
		do(key, e.Value.(*item[K, V]).value)
	}
}

// Len returns how many values there are.
func (m *Map[K, V]) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.items)
}
