package provider_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
)

const (
	shopDomain = ".myshopify.com"
	another    = "aaaaaaaa-1111-2222-3333-bbbbbbbbbbbb" // a tenant
)

// newClient makes a client of p that reaches nobody.
func newClient(p authcode.Provider, change ...func(*authcode.Config)) (*authcode.Client, error) {
	cfg := authcode.Config{Provider: p, ClientID: clientID, ClientAuth: authcode.Secret(clientSecret),
		RedirectURL: "https://app.example/callback", Wrap: through(refuseAll{}),
		CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}}
	cfg.ClientAuth.SecretKind = p.SecretKind // TestSecretKind is about it
	for _, f := range change {
		f(&cfg)
	}
	return authcode.New(cfg)
}

// appLike puts the app on loopback if the provider at base is there, over http.
func appLike(base string) func(*authcode.Config) {
	return func(cfg *authcode.Config) {
		if strings.HasPrefix(base, "http:") {
			cfg.RedirectURL = "http://localhost:8080/callback"
		}
	}
}

// through is a [authcode.Config.Wrap] that leads to rt.
func through(rt http.RoundTripper) func(http.RoundTripper) http.RoundTripper {
	return func(http.RoundTripper) http.RoundTripper { return rt }
}

// wantFaults checks that err, of authcode.New, lists exactly these faults. Each begins with prefix and contains its text.
func wantFaults(t *testing.T, err error, prefix string, want []string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != authcode.Configuration || len(e.Faults) != len(want) {
		t.Errorf("got %v, want %d faults of %s", err, len(want), prefix)
		return
	}
	for i, text := range want {
		if !strings.HasPrefix(e.Faults[i], prefix) || !strings.Contains(e.Faults[i], text) {
			t.Errorf("fault %d is %q, want %s with %q", i, e.Faults[i], prefix, text)
		}
	}
}

var (
	badHosts = []string{"", "evil.com/x", "a@evil.com", "a.com#b", "a.com?b", "..", "a..com", ".com", "a.com.", "a.com:8443",
		"https://a.com", "a.com\n", "a b.com", "com", "%65vil.com", "evil.com\\x", "ä.com", "[::1]", strings.Repeat("a.", 127) + "com"}
	badBases = []string{"", "a.com", "//a.com", "https://", "https:a.com", "ftp://a.com", "https://u@a.com", "https://u:p@a.com",
		"https://a.com#b", "https://a.com?b", "https://a.com?", "https://a.com/..", "https://a.com/x/../y", "https://a.com/./x",
		"https://a.com//", "https://a.com/x//y", "https://A.com", "HTTPS://a.com", "https://a.com/%2e%2e", "https://a.com\\@evil.com",
		"https://a.com/\n", "https://:443"}
	badTenants = []string{"", "common", "organizations", "{tenantid}", "contoso.com", "..", tenant + "/..", tenant + "?", tenant[1:],
		strings.ReplaceAll(tenant, "1", "g"), strings.ReplaceAll(tenant, "-", "1"), " " + tenant[1:], tenant[:35] + "#"}

	badShops = []string{"", shopDomain, "a.b", "evil.com/x", "a@evil.com", "evil.com#", "evil.com?", "a..b", "..", "-a", "a_b", "a b", "ä",
		"https://a", "a:443", "a/", "%65vil", "a\n", "a.evil.com", "evil.com" + shopDomain, "a" + shopDomain + shopDomain,
		"a" + shopDomain + ".evil.com", strings.Repeat("a", 64)}

	badArguments = map[string][]string{
		"Shopify: the shop": badShops, "Shopify: the client secret": {"", shopSecret[:13]},
		"Okta: the domain": badHosts, "Auth0: the domain": badHosts, "Gitea: the base": badBases, "Keycloak: the base": badBases,
		"GitLab: the base": badBases, "GitHubEnterprise: the base": badBases, "BitbucketDataCenter: the base": badBases,
		"Mattermost: the base": badBases, "Nextcloud: the base": badBases,
		"Keycloak: the realm": {"", ".", "..", "..."}, "Microsoft: the tenant": badTenants, "MicrosoftTenants: a": badTenants,
		"Cognito: the region": {"", "evil.com/x", "x@evil.com", "x.evil.com#", "EU", "a b", "..", "x/"},
		"Cognito: the pool": {"", "Ab12", "us-east-1_Ab12", "eu-west-1_", "eu-west-1_a/b", "eu-west-1_a?b", "eu-west-1_..",
			"eu-west-1_a/../us-east-1_b", "eu-west-1_a#", "eu-west-1_a%2e"},
	}
)

// presetsWith are presets with one argument each, by what an error calls it.
var presetsWith = map[string]func(string) authcode.Provider{
	"Okta: the domain": provider.Okta, "Auth0: the domain": provider.Auth0, "Gitea: the base": provider.Gitea,
	"GitLab: the base": provider.GitLab, "GitHubEnterprise: the base": provider.GitHubEnterprise,
	"BitbucketDataCenter: the base": provider.BitbucketDataCenter,
	"Mattermost: the base":          provider.Mattermost, "Nextcloud: the base": provider.Nextcloud,
	"Keycloak: the base":         func(s string) authcode.Provider { return provider.Keycloak(s, "r") },
	"Keycloak: the realm":        func(s string) authcode.Provider { return provider.Keycloak("https://sso.example", s) },
	"Microsoft: the tenant":      provider.Microsoft,
	"MicrosoftTenants: a":        func(s string) authcode.Provider { return provider.MicrosoftTenants(tenant, s) },
	"Shopify: the shop":          func(s string) authcode.Provider { return provider.Shopify(s, shopSecret) },
	"Shopify: the client secret": func(s string) authcode.Provider { return provider.Shopify("a", s) },
	"Cognito: the region":        func(s string) authcode.Provider { return provider.Cognito(s, s+"_Ab12") },
	"Cognito: the pool":          func(s string) authcode.Provider { return provider.Cognito("eu-west-1", s) },
}

// TestBadArguments: what is no host, base, realm, tenant, region or pool is refused by authcode.New, which
// says so, and nothing is ever sent anywhere. Each of these once chose the host, or a part of its path.
func TestBadArguments(t *testing.T) {
	for what, preset := range presetsWith {
		for _, argument := range badArguments[what] {
			p := preset(argument)
			_, err := newClient(p)
			if err == nil || !strings.HasPrefix(err.Error(), "authcode: provider."+what) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%q: %v, want an error with %s", argument, err, what)
			}
			inner := p.Metadata // an app may have a function of its own in front
			p.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
				return inner(ctx, conn)
			}
			if _, again := newClient(p); again == nil || again.Error() != err.Error() {
				t.Errorf("%q: with Metadata wrapped: %v, want %v", argument, again, err)
			}
			p.Err = nil // and may drop what the preset says
			client, err := newClient(p)
			if err != nil {
				t.Errorf("%q: %v", argument, err)
				continue
			}
			_, err = client.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
			if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != "config.preset" || e.Reason != authcode.Configuration {
				t.Errorf("%q: a login starts: %v", argument, err)
			}
		}
	}
	if _, err := newClient(provider.MicrosoftTenants()); err == nil || !strings.Contains(err.Error(), "MicrosoftTenants: a") {
		t.Errorf("no tenants: %v", err)
	}
}

// TestAllBadArguments: of several bad arguments all are listed.
func TestAllBadArguments(t *testing.T) {
	for _, c := range []struct {
		preset authcode.Provider
		prefix string
		want   []string
	}{
		{provider.Keycloak("https://a.com?b", ".."), "provider.Keycloak: ", []string{"the base", "the realm"}},
		{provider.Keycloak("https://sso.example/realms/a", "a"), "provider.Keycloak: ",
			[]string{"the base has a realm"}},
		{provider.Keycloak("https://sso.example/auth/realms", "a"), "provider.Keycloak: ",
			[]string{"the base has a realm"}},
		{provider.Keycloak("", ""), "provider.Keycloak: ", []string{"the base", "the realm"}},
		{provider.Cognito("x/", "y"), "provider.Cognito: ", []string{"the region", "the pool"}},
		{provider.MicrosoftTenants("a", tenant, "b"), "provider.MicrosoftTenants: ", []string{"argument 1 ", "argument 3 "}},
		{provider.Google(oidc.HostedDomain(), oidc.MetadataURL("x")), "", []string{"HostedDomain", "MetadataURL"}},
	} {
		_, err := newClient(c.preset)
		wantFaults(t, err, c.prefix, c.want)
		if c.preset.Err == nil {
			t.Errorf("%s has no Err", c.preset.Name)
		}
		_, err = newClient(c.preset, func(cfg *authcode.Config) { cfg.ClientAuth = provider.AppleSecret("", "K", nil) })
		for _, text := range append(c.want, "teamID", "keyPEM") { // together with what other parts say
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v, want %s", c.preset.Name, err, text)
			}
		}
	}
}

// asked keeps the last URL that was asked for.
type asked struct{ url *url.URL }

func (a *asked) RoundTrip(r *http.Request) (*http.Response, error) {
	a.url = r.URL
	return nil, errors.New("down")
}

// TestOddArguments: where metadata is fetched for what is odd but right.
func TestOddArguments(t *testing.T) {
	for want, p := range map[string]authcode.Provider{
		"https://dev-1.okta.com/":                                 provider.Okta("DEV-1.okta.com"),
		"https://login.a.com/":                                    provider.Auth0("Login.A.com"),
		"https://login.microsoftonline.com/" + another + "/v2.0/": provider.Microsoft(strings.ToUpper(another)),
		"https://sso.example/auth/realms/a%2F..%2Fb/":             provider.Keycloak("https://sso.example/auth/", "a/../b"),
		"https://sso.example/realms/%3Fx%23y@%25/":                provider.Keycloak("https://sso.example", "?x#y@%"),
		"https://[::1]:8443/realms/r/":                            provider.Keycloak("https://[::1]:8443", "r"),
		"http://127.0.0.1:8080/realms/r/":                         provider.Keycloak("http://127.0.0.1:8080", "r"),
		"https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12/": provider.Cognito(
			"eu-west-1", "eu-west-1_Ab12"),
	} {
		var a asked
		if _, err := newClient(p, appLike(want)); err != nil {
			t.Errorf("%s: %v", want, err)
		}
		conn := &authcode.Connection{Transport: &a}
		appLike(want)(&conn.Config)
		p.Metadata(context.Background(), conn)
		if a.url == nil || a.url.String() != want+".well-known/openid-configuration" {
			t.Errorf("asked for %v, want below %s", a.url, want)
		}
	}
	if _, err := newClient(provider.Gitea("http://git.example")); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("Gitea over http: %v", err)
	}
	// A Keycloak over http is refused before anything is sent; see package oidc.
	var a asked
	keycloak := provider.Keycloak("http://sso.example", "r")
	_, err := keycloak.Metadata(context.Background(), &authcode.Connection{Transport: &a})
	if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Reason != authcode.Configuration || a.url != nil {
		t.Errorf("Keycloak over http: %v, asked for %v", err, a.url)
	}
	if _, err := newClient(keycloak); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("a client of Keycloak over http: %v", err)
	}
}

// TestIssuers: no two presets share an issuer, or the id of one's person would be the key of another's.
func TestIssuers(t *testing.T) {
	owner := make(map[string]string)
	for _, r := range rows() {
		if strings.HasPrefix(r.fn, "MicrosoftT") || r.fn == "MicrosoftAnyTenant" || // tenants are the issuers
			r.fn == "SlackUser" { // the same people as Slack's, by the same ids of team and user
			continue
		}
		if first := owner[r.want.Issuer]; first != "" {
			t.Errorf("%s and %s have the issuer %s", first, r.fn, r.want.Issuer)
		}
		owner[r.want.Issuer] = r.fn
	}
}
