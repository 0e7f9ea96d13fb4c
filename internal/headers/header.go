// Package headers reads and writes HTTP header fields: Accept, Authorization,
// Retry-After and WWW-Authenticate.
package headers

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Set sets a header alone: no other spelling of its name stays, which a server would take for a second
// value.
func Set(h http.Header, name, value string) {
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
	Set(r.Header, "Authorization", value)
	return r
}

// DefaultRetry is how long to wait where a server does not say.
const DefaultRetry = 5 * time.Second

const maxRetry = time.Hour

// RetryAfter reads the header Retry-After (RFC 9110 section 10.2.3): between a second and an hour, and
// DefaultRetry for what is no such value.
func RetryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(seconds, 1), uint64(maxRetry/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), time.Second), maxRetry)
	}
	return DefaultRetry
}

// IsVisible holds for VSCHAR (RFC 6749 appendix A): anything else in a token is an attack on headers.
func IsVisible(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
