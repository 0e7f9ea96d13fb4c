package dpop

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
)

// TestMemory: it keeps what was used last, and no more than it may.
func TestMemory(t *testing.T) {
	m := newMemory[int, string](3)
	want := func(key int, value string) {
		t.Helper()
		if got, ok := m.get(key); got != value || ok != (value != "") {
			t.Errorf("%d is %q, %t, want %q", key, got, ok, value)
		}
	}
	m.put(1, "a")
	m.put(2, "b")
	m.put(3, "c")
	m.put(2, "B") // replaced, not added
	want(1, "a")  // used
	m.put(4, "d")
	want(3, "")
	want(1, "a")
	want(2, "B")
	want(4, "d")
	for i := range 10_000 {
		m.put(i, "x")
	}
	if len(m.entries) != 3 {
		t.Errorf("%d entries", len(m.entries))
	}
	want(9_999, "x")
	want(9_997, "x")
	want(9_996, "")
}

// TestFirstKey: a candidate that is not a key is passed over. HKDF makes one of them in 2^32 tries.
func TestFirstKey(t *testing.T) {
	good := bytes.Repeat([]byte{7}, 32)
	key := firstKey(func(try byte) []byte {
		return [][]byte{bytes.Repeat([]byte{0xff}, 32), make([]byte, 32), good}[try]
	})
	if got, err := key.Bytes(); !bytes.Equal(got, good) || err != nil {
		t.Errorf("the key is %x, %v", got, err)
	}
}

// TestKeyKeptReady: a key is derived once, as long as it is remembered.
func TestKeyKeptReady(t *testing.T) {
	ring := newDerived(bytes.Repeat([]byte("0123"), 8), nil)
	begun, err := ring.begin()
	if err != nil {
		t.Fatal(err)
	}
	if found, err := ring.find(begun.name); found != begun || err != nil {
		t.Errorf("another key is found, %v", err)
	}
}

// TestBounds: any number of servers and logins takes a bounded space.
func TestBounds(t *testing.T) {
	n := newNonces()
	for i := range 2 * maxServers {
		resp := &http.Response{Header: http.Header{"Dpop-Nonce": {"n"}}}
		n.learn(server{resourceServer, fmt.Sprint(i)}, resp, "")
	}
	if len(n.entries) != maxServers {
		t.Errorf("nonces of %d servers", len(n.entries))
	}
}
