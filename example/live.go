package main

import (
	"crypto/rand"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// live knows which sessions are signed in, and whose they are. A provider that ends a session
// names the person or its own id of the session; it has no cookie of the person's. What is not in here
// is signed out, whatever the session store says: a request that runs meanwhile may store its
// session once more. The zero value is empty.
type live struct {
	mu    sync.Mutex
	byID  map[string]liveSession
	sweep time.Time // when to look for expired ones
}

type liveSession struct {
	issuer, subject, sid string
	expires              time.Time
	stepUp               []authcode.AuthOption // of a login that the API has asked for; nil: it has not
}

// add returns the id of a new session of this person; nil is somebody unknown.
func (l *live) add(who *authcode.Identity) string {
	now := time.Now()
	s := liveSession{expires: now.Add(sessionLifetime)}
	if who != nil {
		s.issuer, s.subject = who.Issuer, who.Subject
		s.sid, _ = who.Claims["sid"].(string) // Front-Channel Logout section 3
	}
	id := rand.Text()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byID == nil {
		l.byID = map[string]liveSession{}
	}
	if now.After(l.sweep) {
		l.sweep = now.Add(time.Minute)
		l.removeIf(func(s liveSession) bool { return now.After(s.expires) })
	}
	l.byID[id] = s
	return id
}

func (l *live) has(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.byID[id]
	return ok
}

// ask keeps the options of a login that the API asks this session's person for; nil: of none.
func (l *live) ask(id string, opts []authcode.AuthOption) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.byID[id]; ok {
		s.stepUp = opts
		l.byID[id] = s
	}
}

// asked returns what ask was given.
func (l *live) asked(id string) []authcode.AuthOption {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id].stepUp
}

func (l *live) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byID, id)
}

// end removes the sessions that a provider has ended, and returns how many they were.
func (l *live) end(t oidc.LogoutToken) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.removeIf(func(s liveSession) bool {
		return s.issuer == t.Issuer &&
			(t.Subject != "" || t.SessionID != "") &&
			(t.Subject == "" || s.subject == t.Subject) &&
			(t.SessionID == "" || s.sid == t.SessionID)
	})
}

// removeIf looks at every session: they are as few as fit into memory with their data.
func (l *live) removeIf(ended func(liveSession) bool) (n int) {
	for id, s := range l.byID {
		if ended(s) {
			delete(l.byID, id)
			n++
		}
	}
	return n
}
