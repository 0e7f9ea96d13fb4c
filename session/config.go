package session

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/recent"
	"example.com/authcode/internal/seal"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

// Config says how New keeps sessions. It prints and marshals as REDACTED.
//
// It has no field for the cookie's attributes. The cookie is HttpOnly, for all
// paths, of this host alone, and Lax: browsers do not send a Strict one after
// the way through the provider, so a guard would send the person to sign in
// again and again.
type Config struct {
	secret.Redacted

	// Store keeps the sessions and grants of all instances. If nil,
	// [grant.NewMemory], which ends with the process. With a database that has
	// replicas, operations must go to the primary: a replica that lags behind
	// would still know a session that has ended. An operation on a session that
	// takes longer than 5 seconds has failed.
	Store grant.Store

	// Keys are secrets of 32 or more random bytes, the same in all instances.
	// The first key seals, every key opens. To rotate, deploy {old, new}, then
	// {new, old}. Drop old after Lifetime: people whose session no key opens
	// have to sign in again. CookieKeys of a [authcode.Config] may be used
	// here, too.
	Keys [][]byte

	// LoginURL is where Require sends people who are not signed in: a local path
	// or an absolute http(s) URL. With Tenant, a local path may have {tenant},
	// which becomes the request's, as in /t/{tenant}/login. Where a request has
	// none, HomeURL takes its place.
	LoginURL string

	// ReturnToParam names LoginURL's query parameter with the path to return to.
	// If empty, "next".
	ReturnToParam string

	// HomeURL is where a person continues after signing out, unless the provider
	// has a logout. If empty, "/".
	HomeURL string

	// LogoutReturnURL is sent to the provider's logout as
	// post_logout_redirect_uri, as it is registered there. If empty, the browser
	// stays at the provider.
	LogoutReturnURL string

	// Lifetime ends a session, however much it is used. If zero, it is 30 days,
	// the most that NIST SP 800-63B-4 section 2.1.3 recommends at AAL1.
	Lifetime time.Duration

	// IdleTimeout ends a session that nobody uses. If zero, it is 7 days. For AAL2
	// set an hour, and 24 hours for Lifetime; for AAL3 15 minutes, and 12 hours
	// (NIST SP 800-63B-4 sections 2.2.3 and 2.3.3).
	IdleTimeout time.Duration

	// Persistent keeps the cookie when the browser is closed, until Lifetime
	// ends. If false, it ends with the browser's session.
	Persistent bool

	// MaxSessions is how many sessions a person may have, up to 100, with each
	// tenant. A further sign-in ends the oldest one, or is refused with
	// [authcode.NotAdmitted] if RefuseMore is set. If zero, there is no limit.
	MaxSessions int
	RefuseMore  bool

	// RevokeAtSignOut also revokes the tokens of a person who signs out at the
	// provider, which makes SignOut wait for it. If false, the grant is deleted.
	RevokeAtSignOut bool

	// CacheFor keeps opened sessions in the memory of this process for that long,
	// so that most requests need no operation of the Store, unless they ask for a
	// token. What other instances do, such as a sign-out, takes effect here
	// when that time is over. It keeps at most 10,000 sessions, and 32 MiB as
	// stored. If CacheFor is zero, it keeps none.
	CacheFor time.Duration

	// SignedIn is called with each finished login, before there is a session. It
	// returns what [Session.Account] says, such as the app's number for this
	// person, or an error that refuses the person: see [authcode.Client.Refuse].
	// If nil, everybody is accepted.
	SignedIn func(*http.Request, *authcode.Login) (account string, err error)

	// Label names a browser for [Sessions.Sessions], in up to 80 characters. If
	// nil, a short form of its User-Agent, such as "Firefox on Linux".
	Label func(*http.Request) string

	// Clients returns the Client of a grant in a process whose SignIn was not
	// called with it, such as a worker: see [grant.Config]. For a session of
	// package tenants, it is called with each request. If nil, only the Clients of
	// SignIn are known.
	Clients func(context.Context, grant.Origin) (*authcode.Client, error)

	// Tenant returns the key of the tenant (package tenants) that a request is for,
	// often by its host or path. Other tenants' sessions are not found then, by
	// Require, Optional and Load. An error refuses the request. If nil, every
	// session is found, and the app looks at [Session.Tenant].
	Tenant func(*http.Request) (key string, err error)

	// Observe is told what happens to sessions. It must return quickly. If nil,
	// nobody is told.
	Observe func(context.Context, Event)

	// Renewals is told about each renewal of a token: see [grant.Config]. If nil,
	// nobody is told.
	Renewals func(context.Context, grant.Event)

	// OnError answers a request that failed, such as one during an outage of the
	// Store. If nil, [authcode.ErrorPage] answers, and slog's default logger gets
	// a line.
	OnError func(http.ResponseWriter, *http.Request, *authcode.Error)
}

// Sessions keeps the sessions of an app's people, for all instances that share a
// [grant.Store]. It is safe for concurrent use. It prints and marshals as
// REDACTED.
type Sessions struct {
	secret.Redacted
	cfg     Config // without Keys
	ring    secret.Value[seal.Ring]
	grants  *grant.Grants
	cache   *recent.Cache[grant.Key, *opened]
	touch   time.Duration
	origins *http.CrossOriginProtection

	// plain says that a Client has a RedirectURL on http: see takesPlain.
	plain atomic.Bool

	mu      sync.Mutex
	signers []Signer // those of SignIn
}

// New checks cfg and returns Sessions. It does no I/O. Its error is an
// [*authcode.Error] whose Faults list every fault and its cure.
func New(cfg Config) (*Sessions, error) {
	ring, faults := seal.NewRing(cfg.Keys)
	if faults = append(faults, cfg.faults()...); len(faults) > 0 {
		return nil, &authcode.Error{
			Reason: authcode.Configuration, Check: "session.config", Faults: faults,
		}
	}
	keys := cfg.Keys
	cfg.Keys = nil // the ring has what they are for
	cfg.ReturnToParam, cfg.HomeURL = cmp.Or(cfg.ReturnToParam, "next"), cmp.Or(cfg.HomeURL, "/")
	cfg.Lifetime = cmp.Or(cfg.Lifetime, 30*24*time.Hour)
	cfg.IdleTimeout = min(cmp.Or(cfg.IdleTimeout, 7*24*time.Hour), cfg.Lifetime)
	records := cfg.Store
	if records == nil {
		records = grant.NewMemory(0) // never hangs
		cfg.Store = records
	} else {
		cfg.Store = bounded{records}
	}
	s := &Sessions{cfg: cfg, ring: secret.Hide(ring), origins: http.NewCrossOriginProtection()}
	s.touch = min(time.Minute, cfg.IdleTimeout/10)
	s.cache = recent.New[grant.Key, *opened](min(cfg.CacheFor, s.touch))
	var err error
	// A grant must not end before its session.
	s.grants, err = grant.New(grant.Config{
		Store: records, Keys: keys, Clients: s.clientOf, Observe: cfg.Renewals,
		Renewed: s.renewed, Ended: s.grantEnded, KeepFor: max(cfg.Lifetime, 90*24*time.Hour),
	})
	return s, err
}

// faults lists what is wrong with cfg, but for its Keys.
func (cfg *Config) faults() (faults []string) {
	if cfg.LoginURL == "" {
		faults = append(faults,
			"Config.LoginURL is empty: set it to where people sign in, such as /login")
	}
	faults = append(faults, cfg.loginFaults()...)
	faults = append(faults, urls.CheckLink("Config.HomeURL", cfg.HomeURL)...)
	if cfg.LogoutReturnURL != "" {
		faults = append(faults, urls.CheckPage("Config.LogoutReturnURL", cfg.LogoutReturnURL)...)
	}
	for _, field := range []struct {
		name string
		time time.Duration
	}{{"Lifetime", cfg.Lifetime}, {"IdleTimeout", cfg.IdleTimeout}} {
		const year = 366 * 24 * time.Hour
		if field.time != 0 && (field.time < time.Minute || field.time > year) {
			faults = append(faults,
				"Config."+field.name+" must be zero, or between one minute and one year")
		}
	}
	if cfg.MaxSessions < 0 || cfg.MaxSessions > 100 {
		faults = append(faults, "Config.MaxSessions must be between 0, for no limit, and 100")
	}
	if cfg.RefuseMore && cfg.MaxSessions == 0 {
		faults = append(faults,
			"Config.RefuseMore needs Config.MaxSessions: set the limit, or leave both out")
	}
	if cfg.CacheFor < 0 || cfg.CacheFor > time.Minute {
		faults = append(faults, "Config.CacheFor must be zero or a time of up to one minute: "+
			"a sign-out at another instance has no effect here for that long")
	}
	return faults
}

// Grants returns the grants of the sessions, for workers.
func (s *Sessions) Grants() *grant.Grants { return s.grants }

// Run is [grant.Grants.Run]: it takes up interrupted renewals and deletes what
// has expired. Run it in every instance.
func (s *Sessions) Run(ctx context.Context) { s.grants.Run(ctx) }

// Close is [grant.Grants.Close]. Call it when the server has shut down.
func (s *Sessions) Close(ctx context.Context) error { return s.grants.Close(ctx) }

// clientOf returns the Client of a grant.
func (s *Sessions) clientOf(ctx context.Context, o grant.Origin) (*authcode.Client, error) {
	s.mu.Lock()
	known := s.signers
	s.mu.Unlock()
	var failed error
	for _, by := range known {
		client, err := by.ClientFor(ctx, o)
		if client != nil {
			return client, nil
		}
		// One that is out of reach may be the one, so nothing has ended.
		if err != nil && (failed == nil || grant.HasEnded(failed)) {
			failed = err
		}
	}
	switch {
	case s.cfg.Clients != nil:
		return s.cfg.Clients(ctx, o)
	case failed != nil:
		return nil, failed
	}
	return grant.Clients()(ctx, o) // which says that there is none
}

// know remembers who signs people in.
func (s *Sessions) know(by Signer) {
	s.knowScheme(by.RedirectURL())
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.signers {
		// Comparing two that cannot be compared would panic.
		if reflect.ValueOf(other).Comparable() && other == by {
			return
		}
	}
	// Others may be reading the old list.
	s.signers = append(s.signers[:len(s.signers):len(s.signers)], by)
}

// knowScheme remembers that the cookies of a login to this URL have no prefix.
func (s *Sessions) knowScheme(redirectURL string) {
	if strings.HasPrefix(redirectURL, "http:") {
		s.plain.Store(true)
	}
}

// onlyClient returns the Client of SignIn if there is exactly one.
func (s *Sessions) onlyClient(ctx context.Context) *authcode.Client {
	s.mu.Lock()
	known := s.signers
	s.mu.Unlock()
	if len(known) != 1 {
		return nil
	}
	client, _ := known[0].ClientFor(ctx, grant.Origin{}) // it looks nothing up
	return client
}
