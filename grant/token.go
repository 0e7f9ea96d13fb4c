package grant

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// Grant is what a provider gave for one person. It is a handle: each call reads
// the Store. It is safe for concurrent use.
type Grant struct {
	grants *Grants
	id     string
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
func (g *Grants) Handle(id string) *Grant { return &Grant{grants: g, id: id, key: keyOf(id)} }

// Option says which access token a caller wants; see [Resource] and [Scopes].
type Option func(*want)

// Resource asks for a token for this API (RFC 8707), an absolute URI. The
// provider must have allowed it at the login.
func Resource(uri string) Option { return func(w *want) { w.Resource = uri } }

// Scopes asks for a token with these scopes alone, of those that were granted
// (RFC 6749 section 6).
func Scopes(scopes ...string) Option {
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	return func(w *want) { w.Scope = strings.Join(slices.Compact(scopes), " ") }
}

// wanted applies opts.
func wanted(opts []Option) (w want) {
	for _, o := range opts {
		if o != nil {
			o(&w)
		}
	}
	return w
}

// ID returns the ID from [Grants.Save].
func (g *Grant) ID() string { return g.id }

// Token returns a valid access token, after a renewal if necessary. Without opts
// it is the token of the login. The token has no refresh token: the grant keeps
// it. A token that expires soon is returned and renewed in the background.
//
// A renewal continues after ctx has ended. Its error is an [*authcode.Error]:
// GrantRejected with Final set says that the grant has ended,
// InteractionRequired that the access token has expired and there is no refresh
// token, and Configuration that the provider issued no access token. The last
// two do not end the grant. Others may pass; see RetryAfter.
func (g *Grant) Token(ctx context.Context, opts ...Option) (*oauth2.Token, error) {
	return g.token(ctx, wanted(opts), "")
}

// Renew returns a token that is newer than refused, which an API has refused
// before its time. If refused is nil, it renews in any case. Callers with the
// same refused token cause one renewal. Its errors are those of Token.
func (g *Grant) Renew(ctx context.Context, refused *oauth2.Token, opts ...Option) (*oauth2.Token, error) {
	w := wanted(opts)
	if refused != nil {
		return g.token(ctx, w, refused.AccessToken)
	}
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	return g.resolve(ctx, o, w, o.accessToken(w))
}

// accessToken returns the access token for w, or "".
func (o *opened) accessToken(w want) string {
	e := o.find(w)
	if e == nil || len(e.Token) == 0 {
		return ""
	}
	t, err := authcode.UnmarshalToken(e.Token)
	if err != nil {
		return ""
	}
	return t.AccessToken
}

// token returns a token for w other than refused.
func (g *Grant) token(ctx context.Context, w want, refused string) (*oauth2.Token, error) {
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	return g.resolve(ctx, o, w, refused)
}

// resolve returns a token for w other than refused: the one in o, or what a
// renewal brings.
func (g *Grant) resolve(ctx context.Context, o *opened, w want, refused string) (*oauth2.Token, error) {
	t, state := o.usable(w, refused)
	switch {
	case state == good:
		return t, nil
	case o.Refresh == "":
		if state == ageing {
			return t, nil
		}
		return nil, o.noRefreshToken()
	case state == ageing:
		// Nobody waits for a renewal ahead of time, and no one needs one that
		// failed lately.
		if o.record.Lease.Wait <= 0 && (o.record.Lease.Owner == "" || o.record.Lease.Left <= 0) {
			g.grants.start(ctx, g.key, o, w, refused)
		}
		return t, nil
	}
	for {
		f, err := g.grants.start(ctx, g.key, o, w, refused)
		if err != nil {
			return nil, err
		}
		// A renewal that began for another reason may bring the refused token.
		if t, err := f.wait(ctx); err != nil || t.AccessToken != refused {
			return t, err
		}
	}
}

// How good a token is.
type tokenState int

const (
	useless tokenState = iota // there is none, it has expired, or it was refused
	ageing                    // it is valid, and it is time to renew it
	good
)

// usable returns the token for w if it can be used now.
func (o *opened) usable(w want, refused string) (*oauth2.Token, tokenState) {
	e := o.find(w)
	if e == nil || len(e.Token) == 0 {
		return nil, useless
	}
	age := o.age()
	left := e.left(age)
	// A request needs some time, and x/oauth2 treats a token as expired ten
	// seconds before its end. A short-lived one would then never be valid.
	margin := min(10*time.Second, e.life()/10)
	if e.Life > 0 && left <= margin {
		return nil, useless
	}
	t, err := e.token(age)
	if err != nil || t.AccessToken == refused {
		return nil, useless
	}
	if e.Life > 0 && left <= margin+o.lead(e.life()) {
		return t, ageing
	}
	return t, good
}

// lead is how long before its end a token is renewed: between a twentieth and
// three twentieths of its life. It differs from grant to grant, so that a
// thousand of one minute are not renewed in one second, and is the same at all
// instances.
func (o *opened) lead(life time.Duration) time.Duration {
	spread := time.Duration(binary.BigEndian.Uint16(o.record.ID[:2])) // 0 to 65,535
	return life/20 + life/10*spread/65536
}

// noRefreshToken is the error where a token has ended and cannot be renewed.
func (o *opened) noRefreshToken() error {
	reason, detail := authcode.InteractionRequired, "the access token has expired and there is no "+
		"refresh token: send the person to sign in again, or request a scope such as "+
		"offline_access at the login"
	if len(o.Login.Token) == 0 {
		reason, detail = authcode.Configuration, "the provider issued no access token, only an ID "+
			"token: request a scope of the API that the app calls"
	}
	e := authcode.NewError(reason, checkNone, detail, nil)
	e.Provider = o.Provider
	return e
}

// read returns the grant as the Store has it, or what Open or the cache has.
func (g *Grant) read(ctx context.Context) (*opened, error) {
	g.mu.Lock()
	o := g.loaded
	g.loaded = nil
	g.mu.Unlock()
	if o != nil && time.Since(o.asked) < time.Second {
		return o, nil
	}
	if o = g.grants.cache.get(g.key); o != nil {
		return o, nil
	}
	return g.grants.load(ctx, g.key)
}

// load reads and opens a record.
func (g *Grants) load(ctx context.Context, key Key) (*opened, error) {
	asked := time.Now()
	r, err := g.cfg.Store.Load(ctx, key, g.touch())
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, errEnded("")
	case err != nil:
		return nil, storeError(ctx, err)
	}
	isOld := g.ring.Reveal().isOld(r.Data)
	o, err := g.open(r, asked)
	if err != nil {
		return nil, err
	}
	if isOld {
		o = g.reseal(ctx, o)
	}
	g.cache.put(o)
	return o, nil
}

// reseal seals a record with the newest key. If this fails, a later call tries
// again.
func (g *Grants) reseal(ctx context.Context, o *opened) *opened {
	c, asked := o.clone(), time.Now()
	c.passed(o.age())
	data, err := g.sealed(o.record.Key, o.record.Version+1, c)
	// Who renews it seals it anyway, and would be disturbed.
	if err != nil || o.record.Lease.Tries > 0 {
		return o
	}
	r, err := g.cfg.Store.Swap(ctx, o.record.Key, Swap{Version: o.record.Version, Content: &data})
	if err != nil {
		return o
	}
	r.Data = nil
	return &opened{c, r, asked}
}

// Info is what a grant says about its login.
type Info struct {
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
	return Info{o.Provider, o.Identity, slices.Clone(o.Scopes), o.idToken()}, nil
}

// OAuth2 returns g as a source of x/oauth2, whose calls of Token use ctx.
func (g *Grant) OAuth2(ctx context.Context, opts ...Option) oauth2.TokenSource {
	return source(func() (*oauth2.Token, error) { return g.Token(ctx, opts...) })
}

type source func() (*oauth2.Token, error)

func (s source) Token() (*oauth2.Token, error) { return s() }

// APIClient returns an HTTP client that adds the grant's token to requests to
// origins, and to no others; see [authcode.Client.APIClient]. If an API refuses
// the token, the client renews it.
func (g *Grant) APIClient(ctx context.Context, origins ...string) (*http.Client, error) {
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	client, err := g.grants.cfg.Clients(ctx, o.Origin)
	if err != nil {
		return nil, err
	}
	return client.APIClient(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return g.Token(ctx)
		}
		t, err := g.Renew(ctx, refused)
		// The API's refusal says more than ours.
		if errors.Is(err, authcode.InteractionRequired) {
			return nil, nil
		}
		return t, err
	}, origins...)
}
