package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"hash/maphash"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"golang.org/x/oauth2"

	"example.com/authcode"
)

// What a session holds. The keys of a person who is not signed in are absent.
const (
	keyProvider = "provider" // string, the name of the provider
	keyToken    = "token"    // []byte of authcode.MarshalToken: secret, never leaves the server
	keyScopes   = "scopes"   // []string, what was granted
	keyIdentity = "identity" // []byte, an identity as JSON; absent: the provider does not say
	keySeen     = "seen"     // []byte, what was seen of the login as JSON
	keyLive     = "live"     // string, the id of the session in [live]
	keyNotice   = "notice"   // string, shown once
)

const sessionLifetime = 12 * time.Hour

// newSessions keeps sessions in memory: they end with the process. There is no idle timeout,
// because package scs would then store a session again after every request.
func newSessions(secure bool, log *slog.Logger) *scs.SessionManager {
	s := scs.New()
	s.Lifetime = sessionLifetime
	s.HashTokenInStore = true
	s.Cookie.Name = "session"
	s.Cookie.HttpOnly = true
	s.Cookie.SameSite = http.SameSiteLaxMode
	s.Cookie.Persist = false
	if secure {
		// RFC 6265bis section 4.1.3.2: the prefix keeps neighbouring hosts from setting it.
		s.Cookie.Name = "__Host-session"
		s.Cookie.Secure = true
	}
	s.ErrorFunc = func(w http.ResponseWriter, _ *http.Request, err error) {
		log.Error("session failed", "error", err)
		http.Error(w, "The session store does not work.", http.StatusInternalServerError)
	}
	return s
}

// turns lets the requests of one session run one after the other. Otherwise two requests could
// spend the same refresh token, which many providers take for theft, or one that began before a
// sign-out could store the session again. Sessions share a fixed number of locks.
type turns struct {
	seed  maphash.Seed
	locks [256]sync.Mutex
}

func (t *turns) lock(session string) (unlock func()) {
	m := &t.locks[maphash.String(t.seed, session)%uint64(len(t.locks))]
	m.Lock()
	return m.Unlock
}

// withSession loads the session for next, and stores it before the first byte of the answer.
func (a *app) withSession(next http.Handler) http.Handler {
	loaded := a.sessions.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie(a.sessions.Cookie.Name); err == nil {
			defer a.turns.lock(cookie.Value)()
		}
		loaded.ServeHTTP(w, r)
	})
}

// account is the person who is signed in.
type account struct {
	signIn   *signIn
	token    *oauth2.Token
	scopes   []string
	identity *identity // nil: the provider does not say who it is
	seen     seen
	live     string // the id of the session in [live]
}

// identity is [authcode.Identity] with names for JSON.
type identity struct {
	Issuer        string         `json:"issuer"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email,omitempty"`
	EmailVerified bool           `json:"email_verified"`
	Name          string         `json:"name,omitempty"`
	Picture       string         `json:"picture,omitempty"`
	Claims        map[string]any `json:"claims"`
}

// begin signs the person in. The session gets a new id, because somebody else may know the
// old one (session fixation), and keeps nothing of whoever was signed in before.
func (a *app) begin(ctx context.Context, s *signIn, login *authcode.Login, what seen) error {
	a.live.remove(a.sessions.GetString(ctx, keyLive))
	if err := a.sessions.Clear(ctx); err != nil {
		return err
	}
	if err := a.sessions.RenewToken(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyProvider, s.name)
	a.sessions.Put(ctx, keyScopes, login.Scopes)
	if login.Identity != nil {
		raw, err := json.Marshal(identity(*login.Identity))
		if err != nil {
			return err
		}
		a.sessions.Put(ctx, keyIdentity, raw)
	}
	travelled, err := json.Marshal(what)
	if err != nil {
		return err
	}
	a.sessions.Put(ctx, keySeen, travelled)
	a.sessions.Put(ctx, keyLive, a.live.add(login.Identity))
	return a.putToken(ctx, login.Token)
}

// putToken stores a token at once, not with the answer: a provider that rotates refresh tokens
// has just made the former one useless.
func (a *app) putToken(ctx context.Context, token *oauth2.Token) error {
	raw, err := authcode.MarshalToken(token)
	if err != nil {
		return err
	}
	a.sessions.Put(ctx, keyToken, raw)
	_, _, err = a.sessions.Commit(ctx)
	return err
}

// account returns who is signed in, nil for nobody.
func (a *app) account(ctx context.Context) (*account, error) {
	name := a.sessions.GetString(ctx, keyProvider)
	if name == "" {
		return nil, nil
	}
	id := a.sessions.GetString(ctx, keyLive)
	if !a.live.has(id) {
		return nil, a.end(ctx, "You are signed out: your provider has ended the session.")
	}
	s := a.signIn(name)
	if s == nil {
		return nil, errors.New("the session is of a provider that is no longer configured")
	}
	token, err := authcode.UnmarshalToken(a.sessions.GetBytes(ctx, keyToken))
	if err != nil {
		return nil, err
	}
	who := &account{signIn: s, token: token, live: id}
	who.scopes, _ = a.sessions.Get(ctx, keyScopes).([]string)
	if raw := a.sessions.GetBytes(ctx, keyIdentity); raw != nil {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber() // an id of twenty digits stays what it is
		if err := decoder.Decode(&who.identity); err != nil {
			return nil, err
		}
	}
	return who, json.Unmarshal(a.sessions.GetBytes(ctx, keySeen), &who.seen)
}

// source renews the account's token when it has expired. It is made for one request; turns
// keeps two of them from renewing the same token.
func (a *app) source(ctx context.Context, who *account) *authcode.TokenSource {
	return who.signIn.client.TokenSource(who.token,
		func(_ context.Context, renewed *oauth2.Token) error { return a.putToken(ctx, renewed) })
}

// end forgets the session. The notice is the first thing in a new one.
func (a *app) end(ctx context.Context, notice string) error {
	a.live.remove(a.sessions.GetString(ctx, keyLive))
	if err := a.sessions.Destroy(ctx); err != nil {
		return err
	}
	a.sessions.Put(ctx, keyNotice, notice)
	return nil
}
