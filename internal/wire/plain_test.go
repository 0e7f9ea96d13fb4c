package wire_test

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
)

// TestEveryCharacter: a string is valid with the same characters as in
// encoding/json, wherever in it they are.
func TestEveryCharacter(t *testing.T) {
	for c := range 256 {
		for at := range 20 {
			text := strings.Repeat("x", at) + string([]byte{byte(c)}) + strings.Repeat("é", 5)
			doc := []byte(`{"a":"` + text + `"}`)
			obj, err := wire.ParseObject(doc)
			var want map[string]string
			// Invalid UTF-8 is refused here, and replaced by encoding/json.
			ok := c < 128 && json.Unmarshal(doc, &want) == nil
			if got, _ := obj.Text("a"); (err == nil) != ok || got != want["a"] {
				t.Errorf("byte %d at %d: got %q, %v; want %q, %t", c, at, got, err, want["a"], ok)
			}
		}
	}
}
