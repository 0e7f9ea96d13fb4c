package form

import (
	"net/url"
	"slices"
	"strings"
)

// Encode returns what v.Encode returns, in one allocation if little of it needs
// escapes: every token request is encoded.
func Encode(v url.Values) string {
	var room [16]string // most requests have fewer parameters
	names, size := room[:0], 0
	for name, values := range v {
		names = append(names, name)
		for _, value := range values {
			size += len(name) + len(value) + len("=&")
		}
	}
	slices.Sort(names)
	const escapes = 16 // as many as a URL needs
	var b strings.Builder
	b.Grow(size + escapes*len("3A"))
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

// isUnreserved has the characters that stand for themselves (RFC 3986 section
// 2.3).
var isUnreserved = func() (is [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~" {
		is[c] = true
	}
	return is
}()

// writeEscaped writes url.QueryEscape(s).
func writeEscaped(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	start := 0 // of what stands for itself
	for i := range len(s) {
		c := s[i]
		if isUnreserved[c] {
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
