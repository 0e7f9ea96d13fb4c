package tenants_test

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
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// insider is a tenant whose provider leads into the app's network.
type insider struct {
	issuer  string // of the tenant; if empty, https://op.test at the port
	moves   string // the address of moves.test, once the login has begun
	handler func(*hostile) http.HandlerFunc

	begins bool   // the login begins, and the callback is refused
	check  string // of the refusal
}

// insiders are those that the issuer alone decides.
func insiders(n *internet) map[string]insider {
	rows := map[string]insider{
		"another port":                   {issuer: "https://op.test:22", check: "guard.port"},
		"a metadata service at its port": {issuer: "https://169.254.169.254", check: "guard.port"},
	}
	for claim, host := range map[string]string{
		"Azure's own address":            "168.63.129.16",
		"a metadata service":             "169.254.169.254",
		"a name inside":                  "inner.test",
		"a name inside, with a dot":      "inner.test.",
		"a name inside, in capitals":     "INNER.test",
		"loopback":                       "127.0.0.3",
		"loopback in IPv6":               "[::1]",
		"loopback as IPv4 in IPv6":       "[::ffff:127.0.0.3]",
		"loopback by NAT64":              "[64:ff9b::7f00:3]",
		"loopback by 6to4":               "[2002:7f00:3::]",
		"the unspecified address":        "0.0.0.0",
		"a name that moved before login": "moved.test",
	} {
		rows[claim] = insider{issuer: n.url(host), check: "guard.address"}
	}
	return rows
}

// names returns a handler whose metadata names another URL.
func names(member, to string) func(*hostile) http.HandlerFunc {
	return func(h *hostile) http.HandlerFunc {
		return h.withMetadata(map[string]any{member: to}, h.unknownKey(http.NotFound))
	}
}

// redirects returns a handler that redirects one path.
func redirects(path, to string) func(*hostile) http.HandlerFunc {
	return func(h *hostile) http.HandlerFunc {
		others := h.withMetadata(nil, h.unknownKey(http.NotFound))
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				http.Redirect(w, r, to, http.StatusTemporaryRedirect)
				return
			}
			others(w, r)
		}
	}
}

// hostileInsiders are those with a provider that answers.
func hostileInsiders(n *internet) map[string]insider {
	const metadata = "/.well-known/openid-configuration"
	inner := n.url("inner.test")
	return map[string]insider{
		"metadata that redirects":       {handler: redirects(metadata, inner), check: "discovery.redirect"},
		"a token endpoint inside":       {handler: names("token_endpoint", inner+"/token"), begins: true, check: "guard.address"},
		"a token endpoint by address":   {handler: names("token_endpoint", n.url("[::ffff:7f00:3]")), begins: true, check: "guard.address"},
		"a token endpoint at Azure's":   {handler: names("token_endpoint", n.url("168.63.129.16")), begins: true, check: "guard.address"},
		"keys inside":                   {handler: names("jwks_uri", inner+"/jwks"), begins: true, check: "guard.address"},
		"PAR inside":                    {handler: names("pushed_authorization_request_endpoint", inner+"/par"), check: "guard.address"},
		"a token endpoint redirects":    {handler: redirects("/token", inner+"/token"), begins: true, check: "answer.redirect"},
		"keys that redirect":            {handler: redirects("/jwks", inner+"/jwks"), begins: true, check: "jwks.redirect"},
		"a name that moves inside":      {issuer: n.url("moves.test"), moves: "127.0.0.3", begins: true, check: "guard.address"},
		"a name that moves to metadata": {issuer: n.url("moves.test"), moves: "169.254.169.254", begins: true, check: "guard.address"},
	}
}

// TestProvidersInside is D32 in a registry: whatever a customer types in, and
// whatever the provider behind it answers, nothing is sent into the app's network.
func TestProvidersInside(t *testing.T) {
	t.Parallel()
	for _, rows := range []func(*internet) map[string]insider{insiders, hostileInsiders} {
		for claim := range rows(&internet{}) {
			t.Run(claim, func(t *testing.T) {
				for _, own := range []bool{false, true} {
					n := newInternet(t)
					n.isKeptOut(rows(n)[claim], own)
				}
			})
		}
	}
}

// isKeptOut goes as far with a login as it gets. The transport is the registry's, or
// the tenant's own.
func (n *internet) isKeptOut(row insider, own bool) {
	n.t.Helper()
	if row.issuer == "" {
		row.issuer = n.url("op.test")
	}
	h := &hostile{issuer: row.issuer}
	if row.handler == nil {
		row.handler = names("issuer", row.issuer)
	}
	n.public.handler = row.handler(h)
	n.dns.set("moves.test", "127.0.0.2")
	n.dns.set("moved.test", "127.0.0.3")
	registry := n.registry(row.issuer, own)
	rec := httptest.NewRecorder()
	login := httptest.NewRequest(http.MethodGet, "https://app.example/login", nil)
	client, err := registry.Client(login, "tenant")
	if err != nil {
		n.t.Fatal(err)
	}
	to, err := client.AuthCodeURL(rec, login)
	if (err == nil) != row.begins {
		n.t.Fatalf("the login begins with %v, want %t", err, row.begins)
	}
	if row.begins {
		if row.moves != "" {
			n.dns.set("moves.test", row.moves)
		}
		_, err = registry.Exchange(httptest.NewRecorder(), answerTo(n.t, rec, to))
	}
	wantRefused(n.t, err, row.check)
	if got := n.private.reached.Load(); got != 0 {
		n.t.Errorf("%d connections into the network", got)
	}
}

// registry has one tenant, with a redirect URL of its own.
func (n *internet) registry(issuer string, ownTransport bool) *tenants.Registry {
	n.t.Helper()
	const own = "https://app.example/callback/{tenant}"
	base := n.base()
	base.DisableKeepAlives = true // each request looks its name up
	row := authcode.Config{
		Provider: oidc.Provider(issuer), ClientID: "app", RedirectURL: own,
		ClientAuth: authcode.Secret("s3cret"),
	}
	cfg := tenants.Config{
		Load: func(context.Context, string) (authcode.Config, string, error) {
			return row, "1", nil
		},
		CookieKeys: [][]byte{world.Key('t')}, OwnRedirectURL: own, Guard: n.guard(),
	}
	if ownTransport {
		row.Transport = base
	} else {
		cfg.Transport = base
	}
	registry, err := tenants.New(cfg)
	if err != nil {
		n.t.Fatal(err)
	}
	return registry
}

// answerTo is the callback that a provider sends the browser to.
func answerTo(t *testing.T, rec *httptest.ResponseRecorder, authURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(authURL)
	if err != nil {
		t.Fatal(err)
	}
	answer := url.Values{"code": {"c"}, "state": {u.Query().Get("state")}}
	r := httptest.NewRequest(http.MethodGet, "https://app.example/callback/tenant?"+answer.Encode(), nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// wantRefused checks the Check of an error, and that no text has an address in it.
func wantRefused(t *testing.T, err error, check string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Check != check {
		t.Errorf("got %v, want %s", err, check)
	}
	if err != nil && strings.Contains(err.Error(), "127.0.0") {
		t.Errorf("the text has an address: %v", err)
	}
}
