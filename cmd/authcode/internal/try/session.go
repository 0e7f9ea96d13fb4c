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
	noticeLifetime  = 10 * time.Minute // of a session that holds a notice and nobody
	maxSessions     = 1 << 12
)

// sessions keeps who is signed in, in memory: they end with the process. A browser names
// its session by a random cookie, of which only a hash is kept.
type sessions struct {
	secure bool // the app is on https
	max    int

	mu    sync.Mutex // guards all below, and session.ended
	byID  map[sessionID]*session
	sweep time.Time // when to look for expired ones
}

// sessionID is the hash of a cookie's value.
type sessionID [sha256.Size]byte

// session is what the app knows of one browser.
type session struct {
	mu      sync.Mutex // held by the one request of the session that runs
	id      sessionID
	expires time.Time
	who     *account // nil: nobody is signed in
	notice  string   // shown once
	ended   bool     // by the provider
}

func newSessions(secure bool) *sessions {
	return &sessions{secure: secure, max: maxSessions, byID: map[sessionID]*session{}}
}

func (s *sessions) cookieName() string {
	if s.secure {
		return "__Host-session" // RFC 6265bis section 4.1.3.2: the prefix keeps neighbouring hosts from setting it
	}
	return "session"
}

// load returns the session that a request names, nil for none.
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

// start begins a session with a new id and tells the browser. It must run before the first
// byte of the answer.
func (s *sessions) start(w http.ResponseWriter, who *account, notice string) *session {
	value := rand.Text() // 128 bits or more
	made := &session{id: sha256.Sum256([]byte(value)), who: who, notice: notice}
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

// makeRoom removes expired sessions once a minute, and one more where there are too many:
// the one that ends first, which is one of nobody's if there are any. s.mu is held.
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

// hasEnded reports that the provider has ended the session.
func (s *sessions) hasEnded(one *session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return one.ended
}

// end ends the sessions that a logout by a provider is about, and returns how many they
// were. It does not wait for requests that run.
func (s *sessions) end(t oidc.LogoutToken) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.byID {
		if !one.ended && one.who.isMeant(t) {
			one.ended = true
			n++
		}
	}
	return n
}

// visit is one request and the session that it belongs to; nil: it has none.
type visit struct{ session *session }

type visitKey struct{}

func visitOf(ctx context.Context) *visit { return ctx.Value(visitKey{}).(*visit) }

// withSession lets the requests of one session run one after the other. Otherwise two of
// them could spend the same refresh token, which many providers take for theft.
func (a *app) withSession(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := new(visit)
		if found := a.sessions.load(r); found != nil {
			found.mu.Lock()
			defer found.mu.Unlock()
			v.session = a.sessions.load(r) // another request may have removed it meanwhile
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

// takeNotice returns the notice that is to be shown, once.
func (v *visit) takeNotice() (notice string) {
	if v.session != nil {
		notice, v.session.notice = v.session.notice, ""
	}
	return notice
}
