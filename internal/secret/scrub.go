package secret

import (
	"encoding/hex"
	"strings"
	"unicode/utf8"
)

// maxText bounds a text that a server sent, in bytes, for the sake of the app's
// logs.
const maxText = 1 << 10

// maxEcho is how many bytes of a secret a server's text may have in common with
// it. Nobody can find out the rest from so few.
const maxEcho = 7

// maxEscapes is how many times an echo may be escaped, such as by a server for
// HTML and by a gateway in front of it for a URL.
const maxEscapes = 2

// Scrub bounds a text that a server sent, and drops it if it contains
// one of secrets or more than maxEcho bytes of one.
func Scrub(text string, secrets []string) string {
	// Cutting may split the last character. Copy the rest: an error that an app
	// keeps must not keep the whole answer.
	text = strings.Clone(strings.Map(dropInvalid, text[:min(len(text), maxText)]))
	// Servers echo what they refuse: whole, cut short or escaped. An app that
	// logs ServerDescription must not log a code or a secret with it.
	form := text
	for range maxEscapes + 1 {
		if echoes(form, secrets) {
			return ""
		}
		form = unescapeHTML(unescape(form))
	}
	return text
}

// echoes reports whether text contains one of secrets, or more than maxEcho
// bytes of one.
func echoes(text string, secrets []string) bool {
	text = plusAsSpace(text)
	parts := make(map[string]bool, len(text))
	for i := range len(text) - maxEcho {
		parts[text[i:i+maxEcho+1]] = true
	}
	for _, s := range secrets {
		s = plusAsSpace(s)
		if s != "" && strings.Contains(text, s) {
			return true
		}
		for i := range len(s) - maxEcho {
			if parts[s[i:i+maxEcho+1]] {
				return true
			}
		}
	}
	return false
}

// plusAsSpace makes the two equal. In a form a plus stands for a space, but in
// other escaped texts it stands for itself.
func plusAsSpace(text string) string { return strings.ReplaceAll(text, "+", " ") }

// dropInvalid drops what is not UTF-8, for strings.Map.
func dropInvalid(r rune) rune {
	if r == utf8.RuneError {
		return -1
	}
	return r
}

// unescape decodes what a server may have escaped for a URL. Unlike
// url.QueryUnescape it leaves malformed escapes and plus signs alone.
func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) {
			if decoded, err := hex.DecodeString(text[i+1 : i+3]); err == nil {
				c, i = decoded[0], i+2
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}
