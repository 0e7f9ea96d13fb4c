// Package wire reads what a provider's endpoints answer: strictly as JSON, tolerantly
// as to types. One reader serves every answer, so that no two parts of the library can
// read the same bytes differently.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Raw is one JSON value as it stood in the document. (A string, not bytes: the values of an
// object are parts of one string, and reading one copies nothing.)
type Raw string

// MarshalJSON returns r as it is.
func (r Raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// UnmarshalJSON keeps a copy of b.
func (r *Raw) UnmarshalJSON(b []byte) error {
	*r = Raw(b)
	return nil
}

// Object holds the members of one JSON object.
type Object map[string]Raw

var (
	errNotObject = errors.New("not one JSON object")
	errRepeated  = errors.New("a member name is repeated")
	errNotForm   = errors.New("not a form")
)

// ParseObject splits one JSON object (RFC 8259) into its members. It refuses what decoders
// disagree about: invalid UTF-8, names that repeat, names that differ by case alone,
// anything after the object.
func ParseObject(b []byte) (Object, error) {
	rest, ok := strings.CutPrefix(skipSpace(string(b)), "{")
	if !ok || !utf8.Valid(b) {
		return nil, errNotObject
	}
	names := newNames()
	rest = skipSpace(rest)
	for more := !strings.HasPrefix(rest, "}"); more; {
		var name, value Raw
		if name, rest, ok = cutValue(rest); !ok {
			return nil, errNotObject
		}
		key, isText := Text(name)
		if rest, ok = strings.CutPrefix(skipSpace(rest), ":"); !ok || !isText {
			return nil, errNotObject
		}
		if value, rest, ok = cutValue(skipSpace(rest)); !ok {
			return nil, errNotObject
		}
		if err := names.add(key, value); err != nil {
			return nil, err
		}
		if rest, more = strings.CutPrefix(skipSpace(rest), ","); more {
			rest = skipSpace(rest)
		}
	}
	if rest, ok = strings.CutPrefix(rest, "}"); !ok || skipSpace(rest) != "" {
		return nil, errNotObject
	}
	return names.obj, nil
}

// cutValue takes one JSON value off the front of s. Where it ends is found here; whether it is
// one is for encoding/json to say, but for texts without escapes, which most answers consist of.
func cutValue(s string) (v Raw, rest string, ok bool) {
	n := valueLen(s)
	if n <= 0 {
		return "", s, false
	}
	if !isPlainText(s[:n]) && !json.Valid([]byte(s[:n])) {
		return "", s, false
	}
	return Raw(s[:n]), s[n:], true
}

func isPlainText(s string) bool {
	if s[0] != '"' {
		return false
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '\\' {
			return false
		}
	}
	return true
}

// names collects members and refuses repeats, whatever their case.
type names struct {
	obj    Object
	folded map[string]bool // lower-case forms of the names that have others
}

func newNames() *names { return &names{obj: make(Object, 8)} }

func (n *names) add(name string, value Raw) error {
	lower := fold(name)
	if _, again := n.obj[lower]; again || n.folded[lower] {
		return errRepeated
	}
	if lower != name {
		if n.folded == nil {
			n.folded = make(map[string]bool)
		}
		n.folded[lower] = true
	}
	n.obj[name] = value
	return nil
}

// fold maps to one form all names that strings.EqualFold, and so encoding/json, takes for the same.
func fold(name string) string {
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(name)
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return unicode.ToLower(least)
	}, name)
}

// ParseForm reads an application/x-www-form-urlencoded answer as an object of strings.
func ParseForm(b []byte) (Object, error) {
	if !utf8.Valid(b) {
		return nil, errNotForm
	}
	values, err := url.ParseQuery(string(bytes.TrimSpace(b)))
	if err != nil {
		return nil, errNotForm
	}
	names := newNames()
	for name, vals := range values {
		if len(vals) != 1 {
			return nil, errRepeated
		}
		if !utf8.ValidString(name) || !utf8.ValidString(vals[0]) { // once decoded
			return nil, errNotForm
		}
		quoted, err := json.Marshal(vals[0])
		if err != nil {
			return nil, errNotForm
		}
		if err := names.add(name, Raw(quoted)); err != nil {
			return nil, err
		}
	}
	return names.obj, nil
}

func skipSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\n' || s[0] == '\r' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// maxDepth bounds nesting far below encoding/json's 10,000, so that what was read can be written
// into another document and read again.
const maxDepth = 100

// valueLen is the length of the value that s begins with, if it is one; -1 if it has no end, or
// nests too deep.
func valueLen(s string) int {
	switch {
	case s == "":
		return -1
	case s[0] == '"':
		return stringLen(s)
	case s[0] != '{' && s[0] != '[':
		return strings.IndexAny(s, ",}] \t\r\n")
	}
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			n := stringLen(s[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '{', '[':
			if depth++; depth > maxDepth {
				return -1
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

func stringLen(s string) int {
	end := strings.IndexByte(s[1:], '"') + 1
	if end > 0 && strings.IndexByte(s[:end], '\\') < 0 {
		return end + 1 // the usual one, found in two strides
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++ // whatever it escapes is no end
		}
	}
	return -1
}

// Text returns the string that raw is; false if raw is something else.
func Text(raw Raw) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	if strings.IndexByte(string(raw), '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	err := json.Unmarshal([]byte(raw), &s)
	return s, err == nil
}

// Text returns the string member name. A missing member and null are "".
func (o Object) Text(name string) (s string, ok bool) {
	raw, present := o[name]
	if !present || raw == "null" {
		return "", true
	}
	return Text(raw)
}

// Strings returns the elements of the array of strings that raw is.
func Strings(raw Raw) ([]string, bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	var elements []Raw
	if json.Unmarshal([]byte(raw), &elements) != nil {
		return nil, false
	}
	out := make([]string, 0, len(elements))
	for _, e := range elements {
		s, ok := Text(e)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// Number returns the number that raw is, or that stands in the string that raw is. Only JSON's
// grammar counts. Out of float64's range is not ok.
func Number(raw Raw) (f float64, ok bool) {
	text := string(raw)
	if s, isText := Text(raw); isText {
		text = strings.TrimSpace(s)
		if !json.Valid([]byte(text)) { // no "inf", no hexadecimal
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// Any decodes raw for a map[string]any: numbers stay exact, as json.Number.
func Any(raw Raw) (v any, ok bool) {
	if s, isText := Text(raw); isText {
		return s, true
	}
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return json.Number(raw), true
	}
	return decode(raw)
}

func decode(raw Raw) (v any, ok bool) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err == nil
}
