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

// TestPairsOfSpecialCharacters: what ends a string, escapes or is refused is seen
// in every word of eight bytes, also behind another such character.
func TestPairsOfSpecialCharacters(t *testing.T) {
	specials := []string{
		"", `"`, `\`, `\\`, `\"`, `\u0022`, `\u00`, `\x`, "\x00", "\x1f", " ", "\x7f", "\x80", "é", "\u2028",
		"!", "]", "[", "\xdc", "\xa2", `",`, `":`, `"}`,
	}
	tails := []string{`"}`, `" }`, `"`, ``, `","b":1}`, `","b":1`, `","b":12`, `","b":true`, `":`}
	for _, one := range specials {
		for _, two := range specials {
			for _, lengths := range [][2]int{{0, 0}, {0, 7}, {1, 6}, {3, 4}, {6, 0}, {7, 0}, {7, 7}, {8, 6}} {
				text := strings.Repeat("x", lengths[0]) + one + strings.Repeat("y", lengths[1]) + two
				for _, tail := range tails {
					checkObject(t, `{"a":"`+text+tail)
					checkObject(t, `{"`+text+`":"`+tail)
				}
			}
		}
	}
}

// TestValuesAtTheEnd: every beginning of an object is refused, wherever it was
// cut.
func TestValuesAtTheEnd(t *testing.T) {
	doc := `{"a":1,"b":-1.5e3,"c":true,"d":null,"e":"x\"y","f":[1,"]",{}],"g":{"h":0} ,"i":false }`
	for i := range doc {
		checkObject(t, doc[:i])
		for _, end := range []string{"}", "]", ",", " ", "\t", "\r", "\n", "}}", "\x00", "\v", "\f", "\u00a0"} {
			checkObject(t, doc[:i]+end)
			checkObject(t, doc[:i]+end+doc[i:])
		}
	}
	checkObject(t, doc)
}

// checkObject compares ParseObject with encoding/json.
func checkObject(t *testing.T, doc string) {
	t.Helper()
	names, ok := namesOf([]byte(doc))
	ok = ok && distinct(names, fold)
	obj, err := wire.ParseObject([]byte(doc))
	if (err == nil) != ok {
		t.Errorf("%q: %v; want ok %t", doc, err, ok)
		return
	}
	var want map[string]json.RawMessage
	if ok && (json.Unmarshal([]byte(doc), &want) != nil || len(want) != len(obj)) {
		t.Errorf("%q: %d members, want %d", doc, len(obj), len(want))
	}
	for name, raw := range want {
		var text string
		json.Unmarshal(raw, &text) // fails for a value that is no string
		if got, _ := obj.Text(name); string(obj[name]) != string(raw) || raw[0] == '"' && got != text {
			t.Errorf("%q: %q is %q, %q; want %q, %q", doc, name, obj[name], got, raw, text)
		}
	}
}
