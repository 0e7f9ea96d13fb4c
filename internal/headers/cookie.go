package headers

import (
	"net/http"
	"net/textproto"
	"strings"
)

// Cookie returns the value of the cookie called name, which is not empty, and
// how many cookies of r have that name. Like r.CookiesNamed, it skips malformed
// ones. It allocates nothing.
func Cookie(r *http.Request, name string) (value string, count int) {
	for _, line := range r.Header["Cookie"] {
		for line != "" {
			var pair string
			pair, line, _ = strings.Cut(line, ";")
			before, after, _ := strings.Cut(textproto.TrimString(pair), "=")
			if textproto.TrimString(before) != name {
				continue
			}
			// RFC 6265 section 4.1.1: the value may stand in quotes.
			if n := len(after); n > 1 && after[0] == '"' && after[n-1] == '"' {
				after = after[1 : n-1]
			}
			if !IsVisible(after) || strings.IndexByte(after, '"') >= 0 ||
				strings.IndexByte(after, '\\') >= 0 {
				continue
			}
			if count++; count == 1 {
				value = after
			}
		}
	}
	return value, count
}
