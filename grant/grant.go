package grant

import (
	"context"
	"slices"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

// Grant is what a provider gave for one person. It is a handle: each call reads
// the Store. It is safe for concurrent use. It prints and marshals as REDACTED.
type Grant struct {
	secret.Redacted
	grants *Grants
	id     secret.Value[string]
	key    Key

	mu     sync.Mutex
	loaded *opened // by Open, for the next call
}

// Open returns the grant with an ID from [Grants.Save]. The next call of the
// Grant uses what Open has read, so both together are one operation of the
// Store. Its error is an [*authcode.Error]: with Final set, the grant has ended,
// and the person has to sign in again.
func (g *Grants) Open(ctx context.Context, id string) (*Grant, error) {
	grant := g.Handle(id)
	o, err := grant.read(ctx)
	if err != nil {
		return nil, err
	}
	grant.loaded = o
	return grant, nil
}

// Handle is Open without a look at the Store: calls of the Grant say whether
// there is one.
func (g *Grants) Handle(id string) *Grant {
	return &Grant{grants: g, id: secret.Hide(id), key: keyOf(id)}
}

// ID returns the ID from [Grants.Save].
func (g *Grant) ID() string { return g.id.Reveal() }

// read returns the grant that Open or the cache has, or else reads the Store.
func (g *Grant) read(ctx context.Context) (*opened, error) {
	g.mu.Lock()
	o := g.loaded
	g.loaded = nil
	g.mu.Unlock()
	if o != nil && time.Since(o.asked) < time.Second {
		return o, nil
	}
	if o = g.grants.cache.Get(g.key); o != nil {
		return o, nil
	}
	return g.grants.load(ctx, g.key)
}

// Info is what a grant says about its login. It prints and marshals as REDACTED.
type Info struct {
	secret.Redacted
	Provider string             // Provider.Name of the Client
	Identity *authcode.Identity // who signed in, as of the newest answer that says it; nil if unknown
	Scopes   []string           // what was granted at the login
	IDToken  string             // the newest one, for oidc.Logout; empty if there is none
}

// Info returns what the grant says about its login. Its error is one of Open's.
func (g *Grant) Info(ctx context.Context) (Info, error) {
	o, err := g.read(ctx)
	if err != nil {
		return Info{}, err
	}
	return Info{
		Provider: o.Provider, Identity: copyIdentity(o.Identity),
		Scopes: slices.Clone(o.Scopes), IDToken: o.idToken(),
	}, nil
}
