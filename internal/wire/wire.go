// Package wire reads the answers of a provider's endpoints. It is strict about
// the grammar of JSON and tolerant about types. All packages use this one
// reader, so that no two parts of the library can read the same bytes
// differently.
package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
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
	used := 0
	for more := !strings.HasPrefix(rest, "}"); more; {
		var name, value Raw
		name, rest, _ = cutValue(rest)
		key, isText := Text(name) // false where there is no value
		if rest, ok = strings.CutPrefix(skipSpace(rest), ":"); !ok || !isText {
			return errNotObject
		}
		if value, rest, ok = cutValue(skipSpace(rest)); !ok {
			return errNotObject
		}
		if err := n.add(key, value); err != nil {
			return err
		}
		used += len(name) + len(value)
		// After a comma there must be another member: RFC 8259 allows no comma
		// before the closing brace.
		if rest, more = strings.CutPrefix(skipSpace(rest), ","); more {
			rest = skipSpace(rest)
		}
	}
	if rest, ok = strings.CutPrefix(rest, "}"); !ok || skipSpace(rest) != "" {
		return errNotObject
	}
	if len(b)-used > maxWaste {
		n.obj.Detach()
	}
	return nil
}

// maxWaste is how many bytes between the members, such as white space, may stay
// in memory with them.
const maxWaste = 1 << 10

// Detach gives the members memory of their own. Otherwise each of them keeps the
// whole document, with what was not a member or has been deleted.
func (o Object) Detach() {
	for name, value := range maps.Clone(o) {
		delete(o, name)
		o[strings.Clone(name)] = Raw(strings.Clone(string(value)))
	}
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
	lower := fold(name)
	if n.folded[lower] {
		return errRepeated
	}
	// Nearly all names are in lower case already. They need no second map.
	if lower != name {
		if _, again := n.obj[lower]; again {
			return errRepeated
		}
		if n.folded == nil {
			n.folded = make(map[string]bool)
		}
		n.folded[lower] = true
	}
	// The whole object is refused, so the first value may be lost.
	size := len(n.obj)
	if n.obj[name] = value; len(n.obj) == size {
		return errRepeated
	}
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
		quoted, _ := json.Marshal(vals[0]) // a text cannot fail
		// The name is a part of the whole body; see Detach.
		if err := names.add(strings.Clone(name), Raw(quoted)); err != nil {
			return nil, err
		}
	}
	return names.obj, nil
}
