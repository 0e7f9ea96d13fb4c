package authcode

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	maxPending      = 5    // logins at a time in one browser
	maxPendingBytes = 2500 // of Cookie header for all of them
	maxClears       = 20   // cookies that one answer expires
)

// loginCookie is what a browser's login cookie shows without its key.
type loginCookie struct {
	name  string
	bytes int
	start time.Time // zero if it must go first
}

// excessLogins names the pending logins that must go, so that at most
// maxPending cookies and maxPendingBytes remain together with the new one of
// size bytes.
func (c *Client) excessLogins(r *http.Request, now time.Time, size int) (names []string) {
	// Servers refuse requests with long headers. Abandoned logins of all
	// Clients together must not lock a person out of the app.
	old := c.pendingCookies(r, now)
	const separators = len("=; ")
	total := size + separators
	for i, p := range old {
		total += p.bytes + separators
		if i+1 >= maxPending || total > maxPendingBytes || p.start.IsZero() {
			names = append(names, p.name)
		}
	}
	// Another host under the same domain may have planted many. Expiring all of
	// them at once would make the headers of this answer too long. The oldest
	// go first, and the next login expires more.
	return names[max(0, len(names)-maxClears):]
}

// pendingCookies lists the login cookies of r, the newest first.
func (c *Client) pendingCookies(r *http.Request, now time.Time) (list []loginCookie) {
	cookies := c.loginCookies(r)
	if len(cookies) == 0 { // as at most logins
		return nil
	}
	seen := make(map[string]bool)
	for _, cookie := range cookies {
		start, _, ok := c.parseCookieName(cookie.Name)
		if !ok || seen[cookie.Name] {
			continue
		}
		// Repeats have another path or domain. A Set-Cookie with Path=/ would
		// not remove those.
		seen[cookie.Name] = true
		// It has expired, or another program made it. With a start in the
		// future it would outlive every real login.
		if now.Sub(start) > loginLifetime || start.Sub(now) > clockSkew {
			start = time.Time{}
		}
		size := len(cookie.Name) + len(cookie.Value)
		// It lives for a minute, and its login is about to finish.
		if strings.HasPrefix(cookie.Value, answerMark) {
			size = 0
		}
		list = append(list, loginCookie{cookie.Name, size, start})
	}
	// RFC 6265 section 5.4: of cookies with the same path, the header has the
	// earlier ones first. So reverse it before the stable sort: of two in the
	// same millisecond, the later one is the newer one.
	slices.Reverse(list)
	slices.SortStableFunc(list, func(a, b loginCookie) int {
		return cmp.Compare(b.start.UnixMilli(), a.start.UnixMilli())
	})
	return list
}

// loginCookies returns the cookies of r that may be a login's.
func (c *Client) loginCookies(r *http.Request) (list []*http.Cookie) {
	prefix := c.cookiePrefix()
	for _, line := range r.Header["Cookie"] {
		// Most logins are a first visit. Reading all cookies of a site can cost
		// as much as the rest of a start.
		if !strings.Contains(line, prefix) {
			continue
		}
		for pair := range strings.SplitSeq(line, ";") {
			if strings.Contains(pair, prefix) {
				found, _ := http.ParseCookie(pair) // net/http ignores a malformed one, too
				list = append(list, found...)
			}
		}
	}
	return list
}
