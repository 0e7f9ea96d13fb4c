package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/urls"
)

const kind = "session"

// The cookies. Browsers set one with the prefix only if it is Secure, HttpOnly,
// for all paths and of this host alone, so that neither a script nor a sibling
// subdomain can plant it (draft-ietf-httpbis-rfc6265bis). Older browsers read
// the prefix as __Host-.
const (
	secureCookie = "__Host-Http-session"
	plainCookie  = "session" // for http on loopback

	// A browser with this cookie has just signed in: see Require.
	secureMarker = "__Host-Http-session-new"
	plainMarker  = "session-new"

	markerTime = 30 * time.Second
	idLength   = 43 // of 32 bytes in base64
)

// newID returns a random name of 32 bytes in base64.
func newID() string {
	var b [32]byte
	rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// keyOf returns the key of the record for a cookie's value. The value is a
// secret, so the store has its hash.
func keyOf(value string) grant.Key {
	// Every request does this, so it allocates nothing.
	b := append(make([]byte, 0, 64), "authcode session "...)
	return grant.Key{Kind: kind, ID: sha256.Sum256(append(b, value...))}
}

// presented returns the values of r's cookies that may be a session's, or "".
// The second one is for loopback.
func (s *Sessions) presented(r *http.Request) (values [2]string) {
	values[0] = single(r, secureCookie)
	if s.takesPlain(r) {
		values[1] = single(r, plainCookie)
	}
	return values
}

// single returns the value of the cookie of this name, or "". Of two, one was
// planted, and nothing says which.
func single(r *http.Request, name string) string {
	value, count := headers.Cookie(r, name)
	if count != 1 || !isID(value) {
		return ""
	}
	return value
}

// isID reports whether value looks like one of newID.
func isID(value string) bool {
	if len(value) != idLength {
		return false
	}
	for i := range len(value) {
		c := value[i]
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// maxPresented bounds what a sign-out looks for.
const maxPresented = 8

// allPresented returns every value that may be a session's, also those of
// several cookies with one name.
func (s *Sessions) allPresented(r *http.Request) (values []string) {
	names := []string{secureCookie}
	if s.takesPlain(r) {
		names = append(names, plainCookie)
	}
	for _, name := range names {
		for _, c := range r.CookiesNamed(name) {
			if isID(c.Value) && !slices.Contains(values, c.Value) && len(values) < maxPresented {
				values = append(values, c.Value)
			}
		}
	}
	return values
}

// takesPlain reports whether the cookies without a prefix count.
func (s *Sessions) takesPlain(r *http.Request) bool {
	// A sibling subdomain could plant one, and with it its own session. The Host
	// alone does not tell: a proxy may send its own, as nginx does with
	// proxy_pass http://localhost:8080.
	return s.plain.Load() && isLoopback(r)
}

// isLoopback reports whether r names this machine as its host.
func isLoopback(r *http.Request) bool {
	// Most hosts are neither an address nor localhost, and need no parsing.
	if c := r.Host; c == "" || c[0] != '[' && (c[0] < '0' || c[0] > '9') &&
		!strings.Contains(strings.ToLower(c), "localhost") {
		return false
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
		if n := len(host); n > 2 && host[0] == '[' && host[n-1] == ']' {
			host = host[1 : n-1]
		}
	}
	return urls.IsBrowserLoopback(host)
}

// setCookie sets a cookie. If value is empty, it removes it.
func setCookie(w http.ResponseWriter, name, value string, secure bool, keep time.Duration) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/", HttpOnly: true, Secure: secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(keep.Seconds()),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// giveCookies gives the browser its new session.
func (s *Sessions) giveCookies(w http.ResponseWriter, id string, secure bool) {
	name, marker := plainCookie, plainMarker
	if secure {
		name, marker = secureCookie, secureMarker
	}
	keep := time.Duration(0)
	if s.cfg.Persistent {
		keep = s.cfg.Lifetime
	}
	setCookie(w, name, id, secure, keep)
	setCookie(w, marker, "1", secure, markerTime)
}

// takeCookies removes what r has of the cookies.
func (s *Sessions) takeCookies(w http.ResponseWriter, r *http.Request) {
	for _, c := range []struct {
		name   string
		secure bool
	}{{secureCookie, true}, {secureMarker, true}, {plainCookie, false}, {plainMarker, false}} {
		if (c.secure || s.takesPlain(r)) && hasCookie(r, c.name) {
			setCookie(w, c.name, "", c.secure, 0)
		}
	}
}

// hasMarker reports whether this browser has just signed in.
func (s *Sessions) hasMarker(r *http.Request) bool {
	return hasCookie(r, secureMarker) || s.takesPlain(r) && hasCookie(r, plainMarker)
}

func hasCookie(r *http.Request, name string) bool {
	_, count := headers.Cookie(r, name)
	return count > 0
}
