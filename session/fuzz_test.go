package session

import (
	"bytes"
	"testing"
)

// FuzzDecode: decode never panics, and what it accepts comes back as it was.
func FuzzDecode(f *testing.F) {
	c := &content{Grant: "g", Handle: "h", Life: 1, AuthAge: -1, identity: []byte(`{"Issuer":"i","Claims":{"n":1}}`)}
	whole, err := c.encode()
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{
		nil, {version}, {version, 0, 0, 0, 9, '{', '}'}, {version, 255, 255, 255, 255, '{', '}'},
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
		again, err := c.encode()
		if err != nil {
			t.Fatal(err)
		}
		d, ok := decode(again)
		if !ok || d.Grant != c.Grant || d.Subject != c.Subject || !bytes.Equal(d.identity, c.identity) {
			t.Fatalf("%q becomes %q", b, again)
		}
	})
}
