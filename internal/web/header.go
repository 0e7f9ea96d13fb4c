package web

import (
	"net/http"
	"strings"
)

// SetHeader sets a header alone: no other spelling of its name stays, which a server would take for a second
// value.
func SetHeader(h http.Header, name, value string) {
	for other := range h {
		if strings.EqualFold(other, name) {
			delete(h, other)
		}
	}
	h.Set(name, value)
}

// Authorize returns a copy of r with this Authorization and no other.
func Authorize(r *http.Request, value string) *http.Request {
	r = r.Clone(r.Context())
	if r.Header == nil {
		r.Header = make(http.Header, 1)
	}
	SetHeader(r.Header, "Authorization", value)
	return r
}
