package session

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/urls"
)

// Require lets only people through who are signed in. The handler next finds the
// session with [FromContext]. It sets Cache-Control: no-store, whatever a
// middleware around it has set; next may change it.
//
// A person who opens a page is sent to Config.LoginURL with status 303, and
// comes back to the page. A form is answered with status 401 and a page which
// says that nothing was saved. A script gets status 401 and JSON with
// "login_url". A browser that has just signed in and has no session is not sent
// again: a page says why. While the Store is down, the status is 503.
func (s *Sessions) Require(next http.Handler) http.Handler {
	mustHandle("Require", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch session, err := s.Load(r); {
		case err != nil:
			s.refuse(w, r, err)
		case session == nil:
			s.demand(w, r)
		default:
			serve(w, r, session, next)
		}
	})
}

// Optional calls next in any case. If somebody is signed in, [FromContext] has
// the session. While the Store is down, nobody is. It adds Vary: Cookie, and for
// somebody who is signed in sets Cache-Control as Require does.
func (s *Sessions) Optional(next http.Handler) http.Handler {
	mustHandle("Optional", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A cache must not show the answer for nobody to somebody who is signed
		// in, nor the other way round if next lets it be kept.
		w.Header().Add("Vary", "Cookie")
		session, err := s.Load(r)
		if err != nil || session == nil { // storeFailed has told Observe
			next.ServeHTTP(w, r)
			return
		}
		serve(w, r, session, next)
	})
}

// passiveKey marks the context of a request that is no activity.
type passiveKey struct{}

// Passive marks requests that a page makes by itself, such as polling: they do
// not keep a session from ending as idle. It stands outside Require.
func (s *Sessions) Passive(next http.Handler) http.Handler {
	mustHandle("Passive", next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), passiveKey{}, true)))
	})
}

// mustHandle panics if next is nil: the app's author sees it when the app
// starts.
func mustHandle(method string, next http.Handler) {
	if f, ok := next.(http.HandlerFunc); next == nil || ok && f == nil {
		panic("session: " + method + " needs a handler, and this one is nil")
	}
}

// noStore is shared by all answers. Appending to it makes a copy.
var noStore = []string{"no-store"}

// serve calls next for a person who is signed in.
func serve(w http.ResponseWriter, r *http.Request, session *Session, next http.Handler) {
	// The Back button must not show what a person saw who has signed out (OWASP
	// ASVS 5.0 section 14.3).
	w.Header()["Cache-Control"] = noStore[:1:1]
	if FromContext(r.Context()) != session {
		r = r.WithContext(context.WithValue(r.Context(), contextKey{}, session))
	}
	next.ServeHTTP(w, r)
}

// Load returns the session of r's browser, or nil if nobody is signed in there.
// It is what Require and Optional call, for frameworks with other handlers. It
// is one operation of the Store.
func (s *Sessions) Load(r *http.Request) (*Session, error) {
	ctx := r.Context()
	if session := FromContext(ctx); session != nil && session.sessions == s {
		return session, nil
	}
	touch := s.touch
	if ctx.Value(passiveKey{}) != nil {
		touch = 0
	}
	return s.loadFor(r, touch)
}

// loadFor is Load with a given touch.
func (s *Sessions) loadFor(r *http.Request, touch time.Duration) (*Session, error) {
	o, err := s.find(r, touch)
	if err == nil && o != nil {
		o, err = s.ofTenant(r, o)
	}
	if err == nil && o != nil {
		o, err = s.ofKnownTenant(r, o)
	}
	if err == nil && o != nil && o.Asked > o.Confirmed {
		o, err = s.revalidate(r.Context(), o)
	}
	if err != nil || o == nil {
		return nil, err
	}
	return &Session{sessions: s, now: o}, nil
}

// find returns what the store has for the browser of r, or nil.
func (s *Sessions) find(r *http.Request, touch time.Duration) (*opened, error) {
	for _, value := range s.presented(r) {
		if value == "" {
			continue
		}
		if o, err := s.load(r.Context(), keyOf(value), touch); o != nil || err != nil {
			return o, err
		}
	}
	return nil, nil
}

// demand answers a request that needs a session and has none.
func (s *Sessions) demand(w http.ResponseWriter, r *http.Request) {
	switch {
	case isScript(r):
		setHeaders(w)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		json.NewEncoder(w).Encode(map[string]string{
			"error": "login_required", "login_url": s.loginURL(s.tenantOf(r), pageOf(r)),
		})
	case s.isLogin(r):
		s.refuse(w, r, authcode.NewError(authcode.Configuration, "session.guarded",
			"Config.LoginURL is behind Require, so nobody can sign in: take it out of the guard, or "+
				"set it to where the login is mounted (authcode.Config.LoginURL)", nil))
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.showEnded(w, r)
	case s.hasMarker(r):
		s.showLost(w, r)
	default:
		setHeaders(w)
		redirect(w, s.loginURL(s.tenantOf(r), pathOf(r)))
	}
}

// isLogin reports whether r asks for Config.LoginURL.
func (s *Sessions) isLogin(r *http.Request) bool {
	link, err := url.Parse(s.loginOf(s.tenantOf(r)))
	return err == nil && link.Host == "" && r.URL.Path == link.Path
}

// loginURL returns LoginURL with the path to return to, if that is local. key is
// the tenant's, or empty.
func (s *Sessions) loginURL(key, path string) string {
	login := s.loginOf(key)
	link, err := url.Parse(login) // faults has checked it
	if err != nil || path == "/" || urls.LocalPath(path) != path {
		return login
	}
	query := link.Query()
	query.Set(s.cfg.ReturnToParam, path)
	link.RawQuery = query.Encode()
	return link.String()
}

// pathOf returns the path and query that the browser asked for.
func pathOf(r *http.Request) string {
	// RequestURI is what the browser sent, and r.URL may lack a prefix by now.
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return r.URL.RequestURI()
}

// pageOf returns the path of the page that made the request, or "".
func pageOf(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host {
		return ""
	}
	return u.RequestURI()
}

// isScript reports whether a script made r, or a program that wants JSON.
func isScript(r *http.Request) bool {
	return headers.IsScript(r) || headers.PrefersJSON(r.Header["Accept"])
}

// redirect sends the browser to target, with GET.
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}
