package headers

import "net/http"

// SetRedirect sets the headers of a redirect that only one person may see: no
// cache keeps it, no other site frames it, and none gets it as a referrer.
func SetRedirect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}
