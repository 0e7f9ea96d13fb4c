package tenants

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

// Config says how New makes a Registry. It prints and marshals as REDACTED.
type Config struct {
	secret.Redacted

	// Load returns the Config of a tenant's Client and a text that changes
	// whenever the Config does. It returns [ErrNotFound] if there is no such
	// tenant, and any other error if it cannot tell. Many goroutines call it, for
	// ten seconds at most.
	// It must compare the key byte for byte: a column that ignores case would make
	// two tenants of one.
	//
	// The Config has the tenant's Provider, ClientID, ClientAuth and what else the
	// tenant's logins need. Its LoginURL and HomeURL may be empty: then they are
	// those below. Its RedirectURL is empty, or OwnRedirectURL of this Config as
	// it stands there, for a path of its own. CookieKeys, ReturnToParam,
	// UsedStates and OnError are those below.
	Load func(ctx context.Context, key string) (cfg authcode.Config, version string, err error)

	// Name begins the names of the registry's login cookies: 1 to 24 characters
	// a-z, 0-9 or "-". If empty, "tenants". Two registries of one host need two.
	Name string

	// CookieKeys are secrets of 32 or more random bytes, the same in all
	// instances, and not those of a Client: see [authcode.Config].
	CookieKeys [][]byte

	// RedirectURL is where the answers for all tenants arrive that have no path of
	// their own. Only tenants may share it whose provider names itself in its
	// answers (iss, RFC 9207): see [Registry]. OwnRedirectURL is the one of tenants
	// that Load gives it to, and has {tenant} as one segment of its path. One of
	// the two may be empty.
	//
	// Both are https, or http on loopback. Their host may be {host}: see Hosts.
	RedirectURL, OwnRedirectURL string

	// Hosts are the app's own host names, with a port if it is not 443, for
	// {host} in a RedirectURL. A login on another host is refused.
	Hosts []string

	// Host returns the host for {host}, in place of Hosts: for sites whose hosts
	// are in a table. It must not believe a header that a browser can write. An
	// error refuses the request.
	Host func(*http.Request) (string, error)

	// LoginURL, HomeURL and ReturnToParam are as in [authcode.Config]. A LoginURL
	// that is a local path may have {tenant}, which becomes the tenant's key, as in
	// /t/{tenant}/login.
	LoginURL, HomeURL, ReturnToParam string

	// ByIssuer returns the keys of the tenants with this issuer identifier, for
	// [Registry.InitiateLoginHandler]. If nil, no portal can start a login.
	ByIssuer func(ctx context.Context, issuer string) (keys []string, err error)

	// Transport carries the requests of all tenants whose Config has no Transport.
	// Such a Config should have the same one each time. If nil, the registry makes
	// one.
	Transport *http.Transport

	// Guard says where requests to providers may go: see [PublicOnly]. If zero,
	// to public addresses at port 443.
	Guard Guard

	UsedStates authcode.UsedStates // as in [authcode.Config], for all tenants together

	// OnError answers failed logins: see [authcode.Config].
	OnError func(http.ResponseWriter, *http.Request, *authcode.Error)

	// MaxTenants is how many tenants are kept in memory, the ones that were used
	// last. If zero, 10,000.
	MaxTenants int

	// RenewAfter is the age at which a tenant is loaded again, when it is used. If
	// that fails, the former Config remains. If zero, a minute.
	RenewAfter time.Duration
}

const (
	tenantPart = urls.TenantPart
	hostPart   = "{host}"

	nameChars = "abcdefghijklmnopqrstuvwxyz0123456789-"
)

// setDefaults fills in the defaults, and copies what the app still holds.
func (cfg *Config) setDefaults() {
	cfg.Name = cmp.Or(cfg.Name, "tenants")
	cfg.MaxTenants = cmp.Or(cfg.MaxTenants, 10_000)
	cfg.RenewAfter = cmp.Or(cfg.RenewAfter, time.Minute)
	cfg.Hosts = slices.Clone(cfg.Hosts)
	keys := make([][]byte, len(cfg.CookieKeys))
	for i, key := range cfg.CookieKeys {
		keys[i] = bytes.Clone(key)
	}
	cfg.CookieKeys = keys
}

// faults lists what is wrong with cfg, but for what authcode.New says.
func (cfg *Config) faults() (f []string) {
	if cfg.Load == nil {
		f = append(f, "Config.Load is nil: set it to the function that reads a tenant's configuration")
	}
	if cfg.RedirectURL == "" && cfg.OwnRedirectURL == "" {
		f = append(f, "Config.RedirectURL is empty: set it or OwnRedirectURL to the URL of "+
			"CallbackHandler")
	}
	f = append(f, cfg.redirectFaults("Config.RedirectURL", cfg.RedirectURL)...)
	f = append(f, cfg.redirectFaults("Config.OwnRedirectURL", cfg.OwnRedirectURL)...)
	if strings.Contains(cfg.RedirectURL, tenantPart) {
		f = append(f, "Config.RedirectURL has {tenant}: set OwnRedirectURL to it instead")
	}
	own, _ := url.Parse(strings.ReplaceAll(cfg.OwnRedirectURL, hostPart, "host"))
	if own != nil && own.Path != "" && !slices.Contains(strings.Split(own.Path, "/"), tenantPart) {
		f = append(f, "Config.OwnRedirectURL must have {tenant} as a segment of its path, as in "+
			"https://app.example/callback/{tenant}")
	}
	both := cfg.RedirectURL != "" && cfg.OwnRedirectURL != ""
	if both && isHTTP(cfg.RedirectURL) != isHTTP(cfg.OwnRedirectURL) {
		f = append(f, "Config.RedirectURL and OwnRedirectURL must both be https, or both http: "+
			"the cookies differ")
	}
	if cfg.sharesPath() {
		f = append(f, "Config.RedirectURL is also the OwnRedirectURL of a tenant with such a key: "+
			"give it another path, such as https://app.example/callback")
	}
	// It begins the name of a cookie: see isName in package authcode.
	if len(cfg.Name) > 24 || strings.Trim(cfg.Name, nameChars) != "" {
		f = append(f, "Config.Name must be 1 to 24 characters of a-z, 0-9 and -")
	}
	f = append(f, cfg.hostFaults()...)
	f = append(f, urls.CheckTenantLink("Config.LoginURL", cfg.LoginURL)...)
	if cfg.MaxTenants < 0 || cfg.MaxTenants > 10_000_000 {
		f = append(f, "Config.MaxTenants must be between 0, for 10,000, and ten million")
	}
	if cfg.RenewAfter < 0 || cfg.RenewAfter > 24*time.Hour {
		f = append(f, "Config.RenewAfter must be zero or a time of up to a day")
	}
	return f
}

// redirectFaults checks a redirect URL.
func (cfg *Config) redirectFaults(field, raw string) (f []string) {
	if raw == "" {
		return nil
	}
	f = urls.CheckPage(field, expand(raw, "host.example", "tenant"))
	if strings.Contains(raw, "?") {
		f = append(f, field+" has a query: use a path")
	}
	_, rest, _ := strings.Cut(raw, "://")
	host, path, _ := strings.Cut(rest, "/")
	if strings.Contains(host, hostPart) && host != hostPart || strings.Contains(path, hostPart) {
		f = append(f, field+" has {host} in another place than that of its host: write https://{host}/…")
	}
	if host == hostPart && len(cfg.Hosts) == 0 && cfg.Host == nil {
		f = append(f, field+" has {host}, but Config.Hosts is empty and Config.Host is nil: "+
			"list the app's own hosts")
	}
	return f
}

// sharesPath reports whether a tenant's own redirect URL could be the one that
// others share. A provider without iss must not answer there.
func (cfg *Config) sharesPath() bool {
	split := func(raw string) (host, path string) {
		_, rest, _ := strings.Cut(raw, "://")
		host, path, _ = strings.Cut(strings.ToLower(rest), "/")
		return host, path
	}
	host, path := split(cfg.RedirectURL)
	ownHost, ownPath := split(cfg.OwnRedirectURL)
	before, after, ok := strings.Cut(ownPath, tenantPart)
	if !ok || host != ownHost && host != hostPart && ownHost != hostPart {
		return false
	}
	segment, ok := strings.CutPrefix(path, before)
	if ok {
		segment, ok = strings.CutSuffix(segment, after)
	}
	return ok && (segmentOf(segment) == segment || strings.HasPrefix(segment, "~"))
}

// hostFaults checks Hosts. A request's host would never equal what is malformed.
func (cfg *Config) hostFaults() (f []string) {
	isWrong := func(r rune) bool { return isNotHostChar(r) && !strings.ContainsRune(".:[]", r) }
	for i, host := range cfg.Hosts {
		u, err := url.Parse("https://" + host)
		if err != nil || u.Hostname() == "" || u.Port() == "443" ||
			strings.ContainsFunc(host, isWrong) {
			f = append(f, fmt.Sprintf("Config.Hosts[%d] is not a host name in ASCII: write it like "+
				"shop.example or shop.example:8443, without a scheme, a path, * or the port 443", i))
		}
	}
	return f
}

// expand puts a host and a segment into a redirect URL.
func expand(raw, host, segment string) string {
	return strings.NewReplacer(hostPart, host, tenantPart, segment).Replace(raw)
}

func isHTTP(raw string) bool { return strings.HasPrefix(strings.ToLower(raw), "http:") }
