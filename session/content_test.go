package session

import (
	"slices"
	"testing"
)

// TestDecodeRefuses: what encode has not written, or what names no session, is
// refused, although the app's own key has sealed it.
func TestDecodeRefuses(t *testing.T) {
	good := content{Grant: "g", Handle: "h", Life: 1, Scopes: "a", Values: map[string]string{"k": "v"}}
	whole := good.encode()
	if _, ok := decode(whole); !ok {
		t.Fatal("a session is refused")
	}
	edited := func(edit func(*content)) []byte {
		c := good
		edit(&c)
		return c.encode()
	}
	for claim, b := range map[string][]byte{
		"another version": slices.Concat([]byte{version + 1}, whole[1:]),
		"an unknown flag": slices.Concat(whole[:1], []byte{2}, whole[2:]),
		"no grant":        edited(func(c *content) { c.Grant = "" }),
		"no handle":       edited(func(c *content) { c.Handle = "" }),
		"no time left":    edited(func(c *content) { c.Life = 0 }),
	} {
		if _, ok := decode(b); ok {
			t.Errorf("%s: it is read", claim)
		}
	}
	for n := range whole {
		if _, ok := decode(whole[:n]); ok {
			t.Errorf("its first %d of %d bytes are read", n, len(whole))
		}
	}
}

// TestIsID: an id has 43 characters of base64url.
func TestIsID(t *testing.T) {
	id := newID()
	if !isID(id) {
		t.Errorf("%s is none", id)
	}
	for c := range 256 {
		other := id[:20] + string([]byte{byte(c)}) + id[21:]
		isOne := c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '-' || c == '_'
		if isID(other) != isOne {
			t.Errorf("%q: %t", other, !isOne)
		}
	}
	if isID(id[1:]) || isID(id+"A") || isID("") {
		t.Error("another length is taken")
	}
}
