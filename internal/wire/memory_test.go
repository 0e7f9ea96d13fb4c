package wire_test

import (
	"runtime"
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
	"example.com/authcode/test/measure"
)

var (
	spaces = strings.Repeat(" ", 1<<18)

	// wasteful are ways to read a little out of 256 KiB.
	wasteful = map[string]func() any{
		"white space between the members of an object": func() any {
			obj, _ := wire.ParseObject([]byte(`{"a":"b",` + spaces + `"c":"d"}`))
			return obj
		},
		"white space behind it": func() any {
			obj, _ := wire.ParseObject([]byte(`{"a":"b"}` + spaces))
			return obj
		},
		"white space in claims": func() any {
			obj, _, _ := wire.ParseClaims([]byte(`{"a":"b",`+spaces+`"c":"d"}`), true)
			return obj
		},
		"white space in a list": func() any {
			list, _ := wire.Any(wire.Raw(`["a",` + spaces + `"b"]`))
			return list
		},
		"a member of a form that was deleted": func() any {
			obj, _ := wire.ParseForm([]byte("a=b&c=" + strings.Repeat("x", 1<<18)))
			delete(obj, "c")
			return obj
		},
		"a member that was deleted": func() any {
			obj, _ := wire.ParseObject([]byte(`{"a":"b","c":"` + spaces + `"}`))
			delete(obj, "c")
			obj.Detach()
			return obj
		},
	}
)

// TestNothingKeepsTheDocument: a small value does not keep the whole document
// that it was read from.
func TestNothingKeepsTheDocument(t *testing.T) {
	for claim, read := range wasteful {
		t.Run(claim, func(t *testing.T) {
			before := measure.Heap()
			var kept []any
			for range 20 {
				kept = append(kept, read())
			}
			if grown := (measure.Heap() - before) >> 20; grown > 2 {
				t.Errorf("20 of them hold %d MiB", grown)
			}
			runtime.KeepAlive(kept)
		})
	}
}
