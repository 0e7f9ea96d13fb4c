package tenants_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// good is a Config without faults.
func good() tenants.Config {
	return tenants.Config{
		Load: func(context.Context, string) (authcode.Config, string, error) {
			return authcode.Config{}, "", tenants.ErrNotFound
		},
		CookieKeys: [][]byte{world.Key('t')}, RedirectURL: "https://app.example/callback",
	}
}

func TestFaults(t *testing.T) {
	for fault, change := range map[string]func(*tenants.Config){
		"Config.Load is nil":                         func(c *tenants.Config) { c.Load = nil },
		"set it or OwnRedirectURL":                   func(c *tenants.Config) { c.RedirectURL = "" },
		"Config.RedirectURL must be https":           func(c *tenants.Config) { c.RedirectURL = "http://app.example/" },
		"Config.RedirectURL has {tenant}":            func(c *tenants.Config) { c.RedirectURL += "/{tenant}" },
		"Config.RedirectURL has a query":             func(c *tenants.Config) { c.RedirectURL += "?a=b" },
		"Config.RedirectURL has {host} in another":   func(c *tenants.Config) { c.RedirectURL += "/{host}" },
		"Config.RedirectURL has {host} in  another":  func(c *tenants.Config) { c.RedirectURL = "https://shop-{host}/" },
		"Config.MaxTenants must  be":                 func(c *tenants.Config) { c.MaxTenants = 10_000_001 },
		"Config.RenewAfter must  be":                 func(c *tenants.Config) { c.RenewAfter = -1 },
		"PublicOnly: the Transport has a dial":       func(c *tenants.Config) { c.Transport = dialing() },
		"Config.RedirectURL has {host}, but":         func(c *tenants.Config) { c.RedirectURL = "https://{host}/" },
		"Config.OwnRedirectURL must have {tenant}":   func(c *tenants.Config) { c.OwnRedirectURL = "https://a.example/{tenant}.html" },
		"Config.OwnRedirectURL is not a URL":         func(c *tenants.Config) { c.OwnRedirectURL = "https://a.example:port/{tenant}" },
		"Config.RedirectURL and OwnRedirectURL must": func(c *tenants.Config) { c.OwnRedirectURL = "http://localhost/{tenant}" },
		"Config.Hosts[0] is not":                     func(c *tenants.Config) { c.Hosts = []string{"https://a.example"} },
		"Config.Hosts[1] is not":                     func(c *tenants.Config) { c.Hosts = []string{"a.example:8443", "a.example/"} },
		"Config.MaxTenants must be":                  func(c *tenants.Config) { c.MaxTenants = -1 },
		"Config.RenewAfter must be":                  func(c *tenants.Config) { c.RenewAfter = 25 * time.Hour },
		"Config.CookieKeys is empty":                 func(c *tenants.Config) { c.CookieKeys = nil },
		"Config.CookieKeys[0] has 3 bytes":           func(c *tenants.Config) { c.CookieKeys = [][]byte{[]byte("abc")} },
		"Config.Name must be":                        func(c *tenants.Config) { c.Name = "My App" },
		"Config.Name must  be":                       func(c *tenants.Config) { c.Name = strings.Repeat("a", 25) },
		"Config.LoginURL has {tenant}, so":           func(c *tenants.Config) { c.LoginURL = "https://{tenant}.example/" },
		"Config.LoginURL is neither a local":         func(c *tenants.Config) { c.LoginURL = "//{tenant}/" },
		"Config.LoginURL is neither":                 func(c *tenants.Config) { c.LoginURL = "javascript:alert(1)" },
	} {
		cfg := good()
		change(&cfg)
		registry, err := tenants.New(cfg)
		if err == nil || registry != nil || !strings.Contains(err.Error(), strings.ReplaceAll(fault, "  ", " ")) {
			t.Errorf("want %q, got %v", fault, err)
		}
	}
}

// TestOverlap: RedirectURL is no tenant's own.
func TestOverlap(t *testing.T) {
	for claim, row := range map[string]struct {
		shared, own string
		ok          bool
	}{
		"a key may be that segment":           {"https://a.example/callback/all", "https://a.example/callback/{tenant}", false},
		"in the middle of the path":           {"https://a.example/all/callback", "https://a.example/{tenant}/callback", false},
		"a host may differ by case":           {"https://A.example/callback/all", "https://a.example/callback/{tenant}", false},
		"a hash of a key may be that segment": {"https://a.example/callback/~all", "https://a.example/callback/{tenant}", false},
		"a host may be that host":             {"https://a.example/callback/all", "https://{host}/callback/{tenant}", false},
		"and the other way round":             {"https://{host}/callback/all", "https://a.example/callback/{tenant}", false},
		"no key makes that segment":           {"https://a.example/callback/_all", "https://a.example/callback/{tenant}", true},
		"two segments":                        {"https://a.example/callback/x/all", "https://a.example/callback/{tenant}", true},
		"no segment":                          {"https://a.example/callback/", "https://a.example/callback/{tenant}", true},
		"no tenant has its own":               {"https://{host}/all", "", true},
		"another path":                        {"https://a.example/callback", "https://a.example/callback/{tenant}", true},
		"another end":                         {"https://a.example/all/callback", "https://a.example/{tenant}/answer", true},
		"another host":                        {"https://b.example/callback/all", "https://a.example/callback/{tenant}", true},
	} {
		cfg := good()
		cfg.RedirectURL, cfg.OwnRedirectURL, cfg.Hosts = row.shared, row.own, []string{"a.example"}
		_, err := tenants.New(cfg)
		if row.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), "OwnRedirectURL of a tenant") {
			t.Errorf("%s: %v", claim, err)
		}
	}
}

// TestAllFaults: one error lists the faults of the Config, the Transport, the
// Guard and the keys, each once.
func TestAllFaults(t *testing.T) {
	proxy, _ := url.Parse("http://proxy.example")
	_, err := tenants.New(tenants.Config{
		Name: "My App", LoginURL: "javascript:1", HomeURL: "javascript:2", OwnRedirectURL: "https://a.example/",
		Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}, Guard: tenants.Guard{Ports: []uint16{0}},
		Hosts: []string{"*.a.example", "a.example:443", "bücher.example", "a b", "", "a.example/", "[::1]:8443"},
	})
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != authcode.Configuration || e.Check != "tenants.config" {
		t.Fatal(err)
	}
	wants := []string{
		"Config.Load is nil", "Config.OwnRedirectURL must have {tenant}", "Config.Name", "Config.Hosts[0]",
		"Config.Hosts[1]", "Config.Hosts[2]", "Config.Hosts[3]", "Config.Hosts[4]", "Config.Hosts[5]", "Config.LoginURL",
		"PublicOnly: the Transport's Proxy", "Guard.Ports", "Config.HomeURL", "Config.CookieKeys",
	}
	for _, want := range wants {
		if !slices.ContainsFunc(e.Faults, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("no fault begins with %q", want)
		}
	}
	if len(e.Faults) != len(wants) {
		t.Errorf("%d faults, want %d:\n%s", len(e.Faults), len(wants), strings.Join(e.Faults, "\n"))
	}
}

// TestRedirectURLOfLoad: Load cannot choose a redirect URL that the registry does
// not serve.
func TestRedirectURLOfLoad(t *testing.T) {
	cfg := good()
	cfg.Load = func(context.Context, string) (authcode.Config, string, error) {
		return authcode.Config{RedirectURL: "https://evil.example/callback"}, "", nil
	}
	registry, err := tenants.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = registry.Client(httptest.NewRequest(http.MethodGet, "https://app.example/", nil), "k")
	world.WantError(t, err, authcode.Configuration, "tenants.redirect")
	if registry.RedirectURL() != cfg.RedirectURL || (*tenants.Registry)(nil).RedirectURL() != "" {
		t.Errorf("the redirect URL is %s", registry.RedirectURL())
	}
}

// TestNothingSecretPrints: neither keys nor what Load says of a failure.
func TestNothingSecretPrints(t *testing.T) {
	cfg := good()
	cfg.Load = func(context.Context, string) (authcode.Config, string, error) {
		return authcode.Config{}, "", errors.New("password hunter2 is wrong")
	}
	registry, err := tenants.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = registry.Client(httptest.NewRequest(http.MethodGet, "https://app.example/", nil), "customer")
	for _, text := range []string{
		fmt.Sprintf("%v %+v %#v", cfg, registry, []any{registry, cfg}), fmt.Sprintf("%+v", err),
		fmt.Sprintf("%+v", struct{ r tenants.Registry }{}), fmt.Sprintf("%+v", struct{ r *tenants.Registry }{registry}),
	} {
		for _, secret := range []string{"tttttt", "hunter2", "customer"} {
			if strings.Contains(text, secret) {
				t.Errorf("%q is in %s", secret, text)
			}
		}
	}
	login := registry.LoginHandler(func(*http.Request) (string, error) { return "", errors.New("hunter2") })
	rec := httptest.NewRecorder()
	login.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://app.example/", nil))
	if rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "hunter2") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
