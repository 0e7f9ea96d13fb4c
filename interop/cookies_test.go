package interop

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/cdproto/network"
)

const maxSetCookie = 420 // bytes, for a return path of up to 40 and no values

// pending expects this many logins in Chromium's jar, each stored as the design says.
func (b *tab) pending(w *world, want int) {
	b.t.Helper()
	logins := b.jar("login-")
	if len(logins) != want {
		b.t.Fatalf("%d login cookies in the jar, want %d: %v", len(logins), want, names(logins))
	}
	for _, c := range logins {
		prefix := ""
		if w.secure() {
			prefix = "__Host-"
		}
		shape := regexp.MustCompile("^" + prefix + "login-" + w.name + "-[0-9a-z]{8}-[0-9a-v]{26}$")
		if !shape.MatchString(c.Name) {
			b.t.Errorf("the login cookie is called %q, want %s", c.Name, shape)
		}
		left := c.Expires - float64(time.Now().UnixMilli())/1000
		if c.Session || left < 500 || left > 601 {
			b.t.Errorf("%s ends in %.0f seconds, want up to 600", c.Name, left)
		}
		b.stored(w, c, w.sameSite())
	}
}

// session expects exactly one session cookie of authcode try.
func (b *tab) session(w *world) {
	b.t.Helper()
	name := "session"
	if w.secure() {
		name = "__Host-session"
	}
	all := b.jar("session")
	found := 0
	for _, c := range all {
		if c.Name == name {
			found++
			b.stored(w, c, network.CookieSameSiteLax)
		}
	}
	if found != 1 {
		b.t.Errorf("%d cookies %s, want 1: %v", found, name, names(all))
	}
}

// stored expects c to have the attributes that all cookies of authcode try share.
func (b *tab) stored(w *world, c *network.Cookie, sameSite network.CookieSameSite) {
	b.t.Helper()
	if !c.HTTPOnly || c.Path != "/" || c.Domain != "localhost" ||
		c.Secure != w.secure() || c.SameSite != sameSite {
		b.t.Errorf("%s: HttpOnly %t, Path %s, Domain %s, Secure %t, SameSite %q; "+
			"want HttpOnly, Path /, host-only localhost, Secure %t, SameSite %s",
			c.Name, c.HTTPOnly, c.Path, c.Domain, c.Secure, c.SameSite, w.secure(), sameSite)
	}
}

// sameSite is what the login cookie must be: Lax, unless a cross-site POST has to carry it.
func (w *world) sameSite() network.CookieSameSite {
	if w.formPost {
		return network.CookieSameSiteNone
	}
	return network.CookieSameSiteLax
}

// sentOnce looks at the wire of one finished login: what the start set came back with the
// callback, was cleared by it, and Chromium refused none of it.
func (b *tab) sentOnce(w *world, method string) {
	b.t.Helper()
	start, callback := b.last(b.t, w.start()), b.last(b.t, w.callback())
	if callback.method != method || callback.status != http.StatusSeeOther {
		b.t.Fatalf("the callback was %s and answered %d, want %s and 303",
			callback.method, callback.status, method)
	}
	set, cleared := linesWith(start, "Max-Age=600"), linesWith(callback, "Max-Age=0")
	if len(set) != 1 || len(cleared) != 1 || len(set[0]) > maxSetCookie {
		b.t.Fatalf("set %q at the start, cleared %q: want one each, at most %d bytes",
			set, cleared, maxSetCookie)
	}
	name, _, _ := strings.Cut(set[0], "=")
	if !strings.HasPrefix(cleared[0], name+"=;") {
		b.t.Errorf("the callback cleared %q, want %s", cleared[0], name)
	}
	logins := slices.DeleteFunc(names(callback.sent), func(n string) bool {
		return !strings.Contains(n, "login-")
	})
	if !slices.Equal(logins, []string{name}) {
		b.t.Errorf("the callback brought the logins %q, want %s", logins, name)
	}
	for _, m := range b.all(w.app) {
		for _, r := range m.refused {
			b.t.Errorf("Chromium refused a cookie of %s: %v", m.url, r.BlockedReasons)
		}
	}
}

func linesWith(m message, attribute string) (lines []string) {
	for _, line := range m.setCookie {
		if strings.Contains(line, attribute) {
			lines = append(lines, line)
		}
	}
	return lines
}

func names(cookies []*network.Cookie) (list []string) {
	for _, c := range cookies {
		list = append(list, c.Name)
	}
	return list
}
