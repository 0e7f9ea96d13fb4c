package grant

import (
	"cmp"
	"context"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/recent"
	"example.com/authcode/internal/seal"
	"example.com/authcode/internal/secret"
)

// Config says how New keeps grants. It prints and marshals as REDACTED.
type Config struct {
	secret.Redacted

	// Store keeps the grants of all instances. If nil, [NewMemory], which ends
	// with the process.
	Store Store

	// Keys are secrets of 32 or more random bytes, the same in all instances.
	// The first key seals, every key opens. To rotate, deploy {old, new}, then
	// {new, old}. Drop old when every grant was used since then: a grant that
	// no key opens has ended. Keys of a [authcode.Config] may be used here, too.
	Keys [][]byte

	// Clients returns the Client that renews the tokens of a grant: the one of
	// Origin, which was stored when the grant was saved. Many goroutines call
	// it. An error makes callers wait for the next try. It ends the grant only if
	// it is GrantRejected with Final set. See [Clients].
	Clients func(context.Context, Origin) (*authcode.Client, error)

	// KeepFor ends a grant that nobody has used for that long. If zero, it is
	// 90 days.
	KeepFor time.Duration

	// CacheFor keeps opened grants in the memory of this process for that long,
	// so that a valid token needs no operation of the Store. What other
	// instances do, such as a sign-out, takes effect here when that time is
	// over. It keeps at most 10,000 grants, and 32 MiB as stored. If CacheFor is
	// zero, it keeps none.
	CacheFor time.Duration

	// Observe is told about each renewal, so that an operator can count them.
	// It must return quickly. If nil, nobody is told.
	Observe func(context.Context, Event)

	// Renewed gets what the answer to a renewal says about the person, if it
	// says anything (OpenID Connect Core section 12.2). The grant has it
	// already; the app may update its account. If nil, nobody is told.
	Renewed func(ctx context.Context, id string, identity *authcode.Identity)

	// Ended is told that a grant has ended: Delete or Revoke was called, or the
	// provider has refused its refresh token. The app may end what belongs to it.
	// The instance at which it ended calls it, after the record is gone, maybe
	// more than once. A grant that nobody uses for KeepFor ends in silence. If
	// nil, nobody is told.
	Ended func(ctx context.Context, id string)
}

// Origin says where a grant comes from.
type Origin = authcode.Origin

// Grants keeps grants for all instances of an app that share a [Store]. It is
// safe for concurrent use. It prints and marshals as REDACTED.
type Grants struct {
	secret.Redacted
	cfg   Config
	ring  secret.Value[seal.Ring]
	cache *recent.Cache[Key, *opened]

	mu      sync.Mutex
	flights map[flightKey]*flight
	closed  bool
	active  sync.WaitGroup // flights
}

// New checks cfg and returns Grants. It does no I/O. Its error is an
// [*authcode.Error] whose Faults list every fault and its cure.
func New(cfg Config) (*Grants, error) {
	ring, faults := seal.NewRing(cfg.Keys)
	if cfg.Clients == nil {
		faults = append(faults, "Config.Clients is nil: set it to grant.Clients with the app's Clients")
	}
	if cfg.KeepFor < 0 || cfg.KeepFor > 10*365*24*time.Hour {
		faults = append(faults, "Config.KeepFor must be zero or a time of up to ten years")
	}
	if cfg.CacheFor < 0 || cfg.CacheFor > time.Minute {
		faults = append(faults, "Config.CacheFor must be zero or a time of up to one minute: "+
			"a sign-out at another instance has no effect here for that long")
	}
	if len(faults) > 0 {
		return nil, &authcode.Error{Reason: authcode.Configuration, Check: "grant.config", Faults: faults}
	}
	cfg.KeepFor = cmp.Or(cfg.KeepFor, 90*24*time.Hour)
	cfg.Keys = nil // the ring has what they are for
	if cfg.Store == nil {
		cfg.Store = NewMemory(0)
	}
	if cfg.Observe == nil {
		cfg.Observe = func(context.Context, Event) {}
	}
	if cfg.Ended == nil {
		cfg.Ended = func(context.Context, string) {}
	}
	return &Grants{
		cfg: cfg, ring: secret.Hide(ring), cache: recent.New[Key, *opened](cfg.CacheFor),
		flights: make(map[flightKey]*flight),
	}, nil
}

// touch is how seldom the use of a grant is written down.
func (g *Grants) touch() time.Duration { return min(g.cfg.KeepFor/10, 24*time.Hour) }

// Close waits for renewals under way, until ctx ends: a renewed token that the
// Store has not taken yet would be lost. Afterwards nothing is renewed.
// Call it when the server has shut down.
func (g *Grants) Close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	done := make(chan struct{})
	go func() {
		g.active.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return authcode.NewError(authcode.Timeout, "grant.close",
			"a renewed token is not stored yet: the store has failed for a while", ctx.Err())
	}
}
