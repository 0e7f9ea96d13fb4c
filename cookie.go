package authcode

import (
	"encoding/base32"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/once"
)

const maxCookie = 1800 // bytes of name and value

// idEncoding is base32 in lower case. It has neither hyphens, which separate the
// parts of a cookie's name, nor characters that need escaping.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").
	WithPadding(base32.NoPadding)

const idLen = 26 // of the text of an id

const (
	hostPrefix  = "__Host-" // only this host can set such a cookie, not an attacker's subdomain
	loginPrefix = "login-"
)

// cookiePrefix begins the names of all login cookies on this host.
func (c *Client) cookiePrefix() string {
	// A __Host- cookie must be Secure, which not all browsers accept over http.
	if c.loopback {
		return loginPrefix
	}
	return hostPrefix + loginPrefix
}

// cookieOwner is the NAME in the names of login cookies: the provider's, or that
// of the registry that the Client belongs to.
func (c *Client) cookieOwner() string {
	if c.cfg.Realm != nil {
		return c.cfg.Realm.Name
	}
	return c.cfg.Provider.Name
}

// cookieName returns PREFIX-NAME-T-ID. T is the start in base36 milliseconds.
func (c *Client) cookieName(started time.Time, id once.ID) string {
	b := make([]byte, 0, 64)
	b = append(b, c.cookiePrefix()...)
	b = append(b, c.cookieOwner()...)
	b = append(b, '-')
	// Every Client of the app can read the age of every login here, without its
	// key. So they can expire the oldest ones together.
	b = strconv.AppendInt(b, started.UnixMilli(), 36)
	b = append(b, '-')
	// Each login has its own cookie. With one name for all, a second tab would
	// destroy the login of the first one.
	return string(idEncoding.AppendEncode(b, id[:]))
}

// parseCookieName returns the start and the id in the name of a login cookie, or
// false for any other cookie.
func (c *Client) parseCookieName(name string) (started time.Time, id once.ID, ok bool) {
	rest, ok := strings.CutPrefix(name, c.cookiePrefix())
	if !ok || len(rest) < idLen+2 {
		return time.Time{}, id, false
	}
	// Parse from the end: the provider's name may have hyphens, too.
	text, rest := nameID(rest), rest[:len(rest)-idLen]
	head, ok := strings.CutSuffix(rest, "-")
	dash := strings.LastIndexByte(head, '-')
	if !ok || dash < 1 || !isName(head[:dash]) {
		return time.Time{}, id, false
	}
	// Be exact: a cookie that only looks similar belongs to the app, and must
	// not be expired.
	millis, err := strconv.ParseUint(head[dash+1:], 36, 63)
	if id = parseID(text); err != nil || id == (once.ID{}) {
		return time.Time{}, once.ID{}, false
	}
	return time.UnixMilli(int64(millis)), id, true
}

// isOwn reports whether name is the whole name of one of this Client's login
// cookies.
func (c *Client) isOwn(name string) bool {
	// Comparing the beginning is not enough: another Client's provider may have a
	// longer name, as in apple and apple-staff, and both may have the same keys.
	started, id, ok := c.parseCookieName(name)
	return ok && name == c.cookieName(started, id)
}

// parseID returns the zero ID if text is not an id.
func parseID(text string) (id once.ID) {
	// Check the length first: the text comes from anybody, and Decode panics if
	// its result is longer than id.
	if len(text) != idLen {
		return once.ID{}
	}
	// With an error, Decode stops before the end. It skips line breaks, and ignores
	// the two bits that 26 characters have beyond an id.
	n, _ := idEncoding.Decode(id[:], []byte(text))
	if n != len(id) || idText(id) != text {
		return once.ID{}
	}
	return id
}

func idText(id once.ID) string { return idEncoding.EncodeToString(id[:]) }

// nameID returns the text of the id in a cookie's name.
func nameID(name string) string { return name[len(name)-idLen:] }

// setLogin seals a into its cookie and expires the oldest pending logins that
// no longer fit. It makes the header in room, which setHeaders has returned.
func (c *Client) setLogin(
	w http.ResponseWriter, r *http.Request, a *attempt, room []string,
) error {
	name := c.cookieName(a.started, a.id)
	var buf [128]byte // most logins need no more
	value, ok := c.sealWithin(maxCookie, name, a.marshal(buf[:0]))
	// Anybody can make a link with a long return path. It must not break the
	// login: the person then arrives at "/", signed in, and the app is told.
	if !ok && len(a.returnTo) > 1 {
		a.returnTo = ""
		value, ok = c.sealWithin(maxCookie, name, a.marshal(buf[:0]))
	}
	if !ok {
		return errorf(Configuration, "login.size", "the login cookie would exceed %d bytes: "+
			"pass fewer Values, or shorter Scopes or Resource", maxCookie)
	}
	for _, old := range c.excessLogins(r, a.started, len(name)+len(value)) {
		c.expireLogin(w, old)
	}
	setCookie(w, room, cookieText(name, value, loginLifetime, c.attributes()))
	return nil
}

// sealWithin seals plain, and reports whether the cookie has at most limit
// bytes.
func (c *Client) sealWithin(limit int, name string, plain []byte) (value string, ok bool) {
	value, err := c.sealers[0].seal(name, plain)
	// The limit includes the name: browsers count both (RFC 6265 section 6.1).
	return value, err == nil && len(name)+len(value) <= limit
}

// expireLogin removes the login cookie with this name.
func (c *Client) expireLogin(w http.ResponseWriter, name string) {
	setCookie(w, nil, cookieText(name, "", 0, c.attributes()))
}

// The attributes of login cookies, after Path and Max-Age.
//
// HttpOnly: a script that an attacker has injected cannot read the cookie. Lax:
// other sites cannot send it with their requests, but the provider's redirect, a
// top-level navigation, brings it. A cross-site POST carries SameSite=None
// cookies only.
const (
	attributesLoopback = "; HttpOnly; SameSite=Lax"
	attributesLax      = "; HttpOnly; Secure; SameSite=Lax"
	attributesNone     = "; HttpOnly; Secure; SameSite=None"
)

func (c *Client) attributes() string {
	switch {
	case c.loopback:
		return attributesLoopback
	case c.cfg.Provider.FormPost:
		return attributesNone
	}
	return attributesLax
}

// cookieText is the header that sets a cookie; a maxAge of 0 removes it.
func cookieText(name, value string, maxAge time.Duration, attributes string) string {
	// Not http.SetCookie: it drops an invalid cookie without an error. Name and
	// value consist of letters, digits and "-_.~=", so they need no escaping. A
	// __Host- cookie must have Path=/, and no Domain (RFC 6265bis).
	seconds := strconv.AppendInt(make([]byte, 0, 8), int64(maxAge/time.Second), 10)
	return name + "=" + value + "; Path=/; Max-Age=" + string(seconds) + attributes
}

// setCookie adds a header of cookieText. The first one goes into room, which may
// be nil.
func setCookie(w http.ResponseWriter, room []string, text string) {
	h := w.Header()
	if others := h["Set-Cookie"]; len(others) > 0 {
		room = others
	}
	h["Set-Cookie"] = append(room, text)
}

// openLogin opens the cookie of the login with this start and id, which k has
// made. It returns nil if there is none.
func (c *Client) openLogin(
	r *http.Request, k *sealer, started time.Time, id once.ID,
) (*attempt, error) {
	name := c.cookieName(started, id)
	value, count := headers.Cookie(r, name)
	switch count {
	case 0:
		return nil, nil
	case 1:
	default:
		// Somebody has planted a second one, for example with another path. The
		// first one is not always the app's, so refuse both.
		return nil, errorf(Malformed, "cookie.repeated", "the login cookie came more than once: "+
			"see what else sets cookies for this host")
	}
	// The signature covers the name, and so the id of the state: the cookie of
	// another login does not open under this name.
	plain, err := k.open(name, value)
	if err != nil {
		return nil, errorf(Forged, "cookie.seal", "the login cookie was changed, or not sealed with "+
			"the key that made the state: check whether CookieKeys changed")
	}
	a, err := unmarshalAttempt(plain, c.scopes)
	if err != nil {
		return nil, errorf(Forged, "cookie.version",
			"another version of this package made the login cookie: start again")
	}
	a.name, a.started, a.id = name, started, id
	return a, nil
}
