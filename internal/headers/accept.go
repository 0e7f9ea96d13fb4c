package headers

import (
	"strconv"
	"strings"
)

// PrefersJSON reports whether the values of Accept (RFC 9110 section 12.5.1)
// name JSON and rate it above HTML. A wildcard does not count: browsers send
// one beside text/html, and a person in a browser must get a page.
func PrefersJSON(accept []string) bool {
	// RFC 9110 section 5.3: several headers of one name are one list.
	var html, js float64
	for _, part := range strings.Split(strings.Join(accept, ","), ",") {
		mediaType, params, _ := strings.Cut(part, ";")
		mediaType = strings.ToLower(strings.TrimSpace(mediaType))
		q := quality(params)
		switch {
		case mediaType == "text/html", mediaType == "application/xhtml+xml":
			html = max(html, q)
		case isJSON(mediaType):
			js = max(js, q)
		}
	}
	return js > html
}

// isJSON also accepts the types with the suffix +json (RFC 6839 section 3.1),
// such as application/problem+json.
func isJSON(mediaType string) bool {
	return mediaType == "application/json" ||
		strings.HasPrefix(mediaType, "application/") && strings.HasSuffix(mediaType, "+json")
}

// quality returns the weight q of a media type (RFC 9110 section 12.4.2). It is
// 1 if there is none. A malformed weight is 0, so that a type with garbage
// behind it never wins.
func quality(params string) float64 {
	for _, p := range strings.Split(strings.ToLower(params), ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			q, err := strconv.ParseFloat(v, 64)
			// Written this way round, the comparison also refuses NaN.
			if err != nil || !(q >= 0 && q <= 1) {
				return 0
			}
			return q
		}
	}
	return 1
}
