package secret

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
)

// each escapes every byte in the same way.
func each(format string) func(string) string {
	return func(s string) (escaped string) {
		for _, b := range []byte(s) {
			escaped += fmt.Sprintf(format, b)
		}
		return escaped
	}
}

// keepPlus is an encoder of URLs that leaves the plus sign alone, as the one for
// paths does.
func keepPlus(s string) string {
	parts := strings.Split(s, "+")
	for i := range parts {
		parts[i] = url.QueryEscape(parts[i])
	}
	return strings.Join(parts, "+")
}

// escapes are what a server may do with what it echoes.
var escapes = map[string]func(string) string{
	"nothing":             func(s string) string { return s },
	"a form":              url.QueryEscape,
	"a path":              url.PathEscape,
	"a URL with its plus": keepPlus,
	"every byte":          each("%%%02x"),
	"HTML":                html.EscapeString,
	"decimal":             each("&#%d;"),
	"decimal, no end":     each("&#%d"),
	"decimal, zeros":      each("&#%09d;"),
	"hexadecimal":         each("&#x%x;"),
	"HEXADECIMAL":         each("&#X%04X;"),
	"names": strings.NewReplacer("&", "&amp;", "+", "&plus;", "/", "&sol;", "=", "&equals;",
		"_", "&lowbar;", ".", "&period;", "%", "&percnt;", "#", "&num;", ";", "&semi;", "<", "&lt;",
		">", "&gt;", "!", "&excl;", `"`, "&quot;", "$", "&dollar;").Replace,
}

// TestScrubUnescapes: an echo is found in whatever way it was escaped, also if
// something else has escaped it again. No secret here has eight characters in a
// row that stay as they are.
func TestScrubUnescapes(t *testing.T) {
	secrets := []string{"a+b/c=d_", "<k&9.P!q", "p+q/r=$t", `x y"z<w>`, "A1b2C3d4"}
	for inner, first := range escapes {
		for outer, second := range escapes {
			for _, s := range secrets {
				echo := "it was " + second(first(s)) + " - "
				if got := Scrub(echo, []string{s}); len(echo) < maxText && got != "" {
					t.Errorf("%s, then %s: %s is kept as %s", inner, outer, s, got)
				}
			}
		}
	}
}

// TestScrubKeeps: a text that has little in common with a secret stays as it is.
func TestScrubKeeps(t *testing.T) {
	for _, text := range []string{
		"", "100% of it", "a+b c", "&amp;#43; &amp;amp;amp;", "%252525", "the code secret1 is old",
		"%zz&#;&", "it was secret1",
	} {
		if got := Scrub(text, []string{"secret12345678", "", "another+secret"}); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}
