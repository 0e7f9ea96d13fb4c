// Package headers reads and writes HTTP header fields: Accept, Authorization,
// Retry-After and WWW-Authenticate.
package headers

import (
	"encoding/binary"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Set sets a header to one value. It also removes the header under every other
// spelling of its name. net/http would send those as further lines, and the
// server would take them for further values.
func Set(h http.Header, name, value string) {
	for other := range h {
		if strings.EqualFold(other, name) {
			delete(h, other)
		}
	}
	h.Set(name, value)
}

// Authorize returns a copy of r whose only Authorization header is value. It
// copies, because an http.RoundTripper must not change the request it is given.
func Authorize(r *http.Request, value string) *http.Request {
	// Request.Clone would also copy forms and files, which requests to servers
	// do not have: 10 kB of every app.
	header := r.Header.Clone()
	r = r.WithContext(r.Context())
	if r.Header = header; header == nil {
		r.Header = make(http.Header, 1)
	}
	Set(r.Header, "Authorization", value)
	return r
}

// DefaultRetry is how long to wait where a server does not say.
const DefaultRetry = 5 * time.Second

// maxRetry bounds what a server can ask for: without a bound, one answer could
// keep an app from its provider for years.
const maxRetry = time.Hour

// RetryAfter reads the header Retry-After (RFC 9110 section 10.2.3), in seconds
// or as a date. The result is between a second and an hour, and DefaultRetry if
// the value is missing or malformed.
func RetryAfter(value string) time.Duration {
	seconds, err := strconv.ParseUint(value, 10, 64)
	// A number beyond 64 bits is well formed: it becomes the maximum.
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(seconds, 1), uint64(maxRetry/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), time.Second), maxRetry)
	}
	return DefaultRetry
}

// IsVisible reports whether s consists of VSCHAR (RFC 6749 appendix A), as
// codes and tokens do. Any other byte, such as a line break, could end the
// header that s is sent in and begin another one.
func IsVisible(s string) bool { return isVisible([]byte(s)) }

func isVisible(text []byte) bool {
	// A token has hundreds of characters. Look at eight of them at a time. The
	// highest bit of a character is set in x if it is beyond ASCII, in the sum if
	// it is DEL, and in the difference if it is below a space. What else sets it
	// there is carried over from a character that is not visible.
	const ones = 0x0101010101010101
	for ; len(text) >= 8; text = text[8:] {
		x := binary.LittleEndian.Uint64(text)
		if (x|(x+ones)|(x-' '*ones)&^x)&(0x80*ones) != 0 {
			return false
		}
	}
	for _, c := range text {
		if c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}
