package tenants_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// turned begins a login with one tenant, whose provider sends the browser on to
// the provider of another, with that one's client id and redirect URL. It returns
// what the browser then brings to the app.
func (b *browser) turned(from, to string, srv *authserver.Server, own bool) *http.Request {
	t := b.app.t
	t.Helper()
	resp, err := b.Get(b.app.loginURL(from))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	start, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	query := start.Query()
	query.Set("client_id", b.app.table[to].cfg.ClientID)
	query.Set("redirect_uri", b.app.URL+"/callback")
	if own {
		query.Set("redirect_uri", b.app.instances[0].OwnRedirectURL(to))
	}
	at, _ := url.Parse(srv.URL + "/authorize?" + query.Encode())
	r, err := http.NewRequest(http.MethodGet, at.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = srv.Visit(b.Client, r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := resp.Location()
	if err != nil {
		t.Fatalf("the honest provider answered %d", resp.StatusCode)
	}
	r, err = http.NewRequest(http.MethodGet, answer.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestMixUp is D33: the provider of one tenant sends people on to that of
// another, whose code then arrives in the first one's login (RFC 9700 section
// 4.4). Neither of the two is sent a code.
func TestMixUp(t *testing.T) {
	t.Parallel()
	for claim, row := range map[string]struct {
		hostileOwn, honestOwn, honestSilent bool
		check                               string
	}{
		"both share the URL, and the honest one sends iss":         {false, false, false, "iss"},
		"the honest one has a path, and sends no iss":              {false, true, true, "iss.missing"},
		"the honest one has a path, and sends iss":                 {false, true, false, "iss"},
		"the hostile one has a path":                               {true, false, false, "tenants.path"},
		"both have a path, and the honest one sends no iss":        {true, true, true, "tenants.path"},
		"both have a path, and the honest one sends iss":           {true, true, false, "tenants.path"},
		"the honest one shares the URL, and its iss was taken off": {false, false, true, "iss.missing"},
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, 1)
			hostile, honest := a.provider(), a.provider()
			var paths [2][]func(*authcode.Config)
			for i, own := range []bool{row.hostileOwn, row.honestOwn} {
				if own {
					paths[i] = append(paths[i], a.ownPath)
				}
			}
			a.tenant("hostile", hostile, paths[0]...)
			a.tenant("honest", honest, paths[1]...)
			if row.honestSilent {
				honest.SetFaults(authserver.Authorization, authserver.Drop("iss"))
			}
			b := a.browser()
			b.callback("honest", honest) // is pending beside it
			r := b.turned("hostile", "honest", honest, row.honestOwn)
			status, _ := b.deliver(honest, r)
			a.wantRefusal(status, authcode.Forged, row.check)
			wantNothingSent(t, hostile, honest)
			honest.ClearFaults()
			b.wantSignIn("honest", honest)
			b.wantSignIn("hostile", hostile)
		})
	}
}

// TestIssIsDemanded: a tenant that shares a redirect URL is refused unless its
// provider promises iss, also when it takes the promise back.
func TestIssIsDemanded(t *testing.T) {
	a := newApp(t, 1)
	mute, srv := silent(a.provider()), a.provider()
	a.tenant("mute", mute)
	status, _ := a.browser().get(a.loginURL("mute"))
	a.wantRefusal(status, authcode.Configuration, "tenants.iss")
	a.tenant("fixed", srv, func(cfg *authcode.Config) {
		cfg.Provider.Metadata = nil
		cfg.Provider.Endpoints = authcode.Endpoints{
			AuthURL: srv.URL + "/authorize", TokenURL: srv.URL + "/token", JWKSURL: srv.URL + "/jwks",
		}
	})
	status, _ = a.browser().get(a.loginURL("fixed"))
	a.wantRefusal(status, authcode.Configuration, "tenants.iss")
	var promises atomic.Bool
	promises.Store(true)
	a.tenant("turncoat", srv, func(cfg *authcode.Config) {
		look := cfg.Provider.Metadata
		cfg.Provider.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			found, err := look(ctx, conn)
			found.RequireIss = promises.Load()
			return found, err
		}
	})
	b := a.browser()
	r := b.callback("turncoat", srv)
	promises.Store(false)
	status, _ = b.deliver(srv, r)
	a.wantRefusal(status, authcode.Configuration, "tenants.iss")
	wantNothingSent(t, mute, srv)
}

// TestCookiesOfOtherTenants: no Client finishes a login that another tenant's has
// begun, even with one provider and client ID, or one name and key.
func TestCookiesOfOtherTenants(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	first := a.tenant("first", srv)
	a.set("second", first)
	cfg := first.cfg
	cfg.Provider.Name, cfg.Provider.RequireIss = "tenants", true
	cfg.RedirectURL, cfg.CookieKeys = a.URL+"/callback", [][]byte{world.Key('t')}
	cfg.Transport = a.transport
	plain, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	b := a.browser()
	r := b.callback("first", srv)
	for _, c := range b.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	second, err := a.instances[0].Client(r, "second")
	if err != nil {
		t.Fatal(err)
	}
	for claim, client := range map[string]*authcode.Client{"another tenant": second, "no tenant": plain} {
		_, err := client.Exchange(httptest.NewRecorder(), r.Clone(t.Context()))
		world.WantError(t, err, authcode.Forged, "cookie.tenant")
		if err == nil {
			t.Error(claim)
		}
	}
	wantNothingSent(t, srv)
}

// TestKeptAnswersOfOtherTenants: the same for an answer that came by POST and was
// kept in the cookie.
func TestKeptAnswersOfOtherTenants(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.set("second", a.tenant("first", srv, formPost))
	b := a.browser()
	resp, err := srv.Visit(b.Client, b.callback("first", srv))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	finishing, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, finishing.String(), nil)
	for _, c := range b.Jar.Cookies(finishing) {
		r.AddCookie(c)
	}
	second, err := a.instances[0].Client(r, "second")
	if err != nil {
		t.Fatal(err)
	}
	_, err = second.Exchange(httptest.NewRecorder(), r)
	world.WantError(t, err, authcode.Forged, "cookie.tenant")
	wantNothingSent(t, srv)
	if status, text := b.get(finishing.String()); status != http.StatusOK {
		t.Errorf("its own tenant: %d %s, %v", status, text, a.lastError())
	}
}

// TestSwappedCookies: the cookie of one login under the name of another's.
func TestSwappedCookies(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("first", srv)
	a.tenant("second", srv)
	b := a.browser()
	r := b.callback("first", srv)
	names := make(map[string]string)
	other := b.callback("second", srv)
	for _, c := range b.Jar.Cookies(r.URL) {
		names[c.Name] = c.Value
	}
	swapped := other.Clone(t.Context())
	swapped.Header.Del("Cookie")
	var last string
	for name, value := range names {
		if last != "" {
			swapped.AddCookie(&http.Cookie{Name: name, Value: names[last]})
			swapped.AddCookie(&http.Cookie{Name: last, Value: value})
		}
		last = name
	}
	_, err := a.instances[0].Exchange(httptest.NewRecorder(), swapped)
	world.WantError(t, err, authcode.Forged, "cookie.seal")
	wantNothingSent(t, srv)
}

// TestKeysOfOtherTenants: what a hostile tenant says of an issuer, and signs for
// it, is never used for the tenant whose issuer that is.
func TestKeysOfOtherTenants(t *testing.T) {
	a := newApp(t, 1)
	hostile, honest := a.provider(), a.provider()
	hostile.SetFaults(authserver.Discovery, authserver.Set("issuer", `"`+honest.URL+`"`))
	a.tenant("hostile", hostile, a.ownPath, func(cfg *authcode.Config) {
		cfg.Provider = oidc.Provider(honest.URL,
			oidc.MetadataURL(hostile.URL+"/.well-known/openid-configuration"))
		cfg.Provider.Algorithms = []string{"ES256"}
	})
	a.tenant("honest", honest)
	a.tenant("liar", hostile, a.ownPath)
	b := a.browser()
	b.callback("hostile", hostile) // loads the document that lies
	b.wantSignIn("honest", honest)
	// Another tenant with the honest issuer shares what was loaded.
	a.tenant("same", honest)
	b.wantSignIn("same", honest)
	if n := len(honest.Requests(authserver.Discovery)) + len(honest.Requests(authserver.JWKS)); n != 2 {
		t.Errorf("two tenants of one issuer loaded %d documents, want 2", n)
	}
	// One that trusts other certificates does not.
	a.tenant("distrustful", honest, func(cfg *authcode.Config) { cfg.Transport = &http.Transport{} })
	status, _ := b.get(a.loginURL("distrustful"))
	if e := a.lastError(); e.Reason != authcode.Unreachable {
		t.Errorf("documents came through another transport: %d, %v", status, e)
	}
	hostile.ClearFaults()
	hostile.SetFaults(authserver.IDToken, authserver.Set("iss", `"`+honest.URL+`"`))
	status, _ = b.deliver(hostile, b.callback("liar", hostile))
	if e := a.lastError(); status == http.StatusOK || e.Reason != authcode.IdentityRefused {
		t.Errorf("a token for another issuer: %d, %v", status, e)
	}
}
