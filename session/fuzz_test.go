package session

import (
	"reflect"
	"testing"
)

// FuzzDecode: decode never panics, and what it accepts comes back as it was.
func FuzzDecode(f *testing.F) {
	c := &content{
		Grant: "g", Handle: "h", Life: 1, AuthAge: -1, Asked: 2, Confirmed: 1, Scopes: "a b", Keep: true,
		Values: map[string]string{"k": "v"}, Identity: `{"Issuer":"i","Claims":{"n":1}}`,
	}
	whole := c.encode()
	if back, ok := decode(whole); !ok || !reflect.DeepEqual(back, c) {
		f.Fatalf("%+v becomes %+v", c, back)
	}
	for _, seed := range [][]byte{
		nil, {version}, {version, 4}, {version, 0, 2, 1, 1, 'g', 255, 255, 255, 255, 255, 255, 255, 255, 255, 1},
		whole, whole[:len(whole)-1], append([]byte{version + 1}, whole[1:]...),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, ok := decode(b)
		if !ok {
			return
		}
		if c.Grant == "" || c.Handle == "" || c.Life <= 0 {
			t.Fatalf("an empty session is accepted: %q", b)
		}
		c.who()
		if again, ok := decode(c.encode()); !ok || !reflect.DeepEqual(again, c) {
			t.Fatalf("%q: %+v becomes %+v", b, c, again)
		}
	})
}
