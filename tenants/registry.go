package tenants

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/lru"
	"example.com/authcode/internal/realm"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

// ErrNotFound is what Config.Load returns for a tenant that does not exist or
// was removed. Nobody signs in with it any more, the sessions of its people end
// with their next request, and grants without a session when they are renewed.
var ErrNotFound = errors.New("tenants: there is no such tenant")

// maxKey bounds the key of a tenant, in bytes. It travels in the login cookie.
const maxKey = 255

// Registry signs people in with the providers of any number of tenants. It is
// safe for concurrent use. It prints and marshals as REDACTED.
//
// RFC 9700 section 4.4.2: where several providers share a redirect URL, a
// hostile one could get the codes of the others. So a tenant without a path of
// its own is refused unless its provider promises iss (RFC 9207), and each of
// its answers must have it.
type Registry struct {
	secret.Redacted
	cfg     Config // without CookieKeys
	keys    secret.Value[[][]byte]
	realm   *realm.Realm
	front   *authcode.Client // nobody's: it opens all cookies, and refuses for all
	base    *http.Transport  // guarded
	guarded lru.Map[*http.Transport, *http.Transport]

	mu      sync.Mutex
	entries lru.Map[slot, *entry]
	flights map[slot]*flight
}

// slot names a Client: a tenant has one for each host.
type slot struct{ key, host string }

// New checks cfg and returns a Registry. It loads no tenant and does no other
// I/O. Its error is an [*authcode.Error] whose Faults list every fault and its
// cure.
func New(cfg Config) (*Registry, error) {
	cfg.setDefaults()
	faults := cfg.faults()
	g := &Registry{cfg: cfg, keys: secret.Hide(cfg.CookieKeys), flights: make(map[slot]*flight)}
	g.cfg.CookieKeys = nil
	g.entries.Max, g.guarded.Max = cfg.MaxTenants, maxTransports
	g.realm = &realm.Realm{Name: cfg.Name, Documents: &lru.Map[any, any]{Max: cfg.MaxTenants}}
	var err error
	if g.base, err = PublicOnly(cfg.Transport, cfg.Guard); err != nil {
		faults = append(faults, faultsOf(err)...)
		g.base = nil // no Transport is one without faults
	} else if cfg.Transport == nil {
		g.base.MaxIdleConnsPerHost = 4 // there are many hosts
	}
	if g.front, err = authcode.New(g.frontConfig(faults)); err != nil {
		faults = append(faults, faultsOf(err)...)
	}
	if len(faults) > 0 {
		return nil, &authcode.Error{
			Reason: authcode.Configuration, Check: "tenants.config", Faults: unique(faults),
		}
	}
	return g, nil
}

// faultsOf returns the faults that err lists.
func faultsOf(err error) []string {
	var e *authcode.Error
	if errors.As(err, &e) && len(e.Faults) > 0 {
		return e.Faults
	}
	return []string{err.Error()}
}

// unique returns faults without those that it has already.
func unique(faults []string) (list []string) {
	for _, f := range faults {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// maxTransports bounds how many Transports of tenants' own are known.
const maxTransports = 1000

// frontConfig is the Config of a Client that belongs to no tenant. Its provider
// does not exist, and is never asked. faults were found already.
func (g *Registry) frontConfig(faults []string) authcode.Config {
	cfg := authcode.Config{
		Provider: authcode.Provider{
			Name: g.cfg.Name,
			Endpoints: authcode.Endpoints{
				AuthURL: "https://tenants.invalid/authorize", TokenURL: "https://tenants.invalid/token",
			},
		},
		ClientID: "none", ClientAuth: authcode.Public(),
	}
	cfg.RedirectURL = expand(g.RedirectURL(), "host.invalid", "tenant")
	if len(faults) > 0 {
		// Nobody uses this Client. What the faults say of these two is enough.
		cfg.RedirectURL, cfg.Provider.Name = "https://host.invalid/", "tenants"
	}
	// Of https, answers may come by POST: see findTenants in package authcode.
	cfg.Provider.FormPost = !isHTTP(cfg.RedirectURL)
	g.complete(&cfg, realm.Login{}) // never fails without a Transport of its own
	return cfg
}

// complete sets what all Clients of the registry have in common.
func (g *Registry) complete(cfg *authcode.Config, login realm.Login) error {
	cfg.CookieKeys, cfg.UsedStates, cfg.OnError = g.keys.Reveal(), g.cfg.UsedStates, g.cfg.OnError
	cfg.ReturnToParam = g.cfg.ReturnToParam
	if cfg.LoginURL == "" {
		cfg.LoginURL = urls.OfTenant(g.cfg.LoginURL, login.Tenant) // empty: HomeURL
	}
	if cfg.HomeURL == "" {
		cfg.HomeURL = g.cfg.HomeURL
	}
	cfg.Realm = &realm.Member{Realm: g.realm, Login: login}
	var err error
	cfg.Transport, err = g.transportOf(cfg.Transport)
	return err
}

// transportOf returns a guarded Transport. Tenants with the same one share
// connections and what was loaded through them.
func (g *Registry) transportOf(own *http.Transport) (*http.Transport, error) {
	if own == nil || own == g.cfg.Transport {
		return g.base, nil
	}
	if known, ok := g.guarded.Get(own); ok {
		return known, nil
	}
	guarded, err := PublicOnly(own, g.cfg.Guard)
	if err != nil {
		return nil, err
	}
	return g.guarded.GetOrPut(own, func() *http.Transport { return guarded }), nil
}

// RedirectURL returns Config.RedirectURL, or OwnRedirectURL if that is empty. It
// is empty if g is nil.
func (g *Registry) RedirectURL() string {
	if g == nil {
		return ""
	}
	if g.cfg.RedirectURL != "" {
		return g.cfg.RedirectURL
	}
	return g.cfg.OwnRedirectURL
}

// OwnRedirectURL returns the redirect URL of a tenant with a path of its own, as
// it has to be registered at the provider: Config.OwnRedirectURL with the key in
// the place of {tenant}. A key that is not made of a-z, 0-9 and "-" alone, or
// that is longer than 63 bytes, is replaced by a hash. If there is a {host}, it
// stays.
func (g *Registry) OwnRedirectURL(key string) string {
	return strings.ReplaceAll(g.cfg.OwnRedirectURL, tenantPart, segmentOf(key))
}

// Refuse answers r like the handlers do: see [authcode.Client.Refuse].
func (g *Registry) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	g.front.Refuse(w, r, err)
}

// Client returns the Client of a tenant, for the host that r was sent to. It is
// for frameworks with other handlers, and for handlers of package oidc. Its
// error is an [*authcode.Error].
func (g *Registry) Client(r *http.Request, key string) (*authcode.Client, error) {
	s, err := g.slotFor(r, key)
	if err != nil {
		return nil, err
	}
	t, err := g.newest(r.Context(), time.Now().Add(loadTime), s)
	if err != nil {
		return nil, err
	}
	return t.client, nil
}

// ClientFor returns the Client of the tenant that a grant comes from, and nil if
// the grant comes from elsewhere. If the tenant was removed, or has another
// issuer, client ID or token endpoint by now, the error is GrantRejected with
// Final set, and packages grant and session end the grant. Set it as Clients of
// their Config in a worker.
func (g *Registry) ClientFor(ctx context.Context, o authcode.Origin) (*authcode.Client, error) {
	if o.Tenant == "" {
		return nil, nil
	}
	s, err := g.slotOf(ctx, o.Tenant)
	if err != nil {
		return nil, err
	}
	var t *tenant
	if realm.IsAtHand(ctx) {
		t, err = g.atHand(ctx, s)
	} else {
		t, err = g.newest(ctx, time.Now().Add(loadTime), s)
	}
	switch {
	case isUnknown(err):
		return nil, final(o.Tenant, authcode.NewError(authcode.GrantRejected, "tenants.removed",
			"the tenant was removed, so the grant has ended: nothing to do", nil))
	case err != nil:
		return nil, err
	case realm.IsAtHand(ctx):
		return t.client, nil
	}
	client, err := t.client.ClientFor(ctx, o)
	if err == nil && client == nil {
		// A refresh token must not go where a customer's change points.
		return nil, final(o.Tenant, authcode.NewError(authcode.GrantRejected, "tenants.changed",
			"the tenant has another issuer, client ID or token endpoint than at the login, so the grant "+
				"has ended: the person has to sign in again", nil))
	}
	return client, err
}

// slotOf returns the slot of a tenant, for the host of the request that ctx belongs
// to, if there is one.
func (g *Registry) slotOf(ctx context.Context, key string) (slot, error) {
	if r := realm.RequestOf(ctx); r != nil {
		return g.slotFor(r, key)
	}
	return slot{key: key}, checkKey(key)
}

// final is the error of a grant that has ended. Its tenant was known at the login.
func final(tenant string, e *authcode.Error) error {
	e.Final, e.Tenant = true, tenant
	return e
}

// Forget makes the registry load a tenant again at its next use: call it in each
// instance when a tenant was changed or removed. Logins that are under way end
// with the Config that they began with, unless the tenant is gone.
func (g *Registry) Forget(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.entries.Each(func(s slot, e *entry) {
		if s.key == key {
			e.due = time.Time{}
		}
	})
	// What is being loaded now may have been read before the change.
	for s := range g.flights {
		if s.key == key {
			g.flights[s].outdated = true
			delete(g.flights, s)
		}
	}
}
