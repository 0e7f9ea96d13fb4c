package authcode

import (
	"cmp"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxPending      = 5    // logins at a time in one browser
	maxPendingBytes = 2500 // of Cookie header for all of them
	maxCookie       = 1800 // name and value of one
	maxClears       = 20   // cookies expired by one answer
)

var base32lower = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

const hashLen = 16 // characters of base32: 80 bits, enough to tell a browser's logins apart

func (c *Client) cookiePrefix() string {
	if c.loopback {
		return "login-"
	}
	return "__Host-login-"
}

// cookieName is PREFIX-NAME-T-HASH. T is the start in base36 milliseconds: whoever looks at the
// jar can tell the age of every login of every Client, without any key.
func (c *Client) cookieName(s *state) string {
	b := make([]byte, 0, 64)
	b = append(b, c.cookiePrefix()...)
	b = append(b, c.cfg.Provider.Name...)
	b = append(b, '-')
	b = strconv.AppendInt(b, s.started().UnixMilli(), 36)
	b = append(b, '-')
	id := s.id()
	return string(base32lower.AppendEncode(b, id[:hashLen*5/8]))
}

// cookieStart is the start that a login cookie's name carries; false for any other cookie.
func (c *Client) cookieStart(name string) (time.Time, bool) {
	rest, ok := strings.CutPrefix(name, c.cookiePrefix())
	if !ok || len(rest) < hashLen+2 {
		return time.Time{}, false
	}
	hash, rest := rest[len(rest)-hashLen:], rest[:len(rest)-hashLen]
	head, ok := strings.CutSuffix(rest, "-")
	dash := strings.LastIndexByte(head, '-')
	if !ok || dash < 1 || !isName(head[:dash]) {
		return time.Time{}, false
	}
	millis, err := strconv.ParseInt(head[dash+1:], 36, 64)
	if err != nil || millis < 0 || strings.Trim(hash, "0123456789abcdefghijklmnopqrstuv") != "" {
		return time.Time{}, false
	}
	return time.UnixMilli(millis), true
}

// setLogin seals a into its cookie and expires the oldest pending logins that no longer fit.
func (c *Client) setLogin(w http.ResponseWriter, r *http.Request, a *attempt) error {
	name := c.cookieName(&a.state)
	value, ok := c.sealWithin(name, a)
	if !ok && a.returnTo != "/" {
		// Where to return to is often the request's word: it must not be able to break the login.
		a.returnTo = "/"
		value, ok = c.sealWithin(name, a)
	}
	if !ok {
		return fail(Configuration, "login.size",
			"the login cookie would exceed %d bytes: pass fewer Values, or shorter Scopes or Resource", maxCookie)
	}
	for _, old := range c.excess(r, a.state.started(), len(name)+len(value)) {
		c.setCookie(w, old, "", 0)
	}
	c.setCookie(w, name, value, int(loginLifetime/time.Second))
	return nil
}

func (c *Client) sealWithin(name string, a *attempt) (value string, ok bool) {
	value, err := c.sealers[0].seal(name, a.marshal())
	return value, err == nil && len(name)+len(value) <= maxCookie
}

func (c *Client) clearLogin(w http.ResponseWriter, s *state) { c.setCookie(w, c.cookieName(s), "", 0) }

// setCookie writes the header itself: name and value are of our own making, letters, digits and
// "-_=", and the attributes must be these and no others. maxAge is in seconds; 0 removes the cookie.
func (c *Client) setCookie(w http.ResponseWriter, name, value string, maxAge int) {
	attributes := "; HttpOnly; Secure; SameSite=Lax"
	switch {
	case c.loopback:
		attributes = "; HttpOnly; SameSite=Lax"
	case c.cfg.Provider.FormPost:
		// A cross-site POST carries SameSite=None cookies only. New has refused http.
		attributes = "; HttpOnly; Secure; SameSite=None"
	}
	w.Header().Add("Set-Cookie", name+"="+value+"; Path=/; Max-Age="+strconv.Itoa(maxAge)+attributes)
}

// excess names the pending logins that have to go so that at most maxPending cookies and
// maxPendingBytes remain with the new one of size bytes. It counts the logins of all Clients.
func (c *Client) excess(r *http.Request, now time.Time, size int) (names []string) {
	type pending struct {
		name  string
		bytes int
		start time.Time
	}
	if len(r.Header["Cookie"]) == 0 {
		return nil // a first visit, as most
	}
	var old []pending
	seen := make(map[string]bool)
	for _, cookie := range r.Cookies() {
		start, ok := c.cookieStart(cookie.Name)
		if !ok || seen[cookie.Name] {
			continue
		}
		seen[cookie.Name] = true
		if now.Sub(start) > loginLifetime || start.Sub(now) > clockSkew {
			start = time.Time{} // expired, or not ours: goes first
		}
		old = append(old, pending{cookie.Name, len(cookie.Name) + len(cookie.Value), start})
	}
	// Newest first; of the same millisecond the later in the header is newer (RFC 6265
	// section 5.4), hence the reversal before a stable sort.
	slices.Reverse(old)
	slices.SortStableFunc(old, func(a, b pending) int { return cmp.Compare(b.start.UnixMilli(), a.start.UnixMilli()) })
	const separators = len("=; ")
	total := size + separators
	for i, p := range old {
		total += p.bytes + separators
		if i+1 >= maxPending || total > maxPendingBytes || p.start.IsZero() {
			names = append(names, p.name)
		}
	}
	return names[max(0, len(names)-maxClears):] // the oldest of them first
}

// openLogin opens the one cookie that belongs to s. It is the only way to an attempt.
func (c *Client) openLogin(r *http.Request, s *state, k *sealer) (*attempt, error) {
	name := c.cookieName(s)
	cookies := r.CookiesNamed(name)
	switch len(cookies) {
	case 0:
		return nil, nil
	case 1:
	default:
		// Somebody planted a second one: there is no telling which is ours.
		return nil, fail(Malformed, "cookie.repeated", "the login cookie came more than once")
	}
	plain, err := k.open(name, cookies[0].Value)
	if err != nil {
		return nil, fail(Forged, "cookie.seal", "the login cookie was not sealed with this key")
	}
	a, err := unmarshal(plain, c.scopes)
	if err != nil || subtle.ConstantTimeCompare(a.state[:], s[:]) != 1 {
		return nil, fail(Forged, "cookie.state", "the login cookie belongs to another state")
	}
	return a, nil
}

// attempt is one login between its start and its callback: what the cookie holds.
type attempt struct {
	state    state
	client   [16]byte // what the login belongs to: see loginDigest
	verifier verifier
	returnTo string
	scopes   []string // as requested by this login
	scoped   bool     // scopes differ from the Client's own, so the cookie carries them
	maxAge   int64    // seconds; negative: none was sent
	key      string   // the Binding's name for its key
	resource string   // that the token request names too
	values   map[string]string
}

const cookieVersion = 3

var errCookie = errors.New("not a login")

// marshal writes the attempt as bytes: version, state, verifier, digest, then strings and counts with
// their lengths in front. It is never larger than it must be: the cookie travels a lot.
func (a *attempt) marshal() []byte {
	b := make([]byte, 0, 176)
	b = append(b, cookieVersion)
	b = append(b, a.state[:]...)
	b = append(b, a.verifier[:]...)
	b = append(b, a.client[:]...)
	b = appendText(b, a.returnTo)
	b = appendText(appendText(b, a.key), a.resource)
	b = binary.AppendVarint(b, a.maxAge)
	if a.scoped {
		b = binary.AppendUvarint(b, uint64(len(a.scopes))+1)
		for _, s := range a.scopes {
			b = appendText(b, s)
		}
	} else {
		b = binary.AppendUvarint(b, 0)
	}
	for k, v := range a.values {
		b = appendText(appendText(b, k), v)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unmarshal reads what marshal wrote. The bytes were authenticated, yet it trusts no length.
func unmarshal(b []byte, own []string) (*attempt, error) {
	if len(b) < 81 || b[0] != cookieVersion {
		return nil, errCookie
	}
	a := &attempt{scopes: own}
	copy(a.state[:], b[1:33])
	copy(a.verifier[:], b[33:65])
	copy(a.client[:], b[65:81])
	r := reader{rest: b[81:]}
	a.returnTo = r.text()
	a.key, a.resource = r.text(), r.text()
	a.maxAge = r.varint()
	if n := r.uvarint(); n > 0 {
		a.scoped, a.scopes = true, []string{}
		for ; n > 1 && !r.bad; n-- {
			a.scopes = append(a.scopes, r.text())
		}
	}
	for len(r.rest) > 0 && !r.bad {
		if a.values == nil {
			a.values = make(map[string]string)
		}
		k := r.text()
		a.values[k] = r.text()
	}
	if r.bad {
		return nil, errCookie
	}
	return a, nil
}

type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	return v * r.advance(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	return v * int64(r.advance(n))
}

// advance takes n bytes off and returns 1, or marks r as bad and returns 0.
func (r *reader) advance(n int) uint64 {
	if n <= 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return 1
}

func (r *reader) text() string {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
