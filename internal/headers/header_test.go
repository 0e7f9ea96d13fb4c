package headers_test

import (
	"strings"
	"testing"

	"example.com/authcode/internal/headers"
)

// TestIsVisible: each byte at each place, beside the smallest and the largest
// that are visible.
func TestIsVisible(t *testing.T) {
	for _, beside := range []string{" ", "~", "a"} {
		for at := range 19 {
			for c := range 256 {
				text := strings.Repeat(beside, at) + string([]byte{byte(c)}) + strings.Repeat(beside, 18-at)
				if got, want := headers.IsVisible(text), c >= ' ' && c <= '~'; got != want {
					t.Errorf("IsVisible(%q) = %t", text, got)
				}
			}
		}
	}
}
