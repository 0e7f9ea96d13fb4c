package headers

import (
	"strconv"
	"strings"
)

// PrefersJSON reads Accept (RFC 9110 section 12.5.1): JSON must be named, and rated above HTML.
func PrefersJSON(accept []string) bool {
	var html, js float64
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		kind, params, _ := strings.Cut(part, ";")
		q := quality(params)
		switch kind = strings.ToLower(strings.TrimSpace(kind)); {
		case kind == "text/html", kind == "application/xhtml+xml":
			html = max(html, q)
		case kind == "application/json", strings.HasPrefix(kind, "application/") && strings.HasSuffix(kind, "+json"):
			js = max(js, q)
		}
	}
	return js > html
}

func quality(params string) float64 {
	for _, p := range strings.Split(strings.ToLower(params), ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			q, err := strconv.ParseFloat(v, 64)
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
