// Package wire reads the answers of a provider's endpoints. It is strict about
// the grammar of JSON and tolerant about types. All packages use this one
// reader, so that no two parts of the library can read the same bytes
// differently.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Object holds the members of one JSON object.
type Object map[string]Raw

var (
	errNotObject = errors.New("not one JSON object")
	errRepeated  = errors.New("a member name is repeated")
	errNotForm   = errors.New("not a form")
)

// ParseObject splits one JSON object (RFC 8259) into its members. It refuses
// what JSON decoders disagree about: invalid UTF-8, repeated names, names that
// differ only by case, and anything after the object. Where two decoders
// disagree, an attacker can show a check one value and the code behind it
// another.
//
// encoding/json accepts all of these. Of a repeated name it takes the last
// value, and it ignores case.
func ParseObject(b []byte) (Object, error) {
	names := newNames()
	if err := names.read(b); err != nil {
		return nil, err
	}
	return names.obj, nil
}

// ParseClaims splits claims (RFC 7519 section 4) into their members. It refuses
// what [ParseObject] refuses, with two exceptions. Names that differ only by
// case are two claims, as RFC 7519 section 10.1.1 says. And if the claims are
// signed, a claim may be repeated with exactly the same value. repeated names
// the claim that is repeated otherwise.
func ParseClaims(b []byte, signed bool) (obj Object, repeated string, err error) {
	// The signed authorization response of Keycloak 26 has iss twice. Whichever
	// of two equal values a decoder takes, it reads the same.
	names := &names{obj: make(Object, 24), areClaims: true, mayRepeat: signed}
	if err := names.read(b); err != nil {
		return nil, names.repeated, err
	}
	return names.obj, "", nil
}

// read adds the members of the JSON object b.
func (n *names) read(b []byte) error {
	// This copies b once. Everything below is a part of that copy.
	rest, ok := strings.CutPrefix(skipSpace(string(b)), "{")
	if !ok || !utf8.Valid(b) {
		return errNotObject
	}
	rest = skipSpace(rest)
	for more := !strings.HasPrefix(rest, "}"); more; {
		var name, value Raw
		if name, rest, ok = cutValue(rest); !ok {
			return errNotObject
		}
		key, isText := Text(name)
		if rest, ok = strings.CutPrefix(skipSpace(rest), ":"); !ok || !isText {
			return errNotObject
		}
		if value, rest, ok = cutValue(skipSpace(rest)); !ok {
			return errNotObject
		}
		if err := n.add(key, value); err != nil {
			return err
		}
		// After a comma there must be another member: RFC 8259 allows no comma
		// before the closing brace.
		if rest, more = strings.CutPrefix(skipSpace(rest), ","); more {
			rest = skipSpace(rest)
		}
	}
	if rest, ok = strings.CutPrefix(rest, "}"); !ok || skipSpace(rest) != "" {
		return errNotObject
	}
	return nil
}

// cutValue takes one JSON value off the front of s. It finds the end of the
// value, and encoding/json decides whether the value is valid. A plain value,
// which most are, needs no decision: that saves most of the time.
func cutValue(s string) (v Raw, rest string, ok bool) {
	if n := plainTextLen(s); n > 0 {
		return Raw(s[:n]), s[n:], true
	}
	n := valueLen(s)
	if n <= 0 {
		return "", s, false
	}
	if !isPlain(s[:n]) && !json.Valid([]byte(s[:n])) {
		return "", s, false
	}
	return Raw(s[:n]), s[n:], true
}

// isPlain reports whether s, the length of which valueLen has found, is valid at
// first sight.
func isPlain(s string) bool {
	switch s[0] {
	case 't', 'f', 'n':
		return s == "true" || s == "false" || s == "null"
	}
	return isWhole(s)
}

// isWhole reports whether s is a whole number that is not negative. RFC 8259
// section 6 allows no zero in front of it.
func isWhole(s string) bool {
	if s[0] == '0' {
		return s == "0"
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// plainTextLen returns the length of the string at the beginning of s, with its
// quotes, if it has neither escapes nor control characters (RFC 8259 section 7).
// It returns 0 for everything else.
func plainTextLen(s string) int {
	if s == "" || s[0] != '"' {
		return 0
	}
	i := 1
	// A token has hundreds of characters. Look at eight of them at a time.
	for i+8 <= len(s) && !hasSpecial(s[i:i+8]) {
		i += 8
	}
	for ; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1
		case c < ' ', c == '\\':
			return 0
		}
	}
	return 0
}

// hasSpecial reports whether one of eight characters is a quote, a backslash or
// a control character.
func hasSpecial(s string) bool {
	x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	// With n times ones taken from x, the first character below n, and no
	// character before it, gets its highest bit. A character beyond ASCII has
	// that bit already.
	const ones = 0x0101010101010101
	quotes, slashes := x^'"'*ones, x^'\\'*ones // characters that are equal become zero
	found := (x-' '*ones)&^x | (quotes-ones)&^quotes | (slashes-ones)&^slashes
	return found&(0x80*ones) != 0
}

// names collects members and refuses a name that it has already, in any case.
type names struct {
	obj    Object
	folded map[string]bool // the folded forms of the names that differ from them

	areClaims bool   // names that differ only by case are different
	mayRepeat bool   // a claim may be repeated with the same value
	repeated  string // the claim that was refused
}

func newNames() *names { return &names{obj: make(Object, 8)} }

func (n *names) add(name string, value Raw) error {
	if n.areClaims {
		return n.addClaim(name, value)
	}
	// Nearly all names are in lower case already. They need no second map.
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

func (n *names) addClaim(name string, value Raw) error {
	if before, again := n.obj[name]; again && !(n.mayRepeat && before == value) {
		n.repeated = name
		return errRepeated
	}
	n.obj[name] = value
	return nil
}

// fold returns the same form for all names that strings.EqualFold, and
// therefore encoding/json, considers equal. Lower case is not enough for that:
// the Kelvin sign K (U+212A) equals "k".
func fold(name string) string {
	if isLower(name) {
		return name
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return strings.ToLower(name)
	}
	// SimpleFold runs through all equal characters in a circle. The least of
	// them represents them all.
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return unicode.ToLower(least)
	}, name)
}

// isLower reports whether name has small letters of ASCII and underscores only,
// as nearly all names of the protocols have.
func isLower(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && c != '_' {
			return false
		}
	}
	return true
}

// ParseForm reads an application/x-www-form-urlencoded answer as an object of
// strings. Some providers, GitHub among them, send tokens this way. The rules
// about names are those of [ParseObject].
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
		// Percent-encoding can hide invalid UTF-8 from the check above.
		if !utf8.ValidString(name) || !utf8.ValidString(vals[0]) {
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

// skipSpace drops the white space of JSON (RFC 8259 section 2) and no other:
// strings.TrimSpace would drop more.
func skipSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\n' || s[0] == '\r' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

// maxDepth bounds the nesting of arrays and objects. encoding/json allows
// 10,000 levels. This is far less, so that a value which was read can be put
// into another document and read again.
const maxDepth = 100

// valueLen returns the length of the value at the beginning of s. It returns -1
// if the value has no end or is nested too deeply. It does not decide whether
// the value is valid.
func valueLen(s string) int {
	switch {
	case s == "":
		return -1
	case s[0] == '"':
		return stringLen(s)
	case s[0] != '{' && s[0] != '[':
		// A number or a literal. There is always something behind it: at least
		// the brace that closes the object.
		return strings.IndexAny(s, ",}] \t\r\n")
	}
	// Brackets and braces are counted together here. encoding/json finds those
	// that do not match.
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"': // a bracket inside a string does not count
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

// stringLen returns the length of the string at the beginning of s, with its
// quotes, or -1 if it has no end.
func stringLen(s string) int {
	// IndexByte is many times faster than a loop, and enough for a string
	// without a backslash.
	end := strings.IndexByte(s[1:], '"') + 1
	if end > 0 && strings.IndexByte(s[:end], '\\') < 0 {
		return end + 1
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1
		case '\\':
			i++ // an escaped quote does not end the string
		}
	}
	return -1
}
