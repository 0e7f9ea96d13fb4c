package form

import (
	"net/url"
	"slices"
	"strings"
)

// Encode returns what v.Encode returns, in one allocation: every token request
// is encoded.
func Encode(v url.Values) string {
	var room [16]string // most requests have fewer parameters
	names, size := room[:0], 0
	for name, values := range v {
		names = append(names, name)
		for _, value := range values {
			size += escapedLen(name) + escapedLen(value) + len("=&")
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.Grow(size)
	for _, name := range names {
		for _, value := range v[name] {
			if b.Len() > 0 {
				b.WriteByte('&')
			}
			writeEscaped(&b, name)
			b.WriteByte('=')
			writeEscaped(&b, value)
		}
	}
	return b.String()
}

// isUnreserved reports whether c stands for itself (RFC 3986 section 2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

func escapedLen(s string) int {
	n := len(s)
	for i := range len(s) {
		if !isUnreserved(s[i]) && s[i] != ' ' {
			n += len("%00") - 1
		}
	}
	return n
}

// writeEscaped writes url.QueryEscape(s).
func writeEscaped(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	start := 0 // of what stands for itself
	for i := range len(s) {
		c := s[i]
		if isUnreserved(c) {
			continue
		}
		b.WriteString(s[start:i])
		start = i + 1
		if c == ' ' {
			b.WriteByte('+')
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	b.WriteString(s[start:])
}
