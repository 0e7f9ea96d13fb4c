package wire_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"example.com/authcode/internal/wire"
)

// fold maps every spelling of a name that Unicode's simple case folding holds for equal to one
// spelling: so do encoding/json and strings.EqualFold.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return least
	}, name)
}

// distinct reports that no two names are the same under norm.
func distinct(names []string, norm func(string) string) bool {
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[norm(name)] {
			return false
		}
		seen[norm(name)] = true
	}
	return true
}

// namesOf lists the names of the one JSON object in UTF-8 that b is, repeats included.
func namesOf(b []byte) (names []string, ok bool) {
	dec := json.NewDecoder(bytes.NewReader(b))
	if first, err := dec.Token(); err != nil || first != json.Delim('{') || !utf8.Valid(b) || !json.Valid(b) {
		return nil, false
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return nil, false
		}
		names = append(names, name.(string))
	}
	return names, true
}

func FuzzObject(f *testing.F) {
	for _, seed := range []string{
		`{}`, ` { "a" : [ 1 , {"b":"]}"} ] } `, `{"access_token":"a","token_type":"Bearer","expires_in":3600}`,
		`{"a":"\\","b":"\"}","c":"\u0041\ud83d\ude00\ud800"}`, `{"expires_in":"3600.0","scope":["a","b"],"x":null}`,
		`{"a":1,"a":2}`, `{"access_token":1,"ACCESS_TOKEN":2}`, `{"s":1,"\u017f":2}`, `{"\u0130":1,"i":2}`, "{\"\u212a\":1,\"k\":2}",
		`{"a":-0.0e+10,"b":1e400,"c":9007199254740993,"d":true}`, `{"a":1}{"b":2}`, "{\"\xff\":1}", `{"":{"":{"":[[[]]]}}}`,
		`{"a":"+1","b":"01","c":" -1.5e3 ","d":"1e999","e":"0x1p4"}`, `{"a":"b"`, `{"a":{}`, `{"a":"b" "c":"d"}`, `{"a":"\x"}`, `{"\u12":1}`, `{"a":[1}`, `{"a" 1}`, "{\"a\":\"\x1f\"}", `{"a":1,}`, `{"a":["b","c",],"d":["e" "f"]}`, `{"a":["b", "c" ],"d":["\u0041",1],"e":[],"f":01}`, `{"a":[true,false,null],"c":-0}`, `{"b":tru}`, `{"b":nul}`, `{"d":00}`, `{"a":["b","c"],"d":123456789012345678901,"e":false}`, `{,}`, `{1 :2}`, `{["a"]:2}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		names, isObject := namesOf(b)
		obj, err := wire.ParseObject(b)
		if err != nil {
			// What folds and what lower-cases alike differs in a letter or two: either rule will do.
			if isObject && distinct(names, fold) && distinct(names, strings.ToLower) {
				t.Errorf("refused: %v", err)
			}
			return
		}
		if !isObject || !distinct(names, fold) {
			t.Fatalf("accepted as %q; the names in it are %q", obj, names)
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(b, &want); err != nil || len(obj) != len(want) {
			t.Fatalf("accepted %d members; encoding/json: %d members, %v", len(obj), len(want), err)
		}
		for name, raw := range want {
			if got, present := obj[name]; !present || string(got) != string(raw) {
				t.Errorf("%q: got %q, want %q", name, got, raw)
			}
			checkReaders(t, wire.Raw(raw))
		}
	})
}

// checkReaders compares what the readers of one value make of it with encoding/json.
func checkReaders(t *testing.T, raw wire.Raw) {
	t.Helper()
	var want any
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if got, ok := wire.Any(raw); !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("Any(%s): got %#v, %v", raw, got, ok)
	}
	text, isText := want.(string)
	if got, ok := wire.Text(raw); ok != isText || got != text {
		t.Errorf("Text(%s): got %q, %v", raw, got, ok)
	}
	elements, isList := want.([]any)
	texts := make([]string, 0, len(elements))
	for _, e := range elements {
		s, ok := e.(string)
		texts, isList = append(texts, s), isList && ok
	}
	if got, ok := wire.Strings(raw); ok != isList || ok && !slices.Equal(got, texts) {
		t.Errorf("Strings(%s): got %q, %v", raw, got, ok)
	}
	var parts []json.RawMessage
	json.Unmarshal([]byte(raw), &parts) // nil if it is not a list
	same := func(a wire.Raw, b json.RawMessage) bool { return string(a) == string(b) }
	if got := wire.Elements(raw, len(raw)); !slices.EqualFunc(got, parts, same) {
		t.Errorf("Elements(%s): got %q", raw, got)
	}
	digits := string(raw)
	if isText { // which may hold a number
		digits = strings.TrimSpace(text)
	}
	var number *float64
	isNumber := json.Unmarshal([]byte(digits), &number) == nil && number != nil
	if got, ok := wire.Number(raw); ok != isNumber || ok && got != *number {
		t.Errorf("Number(%s): got %v, %v", raw, got, ok)
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"", "access_token=a&token_type=bearer&scope=x%20y+z", "error=bad_verification_code&error_description=a%2Bb",
		"a=1&a=2", "a=1&A=2", "a=1&%61=2", "s=1&%C5%BF=2", "a=%zz", "a=1;b=2", "a=%ff&b=%C3%28", "%ff=1&%fe=2", " a=1\n", "&&=&b", "a=<>&b=\"",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		obj, err := wire.ParseForm(b)
		if err != nil {
			return
		}
		if names := slices.Collect(maps.Keys(obj)); !distinct(names, fold) {
			t.Errorf("accepted the names %q", names)
		}
		want, err := url.ParseQuery(strings.TrimSpace(string(b)))
		if err != nil || !utf8.Valid(b) || len(obj) != len(want) {
			t.Fatalf("accepted %d members; net/url: %d members, %v", len(obj), len(want), err)
		}
		for name, values := range want {
			got, ok := obj.Text(name)
			if !ok || len(values) != 1 || got != values[0] || !utf8.ValidString(name+values[0]) {
				t.Errorf("%q: got %q, want %q", name, got, values)
			}
		}
	})
}
