package dpop

import (
	"net/http"
	"strings"
	"sync"
)

// Servers choose what they send. The bounds keep them from filling the memory.
const (
	maxServers = 256     // whose nonces are kept
	maxNonce   = 1 << 10 // bytes
)

// role distinguishes the two kinds of servers. One origin may be both, and then
// has a separate nonce for each (RFC 9449 section 9).
type role byte

const (
	authorizationServer role = iota
	resourceServer
)

type server struct {
	role   role
	origin string
}

// nonces holds the latest nonce of each server.
type nonces struct{ *memory[server, string] }

func newNonces() *nonces { return &nonces{newMemory[server, string](maxServers)} }

// learn keeps the nonce of an answer, for the next proof to s. used is the
// nonce of the last proof; "" if it had none. A refused request is worth
// another try only if its next proof will have another nonce. So the header is
// removed from an answer unless it names exactly one usable nonce, which the
// last proof did not have.
func (n *nonces) learn(s server, resp *http.Response, used string) {
	// RFC 9449 section 8.2: a server may send a new nonce in any answer, also
	// in a successful one. With two headers nobody knows which one to use.
	values := resp.Header.Values("DPoP-Nonce")
	usable := len(values) == 1 && isNonce(values[0])
	if usable {
		n.put(s, values[0])
	}
	// The answer may be shared with others, so its header is copied first.
	if len(values) > 0 && (!usable || values[0] == used) {
		resp.Header = resp.Header.Clone()
		resp.Header.Del("DPoP-Nonce")
	}
}

// isNonce accepts 1*NQCHAR (RFC 9449 section 8.1, RFC 6749 appendix A).
func isNonce(s string) bool {
	isOther := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }
	return s != "" && len(s) <= maxNonce && !strings.ContainsFunc(s, isOther)
}

// memory keeps the max entries that were used last. It is safe for concurrent
// use.
type memory[K comparable, V any] struct {
	max int

	mu      sync.Mutex
	clock   uint64 // counts the uses
	entries map[K]*entry[V]
}

type entry[V any] struct {
	value V
	used  uint64 // the clock at its last use
}

func newMemory[K comparable, V any](max int) *memory[K, V] {
	return &memory[K, V]{max: max, entries: make(map[K]*entry[V])}
}

func (m *memory[K, V]) get(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.entries[key]
	if e == nil {
		return value, false
	}
	m.clock++
	e.used = m.clock
	return e.value, true
}

func (m *memory[K, V]) put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock++
	if m.entries[key] == nil && len(m.entries) >= m.max {
		m.evict()
	}
	m.entries[key] = &entry[V]{value, m.clock}
}

// evict removes the entry whose last use is the longest ago. It looks at all
// entries, which is fast enough: there are few, and only a new one in a full
// memory makes it necessary.
func (m *memory[K, V]) evict() {
	var oldest K
	least := m.clock
	for key, e := range m.entries {
		if e.used < least {
			oldest, least = key, e.used
		}
	}
	delete(m.entries, oldest)
}
