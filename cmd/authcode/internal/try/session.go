package try

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"sync"
	"time"

	"example.com/authcode/oidc"
)

const (
	sessionLifetime = 12 * time.Hour
	noticeLifetime  = 10 * time.Minute // of a session that only holds a notice
	maxSessions     = 1 << 12
)

// sessions keeps in memory who is signed in. The sessions end with the process.
// A browser names its session by a random cookie. Only a hash of the cookie is
// kept, so that a memory dump does not let anybody in.
type sessions struct {
	secure bool // the app is on https
	max    int  // of sessions: anybody can start one

	mu    sync.Mutex // guards all below, and session.ended
	byID  map[sessionID]*session
	sweep time.Time // when to look for expired ones
}

// sessionID is the hash of a cookie's value.
type sessionID [sha256.Size]byte

// session is what the app knows about one browser.
type session struct {
	mu      sync.Mutex // held by a request while it runs: see withSession
	id      sessionID
	expires time.Time
	who     *account // nil: nobody is signed in
	notice  string   // shown once
	ended   bool     // the provider has ended it
}

func newSessions(secure bool) *sessions {
	return &sessions{secure: secure, max: maxSessions, byID: map[sessionID]*session{}}
}

// cookieName returns the name of the session cookie.
func (s *sessions) cookieName() string {
	if s.secure {
		// RFC 6265bis section 4.1.3.2: the prefix keeps other hosts of the same
		// domain from setting this cookie.
		return "__Host-session"
	}
	return "session"
}

// load returns the session that a request names, or nil.
func (s *sessions) load(r *http.Request) *session {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID[sha256.Sum256([]byte(cookie.Value))]
	if found == nil || time.Now().After(found.expires) {
		return nil
	}
	return found
}

// start begins a session with a new id and sets its cookie. It must run before
// the first byte of the answer.
func (s *sessions) start(w http.ResponseWriter, who *account, notice string) *session {
	value := rand.Text() // 128 bits or more
	made := &session{id: sha256.Sum256([]byte(value)), who: who, notice: notice}
	// Sessions without a person end early: anybody can make them.
	made.expires = time.Now().Add(noticeLifetime)
	if who != nil {
		made.expires = time.Now().Add(sessionLifetime)
	}
	s.mu.Lock()
	s.makeRoom()
	s.byID[made.id] = made
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: value, Path: "/", Secure: s.secure, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	return made
}

// makeRoom removes expired sessions once a minute. If there are still too many,
// it removes the one that ends first. Sessions without a person end earlier, so
// they go first. The caller holds s.mu.
func (s *sessions) makeRoom() {
	if now := time.Now(); now.After(s.sweep) {
		s.sweep = now.Add(time.Minute)
		for id, old := range s.byID {
			if now.After(old.expires) {
				delete(s.byID, id)
			}
		}
	}
	if len(s.byID) < s.max {
		return
	}
	var first *session
	for _, old := range s.byID {
		if first == nil || old.expires.Before(first.expires) {
			first = old
		}
	}
	delete(s.byID, first.id)
}

func (s *sessions) remove(old *session) {
	if old == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, old.id)
}

// hasEnded reports whether the provider has ended the session.
func (s *sessions) hasEnded(one *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return one.ended
}

// end ends the sessions that a logout token is about, and returns their number.
// It does not wait for running requests, since the provider is waiting.
func (s *sessions) end(t oidc.LogoutToken) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.byID {
		if !one.ended && one.who.matchesLogout(t) {
			one.ended = true
			n++
		}
	}
	return n
}

// visit is one request and its session, which is nil if there is none.
type visit struct{ session *session }

type visitKey struct{}

func visitOf(ctx context.Context) *visit { return ctx.Value(visitKey{}).(*visit) }

// withSession lets the requests of one session run one after the other.
// Otherwise two of them could use the same refresh token, which many providers
// take for theft (RFC 9700 section 4.14.2).
func (a *app) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := new(visit)
		if found := a.sessions.load(r); found != nil {
			found.mu.Lock()
			defer found.mu.Unlock()
			// While this request waited, another one may have removed the
			// session.
			v.session = a.sessions.load(r)
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
	})
}

// notify leaves a notice for the next page.
func (v *visit) notify(notice string) {
	if v.session != nil {
		v.session.notice = notice
	}
}

// takeNotice returns the notice to show, and removes it.
func (v *visit) takeNotice() (notice string) {
	if v.session != nil {
		notice, v.session.notice = v.session.notice, ""
	}
	return notice
}
