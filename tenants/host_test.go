package tenants_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/realm"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// shops are hosts that the app answers on.
var shops = []string{"a.example.com", "b.example.com"}

// newShops is an app on several hosts.
func newShops(t *testing.T, change func(*tenants.Config)) (*app, *authserver.Server) {
	a := newApp(t, 1, func(cfg *tenants.Config) {
		cfg.RedirectURL, cfg.OwnRedirectURL = "https://{host}/callback", "https://{host}/callback/{tenant}"
		cfg.Hosts = shops
	}, change)
	srv := a.provider()
	r := a.tenant("k", srv)
	var all []string
	for _, host := range shops {
		all = append(all, "https://"+host+"/callback", "https://"+host+"/callback/k")
	}
	srv.Register(authserver.ClientRegistration{
		ID: r.cfg.ClientID, Secret: fmt.Sprintf("a secret of %x", "k"), AuthMethod: authserver.Basic, RedirectURIs: all,
	})
	return a, srv
}

// everywhere is a browser for which all hosts are the app's server.
func (a *app) everywhere() *browser {
	b := a.browser()
	b.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, a.server.Listener.Addr().String())
	}
	return b
}

// TestWhiteLabel: each host has a redirect URL of its own, and a login of one
// ends at no other.
func TestWhiteLabel(t *testing.T) {
	for claim, own := range map[string]bool{"of all tenants": false, "of the tenant": true} {
		t.Run(claim, func(t *testing.T) {
			a, srv := newShops(t, func(*tenants.Config) {})
			if own {
				r := a.table["k"]
				r.cfg.RedirectURL, r.version = "https://{host}/callback/{tenant}", "2"
				a.set("k", r)
			}
			b := a.everywhere()
			for _, host := range shops {
				a.URL = "https://" + host
				b.wantSignIn("k", srv)
			}
			r := b.callback("k", srv)
			if r.URL.Host != "b.example.com" {
				t.Errorf("the answer arrives at %s", r.URL.Host)
			}
			// Somebody brings the answer and the cookies to another host.
			sent := len(srv.TokenRequests())
			stolen := r.Clone(t.Context())
			stolen.URL.Host, stolen.Host = "a.example.com", "a.example.com"
			for _, c := range b.Jar.Cookies(r.URL) {
				stolen.AddCookie(c)
			}
			status, _ := b.deliver(srv, stolen)
			a.wantRefusal(status, authcode.Forged, "cookie.client")
			stolen.Host = "evil.example.com"
			status, _ = b.deliver(srv, stolen)
			a.wantRefusal(status, authcode.Forged, "tenants.host")
			wantNothingSentSince(t, srv, sent)
			if n := len(srv.Requests(authserver.Discovery)); n != 1 {
				t.Errorf("%d hosts loaded the metadata %d times", len(shops), n)
			}
		})
	}
}

// hosts are requests and what becomes of them.
var hosts = map[string]struct {
	host   string
	fn     func(*http.Request) (string, error)
	reason authcode.Reason
	check  string
}{
	"a host that is not listed":    {"evil.example.com", nil, authcode.Forged, "tenants.host"},
	"another port":                 {"a.example.com:444", nil, authcode.Forged, "tenants.host"},
	"other letters":                {"A.Example.com", nil, "", ""},
	"the app's function":           {"evil.example.com", hostIs("b.example.com", nil), "", ""},
	"its error":                    {"a.example.com", hostIs("", errors.New("down")), authcode.Configuration, "tenants.host"},
	"its own error":                {"a.example.com", hostIs("", authcode.NewError(authcode.NotAdmitted, "app.host", "no", nil)), authcode.NotAdmitted, "app.host"},
	"nothing":                      {"a.example.com", hostIs("", nil), authcode.Configuration, "tenants.host"},
	"a path":                       {"a.example.com", hostIs("a.example.com/evil", nil), authcode.Configuration, "tenants.host"},
	"user information":             {"a.example.com", hostIs("a@evil.example", nil), authcode.Configuration, "tenants.host"},
	"a space":                      {"a.example.com", hostIs("a b.example.com", nil), authcode.Configuration, "tenants.host"},
	"a port that is no number":     {"a.example.com", hostIs("a.example.com:port", nil), authcode.Configuration, "tenants.host"},
	"a port alone":                 {"a.example.com", hostIs(":443", nil), authcode.Configuration, "tenants.host"},
	"a host with another spelling": {"a.example.com", hostIs("A.example.com", nil), "", ""},
}

// TestHosts: only a host that the app vouches for gets into a redirect URL.
func TestHosts(t *testing.T) {
	for claim, row := range hosts {
		t.Run(claim, func(t *testing.T) {
			a, _ := newShops(t, func(cfg *tenants.Config) { cfg.Host = row.fn })
			r, err := http.NewRequest(http.MethodGet, "https://a.example.com/login?tenant=k", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = row.host
			r.Header.Set("X-Forwarded-Host", "b.example.com")
			resp, err := a.everywhere().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			io.Copy(io.Discard, resp.Body)
			if row.check != "" {
				a.wantRefusal(resp.StatusCode, row.reason, row.check)
				return
			}
			to, err := resp.Location()
			want := "a.example.com"
			if row.fn != nil && row.host == "evil.example.com" {
				want = "b.example.com"
			}
			if err != nil || to.Query().Get("redirect_uri") != "https://"+want+"/callback" {
				t.Errorf("the login goes on with %v, %v", to, err)
			}
		})
	}
}

func hostIs(host string, err error) func(*http.Request) (string, error) {
	return func(*http.Request) (string, error) { return host, err }
}

// TestInitiate: a portal's login finds its tenant by issuer, and no other.
func TestInitiate(t *testing.T) {
	a := newApp(t, 1)
	one, two := a.provider(), a.provider()
	a.tenant("one", one)
	a.tenant("two", two)
	a.tenant("two again", two)
	b := a.browser()
	resp, err := b.PostForm(a.URL+"/start", url.Values{
		"iss": {one.URL}, "login_hint": {"alice"}, "target_link_uri": {a.URL + "/cart"}, "evil": {"1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil || resp.StatusCode != http.StatusSeeOther || to.Path != "/start" || to.Query().Has("evil") ||
		resp.Header.Get("X-Frame-Options") != "DENY" {
		t.Fatalf("the form is answered with %d to %v", resp.StatusCode, to)
	}
	callback, page, err := one.Callback(b.Client, to.String())
	if err != nil || page != nil {
		t.Fatalf("%v, %v", err, a.lastError())
	}
	if status, text := b.deliver(one, callback); text != "alice of one" || a.login.ReturnTo != "/cart" {
		t.Errorf("%d %s, to %s", status, text, a.login.ReturnTo)
	}
	for claim, row := range map[string]struct {
		query, check string
		reason       authcode.Reason
	}{
		"two tenants":       {"?iss=" + url.QueryEscape(two.URL), "tenants.ambiguous", authcode.NotAdmitted},
		"no tenant":         {"?iss=https://other.example", "tenants.ambiguous", authcode.NotAdmitted},
		"no issuer":         {"", "tenants.initiate", authcode.Malformed},
		"two issuers":       {"?iss=a&iss=b", "tenants.initiate", authcode.Malformed},
		"the table is away": {"?iss=https://down.example", "tenants.by_issuer", authcode.Configuration},
	} {
		status, _ := b.get(a.URL + "/start" + row.query)
		t.Log(claim)
		a.wantRefusal(status, row.reason, row.check)
	}
}

// TestInitiateRefuses: a form that cannot be read, no issuer, and a registry that
// looks up none.
func TestInitiateRefuses(t *testing.T) {
	a := newApp(t, 1)
	one := a.provider()
	a.tenant("one", one)
	resp, err := a.browser().Post(a.URL+"/start", "text/plain", strings.NewReader("iss="+url.QueryEscape(one.URL)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	a.wantRefusal(resp.StatusCode, authcode.Malformed, "tenants.initiate")
	status, _ := a.browser().get(a.URL + "/start?iss=")
	a.wantRefusal(status, authcode.Malformed, "tenants.initiate")
	alone := newApp(t, 1, func(cfg *tenants.Config) { cfg.ByIssuer = nil })
	status, _ = alone.browser().get(alone.URL + "/start?iss=" + url.QueryEscape(one.URL))
	alone.wantRefusal(status, authcode.Malformed, "tenants.initiate")
}

// TestGrantAtAnotherHost: the Client of a grant is made for the host of the
// request, and for none that is not the app's.
func TestGrantAtAnotherHost(t *testing.T) {
	a, _ := newShops(t, func(*tenants.Config) {})
	r := httptest.NewRequest(http.MethodGet, "https://evil.example/", nil)
	for claim, row := range map[string]struct {
		ctx    context.Context
		tenant string
		reason authcode.Reason
		check  string
	}{
		"another host":           {realm.WithRequest(r), "k", authcode.Forged, "tenants.host"},
		"a key that is too long": {t.Context(), strings.Repeat("k", 256), authcode.NotFound, "tenants.unknown"},
		"the same of a request":  {realm.WithRequest(r), strings.Repeat("k", 256), authcode.NotFound, "tenants.unknown"},
	} {
		client, err := a.instances[0].ClientFor(row.ctx, authcode.Origin{Tenant: row.tenant, Issuer: "i"})
		if client != nil {
			t.Errorf("%s: there is a Client", claim)
		}
		world.WantError(t, err, row.reason, row.check)
	}
}
