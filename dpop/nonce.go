package dpop

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"example.com/authcode/internal/wire"
)

// role tells apart what one origin may be both of: each has nonces of its own (RFC 9449 section 9).
type role byte

const (
	authorizationServer role = iota
	resourceServer
)

type server struct {
	role   role
	origin string
}

const (
	useNonce = "use_dpop_nonce" // RFC 9449 section 8
	maxNonce = 1 << 10          // bytes
	maxError = 64 << 10         // bytes of an answer that is searched for its error
)

// learn keeps the nonce of an answer, for the next request to s.
func (b *Binding) learn(s server, resp *http.Response) (nonce string, ok bool) {
	values := resp.Header.Values("DPoP-Nonce")
	if len(values) != 1 || !isNonce(values[0]) {
		return "", false
	}
	b.nonces.put(s, values[0])
	return values[0], true
}

// isNonce holds for 1*NQCHAR (RFC 9449 section 8.1, RFC 6749 appendix A).
func isNonce(s string) bool {
	isOther := func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '"' || r == '\\' }
	return s != "" && len(s) <= maxNonce && !strings.ContainsFunc(s, isOther)
}

// nonceIn returns the nonce in a proof of ours, "" if it has none.
func nonceIn(proof string) string {
	_, rest, _ := strings.Cut(proof, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, _ := base64.RawURLEncoding.DecodeString(payload)
	var c claims
	if json.Unmarshal(text, &c) != nil {
		return ""
	}
	return c.Nonce
}

// errorIn returns the member error of a JSON answer (RFC 6749 section 5.2), and puts back what it read.
func errorIn(resp *http.Response) string {
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxError+1))
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = broken{err} // a body that reports its end now would pass for whole
	}
	resp.Body = &restored{io.MultiReader(bytes.NewReader(head), rest), resp.Body}
	if err != nil || len(head) > maxError {
		return ""
	}
	obj, err := wire.ParseObject(head)
	if err != nil {
		return ""
	}
	code, _ := obj.Text("error")
	return code
}

type restored struct {
	io.Reader
	io.Closer
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

// memory keeps the entries that were used last. It is safe for concurrent use.
type memory[K comparable, V any] struct {
	max int

	mu      sync.Mutex
	clock   uint64
	entries map[K]*entry[V]
}

type entry[V any] struct {
	value V
	used  uint64
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

// evict looks at all entries: there are few, and it is needed only when a new one comes.
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
