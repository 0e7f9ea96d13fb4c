package wire

import (
	"encoding/binary"
	"encoding/json"
	"strings"
)

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
	end := strings.IndexByte(s[1:], '"') + 1
	if end == 0 {
		return 0
	}
	if !isPlainText([]byte(s[1:end])) {
		return 0
	}
	return end + 1
}

// isPlainText reports whether text has neither a backslash nor a control
// character.
func isPlainText(text []byte) bool {
	// A token has hundreds of characters. Look at eight of them at a time.
	for len(text) >= 8 {
		x := binary.LittleEndian.Uint64(text)
		// Subtracting n*ones takes n from each character. Only a character below n
		// then gets the highest bit, up to the first such character. &^ leaves out
		// characters beyond ASCII, which have that bit already.
		const ones = 0x0101010101010101
		slashes := x ^ '\\'*ones // characters that are equal become zero
		found := (x-' '*ones)&^x | (slashes-ones)&^slashes
		if found&(0x80*ones) != 0 {
			return false
		}
		text = text[8:]
	}
	for _, c := range text {
		if c < ' ' || c == '\\' {
			return false
		}
	}
	return true
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
		for i := range len(s) {
			switch s[i] {
			case ',', '}', ']', ' ', '\t', '\r', '\n':
				return i
			}
		}
		return -1
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
