package tenants

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/realm"
)

// build makes the Client of a tenant.
func (g *Registry) build(s slot, login realm.Login, cfg authcode.Config) (*tenant, error) {
	t := &tenant{version: login.Version}
	// A grant's Client signs nobody in, and so has no host.
	host := s.host
	if host == "" {
		host = "host.invalid"
	}
	switch {
	case cfg.RedirectURL == "" && g.cfg.RedirectURL != "":
		cfg.RedirectURL = expand(g.cfg.RedirectURL, host, "")
		if err := demandIss(&cfg); err != nil {
			return nil, err
		}
	case cfg.RedirectURL == g.cfg.OwnRedirectURL && cfg.RedirectURL != "",
		cfg.RedirectURL == "":
		cfg.RedirectURL = expand(g.cfg.OwnRedirectURL, host, segmentOf(s.key))
		t.tail = tailOf(g.cfg.OwnRedirectURL, s.key)
	default:
		return nil, authcode.NewError(authcode.Configuration, "tenants.redirect",
			"Config.Load returned a RedirectURL of its own: leave it empty, or set it to "+
				"OwnRedirectURL of the registry's Config", nil)
	}
	err := g.complete(&cfg, login)
	if err == nil {
		t.client, err = authcode.New(cfg)
	}
	return t, err
}

// demandIss makes a Client of a shared redirect URL demand iss in each answer.
func demandIss(cfg *authcode.Config) error {
	// The iss of a signed response is in the JWT, and so is the state: nothing
	// outside says whose keys verify it.
	if cfg.MessageSigning.SignedResponses {
		return authcode.NewError(authcode.Configuration, "tenants.signed", "a tenant with signed "+
			"responses shares its redirect URL: let Config.Load set RedirectURL to OwnRedirectURL", nil)
	}
	lookUp, promised := cfg.Provider.Metadata, cfg.Provider.RequireIss
	switch {
	case promised:
		return nil
	case lookUp == nil:
		return noIss()
	}
	// What the document says today, it need not say tomorrow. So this is asked
	// each time, and an answer without iss is refused in any case.
	cfg.Provider.Metadata = func(
		ctx context.Context, conn *authcode.Connection,
	) (authcode.Endpoints, error) {
		found, err := lookUp(ctx, conn)
		if err == nil && !found.RequireIss {
			return authcode.Endpoints{}, noIss()
		}
		return found, err
	}
	return nil
}

func noIss() error {
	return authcode.NewError(authcode.Configuration, "tenants.iss", "the tenant's provider does not "+
		"promise iss (RFC 9207), which tells the answers at a shared redirect URL apart: let "+
		"Config.Load set RedirectURL to OwnRedirectURL and register that at the provider, or set "+
		"Provider.RequireIss if it sends iss all the same", nil)
}

var base32lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").
	WithPadding(base32.NoPadding)

// segmentOf returns the segment of a path that stands for a key.
func segmentOf(key string) string {
	// No two of them differ by case alone: some providers ignore that.
	if key != "" && len(key) <= 63 && strings.Trim(key, nameChars) == "" {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "~" + base32lower.EncodeToString(sum[:16])
}

// tailOf returns the path of a tenant's own redirect URL from the tenant on. What
// stands before it, a proxy may have changed.
func tailOf(own, key string) string {
	at := strings.Index(own, "/"+tenantPart)
	return expand(own[at:], "", segmentOf(key))
}

// slotFor returns the slot of a tenant for the host that r was sent to.
func (g *Registry) slotFor(r *http.Request, key string) (slot, error) {
	if err := checkKey(key); err != nil {
		return slot{}, err
	}
	if !strings.Contains(g.cfg.RedirectURL, hostPart) &&
		!strings.Contains(g.cfg.OwnRedirectURL, hostPart) {
		return slot{key: key}, nil
	}
	if g.cfg.Host != nil {
		host, err := g.cfg.Host(r)
		if err != nil {
			return slot{}, hostError(err)
		}
		// It becomes a part of a URL.
		u, err := url.Parse("https://" + host)
		if err != nil || u.Host != host || u.Hostname() == "" {
			return slot{}, authcode.NewError(authcode.Configuration, "tenants.host",
				"Config.Host returned what is not a host name: return one such as shop.example", nil)
		}
		return slot{key, strings.ToLower(host)}, nil
	}
	// Anybody can send any Host. Only one that the app has listed may get into a
	// redirect URL.
	isHere := func(own string) bool { return strings.EqualFold(own, r.Host) }
	at := slices.IndexFunc(g.cfg.Hosts, isHere)
	if at < 0 {
		return slot{}, authcode.NewError(authcode.Forged, "tenants.host",
			"the request was sent to a host that is not in Config.Hosts: add it, if it is the app's", nil)
	}
	// As the app has written it: EqualFold knows letters that are not ASCII.
	return slot{key, strings.ToLower(g.cfg.Hosts[at])}, nil
}

func hostError(err error) error {
	return asError(err, "tenants.host", "Config.Host failed: check why")
}

// checkKey refuses a key that cannot be one.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey {
		return authcode.NewError(authcode.NotFound, checkUnknown,
			"the key of a tenant has 1 to 255 bytes: look at where the login began", nil)
	}
	return nil
}
