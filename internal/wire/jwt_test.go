package wire_test

import (
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
)

func TestIsCompactJWS(t *testing.T) {
	long := func(n int) string { return strings.Repeat("A", n) }
	for _, c := range []struct {
		claim, text string
		ok          bool
	}{
		{"three parts of base64url are one", "aZ0-_.e30.AAAA", true},
		{"an empty text is none", "", false},
		{"two parts are none", "e30.e30", false},
		{"five parts are none", "e30.e30.e30.e30.e30", false},
		{"padding is refused", "e30=.e30.AAAA", false},
		{"a newline is refused", "e30.e30\n.AAAA", false},
		{"plain base64 is refused", "e3+/.e30.AAAA", false},
		{"a letter beyond ASCII is refused", "é.e30.AAAA", false},
		{"a header of 8 KiB is one", long(10923) + ".e30.AAAA", true},
		{"a longer header is refused", long(10924) + ".e30.AAAA", false},
		{"a long payload is one", "e30." + long(100<<10) + ".AAAA", true},
		{"128 KiB are one", "e30." + long(128<<10-9) + ".AAAA", true},
		{"more is refused", "e30." + long(128<<10-8) + ".AAAA", false},
		{"a long signature is refused", "e30.e30." + long(128<<10), false},
	} {
		if got := wire.IsCompactJWS(c.text); got != c.ok {
			t.Errorf("%s: got %t", c.claim, got)
		}
	}
}
