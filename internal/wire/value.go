package wire

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Raw is one JSON value as it stood in the document. It is a string and not a
// byte slice: the values of an object share the memory of the document, and
// nobody can change them.
type Raw string

// MarshalJSON returns r as it is.
func (r Raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

// UnmarshalJSON keeps a copy of b.
func (r *Raw) UnmarshalJSON(b []byte) error {
	*r = Raw(b)
	return nil
}

// Marshal is json.Marshal without the escapes for HTML, which make "<" six times
// as long.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Text decodes raw as a string. It returns false if raw is something else.
func Text(raw Raw) (string, bool) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", false
	}
	// Without an escape the text stands between the quotes as it is.
	if strings.IndexByte(string(raw), '\\') < 0 {
		return string(raw[1 : len(raw)-1]), true
	}
	var s string
	err := json.Unmarshal([]byte(raw), &s)
	return s, err == nil
}

// Text returns the member name, which must be a string. It returns "" and true
// if the member is missing or null: many servers write null for "none".
func (o Object) Text(name string) (s string, ok bool) {
	raw, present := o[name]
	if !present || raw == "null" {
		return "", true
	}
	return Text(raw)
}

// Strings decodes raw as an array of strings. It returns false if raw is
// anything else, also if a single element is not a string.
func Strings(raw Raw) ([]string, bool) {
	if len(raw) == 0 || raw[0] != '[' {
		return nil, false
	}
	if list, ok := plainTexts(raw); ok {
		return list, true
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

// plainTexts is Strings for an array of strings without escapes, which needs no
// decoder. It returns false for every other value.
func plainTexts(raw Raw) (list []string, ok bool) {
	rest, ok := strings.CutPrefix(string(raw), "[")
	for rest = skipSpace(rest); ok; rest = skipSpace(rest) {
		n := plainTextLen(rest)
		if n == 0 {
			return nil, false
		}
		list = append(list, rest[1:n-1])
		if rest = skipSpace(rest[n:]); rest == "]" {
			return list, true
		}
		rest, ok = strings.CutPrefix(rest, ",")
	}
	return nil, false
}

// Elements returns the first elements of an array, at most so many. It returns
// nil if raw is not an array. What is behind them costs nothing.
func Elements(raw Raw, most int) (list []Raw) {
	rest, ok := strings.CutPrefix(string(raw), "[")
	for rest = skipSpace(rest); ok && len(list) < most; rest = skipSpace(rest) {
		n := valueLen(rest) // [ParseObject] has found all values to be valid
		if n <= 0 {
			return list
		}
		list = append(list, Raw(rest[:n]))
		rest, ok = strings.CutPrefix(skipSpace(rest[n:]), ",")
	}
	return list
}

// Number decodes raw as a number, or as a string that contains one: some
// providers send expires_in as "3600". It returns false for anything that is
// not a number in JSON's grammar, and beyond the range of float64.
func Number(raw Raw) (f float64, ok bool) {
	text := string(raw)
	if s, isText := Text(raw); isText {
		text = strings.TrimSpace(s)
		// strconv.ParseFloat also takes "inf" and hexadecimal numbers.
		if !json.Valid([]byte(text)) {
			return 0, false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// Any decodes raw for a map[string]any. Numbers become json.Number and so stay
// exact: as a float64, a long user id would turn into another one.
func Any(raw Raw) (v any, ok bool) {
	if s, isText := Text(raw); isText {
		return s, true
	}
	// Strings, numbers, flags and lists of strings are most of all values.
	// Decode them without a decoder.
	if len(raw) > 0 && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
		return json.Number(raw), true
	}
	switch raw {
	case "true", "false":
		return raw == "true", true
	}
	if list, ok := plainTexts(raw); ok && !isWasteful(raw, list) {
		values := make([]any, len(list))
		for n := range list {
			values[n] = list[n]
		}
		return values, true
	}
	return decode(raw)
}

// isWasteful reports whether most of raw is white space, which the texts of its
// list would keep in memory.
func isWasteful(raw Raw, list []string) bool {
	const most = 64 // bytes beside a text
	used := most * (1 + len(list))
	for _, text := range list {
		used += len(text)
	}
	return len(raw) > used
}

func decode(raw Raw) (v any, ok bool) {
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	err := dec.Decode(&v)
	return v, err == nil
}

// IsSubject reports whether s can be the key of a user, whoever named it: an ID
// token or a provider's own API.
func IsSubject(s string) bool {
	// OpenID Connect Core section 2: at most 255 ASCII characters. Logs and
	// database columns drop control characters and spaces at the ends, and
	// compare some letters beyond ASCII as equal. Then two people would have one
	// account.
	bad := func(r rune) bool { return r < ' ' || r >= 0x7f }
	return s != "" && len(s) <= 255 && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, bad)
}
