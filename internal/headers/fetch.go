package headers

import (
	"net/http"
	"slices"
	"strings"
)

// IsScript reports whether a request proves that a script made it.
func IsScript(r *http.Request) bool {
	// Browsers set Sec-Fetch-Mode, and scripts cannot change it. Old browsers
	// do not send it, so only the headers of common libraries show a script
	// there. State and cookie protect a login in any case.
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 {
		return mode[0] != "navigate"
	}
	// Android's WebView puts the name of its app into X-Requested-With, on every
	// navigation. Only the value that script libraries send shows a script.
	isXHR := func(v string) bool { return strings.EqualFold(strings.TrimSpace(v), "XMLHttpRequest") }
	return slices.ContainsFunc(r.Header["X-Requested-With"], isXHR) || len(r.Header["Hx-Request"]) > 0
}

// IsPrefetch reports whether the browser only prefetches the page: the person
// may never follow the link.
func IsPrefetch(r *http.Request) bool {
	// Sec-Purpose is the standard (Fetch). Purpose and X-Moz come from older
	// browsers.
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Moz"} {
		v := r.Header[name]
		if len(v) > 0 && strings.HasPrefix(strings.ToLower(v[0]), "prefetch") {
			return true
		}
	}
	return false
}
