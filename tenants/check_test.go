package tenants_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/testkey"
	"example.com/authcode/oidc"
	"example.com/authcode/tenants"
	"github.com/go-jose/go-jose/v4"
)

// openID is a provider at op.test, as far as Check looks at it.
type openID struct {
	document map[string]any
	keys     []any

	mu   sync.Mutex
	seen []string
}

var rsaKey = sync.OnceValue(testkey.RSA)

func newOpenID(t *testing.T, n *internet) *openID {
	key := rsaKey()
	at := n.url("op.test")
	p := &openID{document: map[string]any{
		"issuer": at, "authorization_endpoint": at + "/authorize", "token_endpoint": at + "/token",
		"jwks_uri": at + "/jwks", "userinfo_endpoint": at + "/userinfo",
		"pushed_authorization_request_endpoint":          at + "/par",
		"code_challenge_methods_supported":               []string{"S256"},
		"id_token_signing_alg_values_supported":          []string{"RS256"},
		"authorization_response_iss_parameter_supported": true,
	}}
	p.keys = []any{jose.JSONWebKey{Key: key.Public(), KeyID: "k1", Use: "sig"}}
	n.public.handler = p
	return p
}

func (p *openID) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.URL.Path)
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(p.document)
	case "/jwks":
		json.NewEncoder(w).Encode(map[string]any{"keys": p.keys})
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// config is what an admin has typed in.
func (n *internet) config() authcode.Config {
	return authcode.Config{
		Provider: oidc.Provider(n.url("op.test")), ClientID: "app", ClientAuth: authcode.Secret("s3cret"),
		RedirectURL: "https://app.example/callback", Transport: n.base(),
	}
}

// levels are the subjects with their levels.
func levels(r tenants.Report) (list []string) {
	for _, f := range r {
		list = append(list, f.Subject+" "+string(f.Level))
	}
	return list
}

// TestCheck: nothing is wrong with a good provider, and no request has a credential.
func TestCheck(t *testing.T) {
	n := newInternet(t)
	p := newOpenID(t, n)
	report := tenants.Check(t.Context(), n.config(), n.guard())
	want := []string{"config good", "issuer good", "endpoints good", "algorithms good", "pkce good", "par good", "iss good"}
	if !slices.Equal(levels(report), want) || !report.Usable() {
		t.Errorf("got %+v", report)
	}
	for _, one := range []string{"GET /token", "GET /userinfo", "GET /par"} {
		if !slices.Contains(p.seen, one) {
			t.Errorf("%s is missing in %v", one, p.seen)
		}
	}
	if slices.ContainsFunc(p.seen, func(s string) bool { return strings.HasPrefix(s, "POST") }) {
		t.Errorf("it has posted: %v", p.seen)
	}
	p.document["require_pushed_authorization_requests"] = true
	if report := tenants.Check(t.Context(), n.config(), n.guard()); !slices.Equal(levels(report), want) {
		t.Errorf("got %+v", report)
	}
}

// findingRow is a change to a good provider or configuration, and what Check finds.
type findingRow struct {
	claim          string
	change         func(*openID, *authcode.Config)
	want           string // subject and level
	check, mention string
}

func with(name string, value any) func(*openID, *authcode.Config) {
	return func(p *openID, _ *authcode.Config) { p.document[name] = value }
}

func without(name string) func(*openID, *authcode.Config) {
	return func(p *openID, _ *authcode.Config) { delete(p.document, name) }
}

// at names another issuer to the Provider.
func at(issuer string) func(*openID, *authcode.Config) {
	return func(_ *openID, c *authcode.Config) { c.Provider = oidc.Provider(issuer) }
}

func onlyAnEllipticKey(p *openID, _ *authcode.Config) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p.keys = []any{jose.JSONWebKey{Key: key.Public(), KeyID: "k1"}}
}

func refusalRows(n *internet) []findingRow {
	return []findingRow{
		{"no client ID", func(_ *openID, c *authcode.Config) { c.ClientID = "" }, "config fault", "config", "ClientID"},
		{"a proxy", func(_ *openID, c *authcode.Config) { c.Transport.Proxy = failingProxy }, "config fault", "config", "Proxy"},
		{"a redirect", func(*openID, *authcode.Config) {
			n.public.handler = http.RedirectHandler(n.url("said.test")+"/said", http.StatusFound)
		}, "issuer fault", "discovery.redirect", "redirect"},
		{"another issuer", with("issuer", "https://said.example"), "issuer fault", "discovery.issuer", "issuer"},
		{"a slash too many", with("issuer", n.url("op.test")+"/"), "issuer fault", "discovery.issuer", "slash"},
		{"a private issuer", at(n.url("inner.test")),
			"issuer fault", "guard.address", "Guard.Allow"},
		{"another port", at("https://op.test:1"),
			"issuer fault", "guard.port", "Guard.Ports"},
		{"no such host", at(n.url("nowhere.test")),
			"issuer fault", "discovery.unreachable", "could not be resolved"},
		{"a private token endpoint", with("token_endpoint", n.url("inner.test")+"/token"), "endpoints fault", "guard.address", "the token endpoint: "},
		{"a private JWKS", with("jwks_uri", n.url("169.254.169.254")+"/jwks"), "endpoints fault", "guard.address", "the JWKS: "},
		{"a private userinfo endpoint", with("userinfo_endpoint", n.url("[::1]")+"/u"), "endpoints fault", "guard.address", "the userinfo endpoint: "},
		{"a token endpoint at another port", with("token_endpoint", "https://op.test:22/token"), "endpoints fault", "guard.port", "Guard.Ports"},
		{"a token endpoint that is down", with("token_endpoint", n.url("nowhere.test")+"/t"), "endpoints fault", "check.unreachable", "could not be resolved"},
		{"no token endpoint", without("token_endpoint"), "endpoints fault", "discovery.endpoints", "token_endpoint"},
	}
}

func promiseRows(n *internet) []findingRow {
	return []findingRow{
		{"PKCE with plain only", with("code_challenge_methods_supported", []string{"plain"}), "pkce fault", "discovery.pkce", "S256"},
		{"PKCE that is not listed", without("code_challenge_methods_supported"), "pkce note", "", "PKCE"},
		{"no PAR", without("pushed_authorization_request_endpoint"), "par note", "", "PAR"},
		{"no iss", without("authorization_response_iss_parameter_supported"), "iss note", "", "redirect URL"},
		{"another algorithm", with("id_token_signing_alg_values_supported", []string{"ES256"}), "algorithms fault", "id_token.alg", "RS256"},
		{"no key for the algorithm", onlyAnEllipticKey, "algorithms fault", "jwks.key", "key"},
		{"no list of algorithms", without("id_token_signing_alg_values_supported"), "algorithms good", "", "RS256"},
		{"an algorithm that both know", func(p *openID, c *authcode.Config) {
			p.document["id_token_signing_alg_values_supported"] = []string{"RS256", "ES256"}
			onlyAnEllipticKey(p, c)
			c.Provider.Algorithms = []string{"PS256", "ES256"}
		}, "algorithms good", "", "ES256"},
		{"no metadata", func(p *openID, c *authcode.Config) {
			c.Provider.Metadata, c.Provider.Identity = nil, nil
			c.Provider.AuthURL, c.Provider.TokenURL = n.url("op.test")+"/authorize", n.url("op.test")+"/token"
		}, "issuer note", "", "no metadata"},
	}
}

// TestFindings: what is wrong or worth a word is found, under the Check of the login that would fail.
func TestFindings(t *testing.T) {
	n := newInternet(t)
	for _, row := range append(refusalRows(n), promiseRows(n)...) {
		t.Run(row.claim, func(t *testing.T) {
			n.dns.set("nowhere.test", "")
			p, cfg := newOpenID(t, n), n.config()
			row.change(p, &cfg)
			report := tenants.Check(t.Context(), cfg, n.guard())
			at := slices.Index(levels(report), row.want)
			if at < 0 || report[at].Check != row.check || !strings.Contains(report[at].Text, row.mention) {
				t.Fatalf("got %+v", report)
			}
			if report.Usable() == strings.HasSuffix(row.want, "fault") {
				t.Errorf("Usable says otherwise: %+v", report)
			}
			wantPlainTexts(t, report)
		})
	}
	if n.private.reached.Load() != 0 {
		t.Error("the private site was reached")
	}
}

// wantPlainTexts checks that an admin page can show the texts, which have no
// words of the provider.
func wantPlainTexts(t *testing.T, report tenants.Report) {
	t.Helper()
	for _, f := range report {
		if f.Text == "" || strings.HasPrefix(f.Text, "authcode: ") || strings.Contains(f.Text, "127.0.0") ||
			strings.Contains(f.Text, "s3cret") || strings.Contains(f.Text, "said") {
			t.Errorf("the text of %+v", f)
		}
	}
}

// TestCheckKeepsTheWrap: the app's own Wrap sees the requests, and one that returns nil is a fault.
func TestCheckKeepsTheWrap(t *testing.T) {
	n := newInternet(t)
	newOpenID(t, n)
	cfg := n.config()
	paths := make(map[string]bool)
	var mu sync.Mutex
	cfg.Wrap = func(next http.RoundTripper) http.RoundTripper {
		return tripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			paths[r.URL.Path] = true
			mu.Unlock()
			return next.RoundTrip(r)
		})
	}
	if report := tenants.Check(t.Context(), cfg, n.guard()); !report.Usable() || !paths["/token"] {
		t.Errorf("got %+v, %v", report, slices.Collect(maps.Keys(paths)))
	}
	cfg.Wrap = func(http.RoundTripper) http.RoundTripper { return nil }
	if report := tenants.Check(t.Context(), cfg, n.guard()); report.Usable() || report[0].Subject != "config" {
		t.Errorf("got %+v", report)
	}
}

// TestCheckOfAnOddWrap: a Wrap that breaks the rules of http.RoundTripper is a fault,
// and no panic.
func TestCheckOfAnOddWrap(t *testing.T) {
	n := newInternet(t)
	for path, want := range map[string]string{
		"/.well-known/openid-configuration": "issuer fault", "/token": "endpoints fault",
	} {
		for name, answer := range map[string]*http.Response{
			"nothing": nil, "no body": {StatusCode: http.StatusOK, Header: http.Header{}},
		} {
			newOpenID(t, n)
			cfg := n.config()
			cfg.Wrap = func(next http.RoundTripper) http.RoundTripper {
				return tripper(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path == path {
						return answer, nil
					}
					return next.RoundTrip(r)
				})
			}
			report := tenants.Check(t.Context(), cfg, n.guard())
			if !slices.Contains(levels(report), want) {
				t.Errorf("%s from %s: %+v", name, path, report)
			}
		}
	}
}

// TestCheckOfAnEndpointThatHangs: the report says so when the time is over.
func TestCheckOfAnEndpointThatHangs(t *testing.T) {
	n := newInternet(t)
	p := newOpenID(t, n)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/token" {
			p.ServeHTTP(w, r)
			return
		}
		cancel()
		<-release
	})
	report := tenants.Check(ctx, n.config(), n.guard())
	if !slices.ContainsFunc(report, func(f tenants.Finding) bool {
		return f.Subject == "endpoints" && f.Check == "check.timeout" && strings.HasPrefix(f.Text, "the token endpoint: ")
	}) {
		t.Errorf("got %+v", report)
	}
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
