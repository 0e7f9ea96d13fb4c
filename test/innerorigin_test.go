package test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// innerAddress is the second address of a server, which the app alone reaches.
// It sends the app's requests on to the outer address.
type innerAddress struct {
	outer, origin string
	proxy         *httputil.ReverseProxy
	named         []string // members of the metadata with the inner origin

	mu    sync.Mutex
	paths []string // that were asked for, with "!" if for another host
}

// openInner opens the inner address of srv.
func openInner(
	t *testing.T, srv *authserver.Server, trust *tls.Config, named ...string,
) *innerAddress {
	t.Helper()
	target, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	in := &innerAddress{outer: srv.URL, named: named}
	transport := &http.Transport{TLSClientConfig: trust}
	in.proxy = &httputil.ReverseProxy{
		Transport:      transport,
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: in.rename,
	}
	server := httptest.NewServer(in)
	t.Cleanup(func() {
		server.Close()
		transport.CloseIdleConnections()
	})
	in.origin = server.URL
	return in
}

func (in *innerAddress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	mark := ""
	if "http://"+r.Host != in.origin {
		mark = "!"
	}
	in.mu.Lock()
	in.paths = append(in.paths, mark+r.URL.Path)
	in.mu.Unlock()
	in.proxy.ServeHTTP(w, r)
}

// rename writes the inner origin into the metadata.
func (in *innerAddress) rename(resp *http.Response) error {
	if !strings.Contains(resp.Request.URL.Path, "/.well-known/") {
		return nil
	}
	data, err := io.ReadAll(resp.Body)
	text := string(data)
	for _, name := range in.named {
		text = strings.Replace(text, `"`+name+`":"`+in.outer, `"`+name+`":"`+in.origin, 1)
	}
	resp.Body = io.NopCloser(strings.NewReader(text))
	resp.ContentLength = int64(len(text))
	resp.Header.Set("Content-Length", fmt.Sprint(len(text)))
	return err
}

// use configures an app that reaches nothing but the inner address.
func (in *innerAddress) use(t *testing.T) func(*config) {
	return func(c *config) {
		transport := new(http.Transport)
		t.Cleanup(transport.CloseIdleConnections)
		transport.DialContext = func(
			ctx context.Context, network, address string,
		) (net.Conn, error) {
			if "http://"+address != in.origin {
				t.Errorf("the app asks %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		c.Transport, c.InsecureInnerOrigins = transport, map[string]string{in.origin: in.outer}
		c.Provider = oidc.Provider(in.outer, oidc.UserInfo())
		c.Provider.Algorithms = []string{"ES256"}
	}
}

// asked returns the paths that were asked for, once each.
func (in *innerAddress) asked() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(in.paths)))
}

// backChannel are the members whose URLs the app itself asks.
var backChannel = []string{
	"token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint",
	"introspection_endpoint", "pushed_authorization_request_endpoint",
}

// openSplit is a world whose server has two addresses.
func openSplit(t *testing.T, named ...string) (*world.World, *innerAddress) {
	t.Helper()
	w := world.Open(t, world.Setup{Options: []authserver.Option{authserver.OfferPAR()}})
	in := openInner(t, w.Server, w.Config.Transport.TLSClientConfig, named...)
	w.Configure(in.use(t))
	return w, in
}

// TestInnerOrigin: the app asks the inner address alone, whether the metadata
// names it or not, and the browser the outer one.
func TestInnerOrigin(t *testing.T) {
	for claim, named := range map[string][]string{
		"the metadata names the outer origin": nil,
		"the metadata names the inner origin": backChannel,
	} {
		t.Run(claim, func(t *testing.T) {
			w, in := openSplit(t, named...)
			b := w.Browser()
			to := b.Start("")
			if !strings.HasPrefix(to, in.outer+"/") {
				t.Errorf("the browser is sent to %s", to)
			}
			b.Get(b.Approve(to))
			fresh, err := w.Client.Refresh(t.Context(), w.LastLogin().Token)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := oidc.Introspect(t.Context(), w.Client, fresh.AccessToken, ""); err != nil {
				t.Error(err)
			}
			if err := w.Client.Revoke(t.Context(), fresh); err != nil {
				t.Error(err)
			}
			logout, err := oidc.LogoutURL(t.Context(), w.Client, oidc.Logout{})
			if err != nil || !strings.HasPrefix(logout, in.outer+"/") {
				t.Errorf("people sign out at %s, %v", logout, err)
			}
			in.wantAllAsked(t, w, named != nil)
		})
	}
}

// wantAllAsked expects the metadata to name the inner or the outer address, and
// the app to have asked the inner one for everything.
func (in *innerAddress) wantAllAsked(t *testing.T, w *world.World, named bool) {
	t.Helper()
	conn, err := w.Client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/.well-known/openid-configuration"}
	e := conn.Endpoints
	for _, raw := range []string{
		e.IntrospectionURL, e.JWKSURL, e.PARURL, e.RevocationURL, e.TokenURL, e.UserInfoURL,
	} {
		u, err := url.Parse(raw)
		if err != nil || named != strings.HasPrefix(raw, in.origin) {
			t.Errorf("the metadata names %s, %v", raw, err)
		}
		want = append(want, u.Path)
	}
	if slices.Sort(want); !slices.Equal(in.asked(), want) {
		t.Errorf("the inner address was asked for %q, want %q", in.asked(), want)
	}
}

// TestInnerOriginOfPages: what a browser visits is never at the inner address.
func TestInnerOriginOfPages(t *testing.T) {
	w, _ := openSplit(t, append(backChannel, "end_session_endpoint")...)
	if _, err := oidc.LogoutURL(t.Context(), w.Client, oidc.Logout{}); err == nil {
		t.Error("people sign out at the inner address")
	}
	_, in := openSplit(t, append(backChannel, "authorization_endpoint")...)
	c, err := authcode.New(world.Config(nil, in.use(t), func(c *config) { c.Wrap = nil }))
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = world.Start(c)
	world.WantError(t, err, authcode.BadAnswer, "discovery.endpoints")
	found := world.Endpoints()
	for _, field := range []*string{&found.AuthURL, &found.EndSessionURL} {
		before := *field
		*field = in.origin + "/x"
		c := world.Client(t, nil, world.LookedUp(world.Finds(found)), func(c *config) {
			c.InsecureInnerOrigins = map[string]string{in.origin: world.Issuer}
		})
		_, _, err := world.Start(c)
		world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
		*field = before
	}
}

// TestInnerOriginIsExact: an origin that nobody has named stays refused.
func TestInnerOriginIsExact(t *testing.T) {
	for _, named := range []string{
		"http://keycloak", "http://keycloak:8081", "http://keycloak.example:8080",
		"http://u@keycloak:8080", "http://127.0.0.1:8080",
	} {
		found := world.Endpoints()
		found.TokenURL = named + "/t"
		c := world.Client(t, nil, world.LookedUp(world.Finds(found)), func(c *config) {
			c.InsecureInnerOrigins = map[string]string{"http://keycloak:8080": world.Issuer}
		})
		_, _, err := world.Start(c)
		world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
		_, err = c.TokenSource(validToken(), nil).APIClient(named)
		world.WantError(t, err, authcode.Configuration, "api.origin")
	}
}

// TestInnerOriginOfALogin: a login ends at an instance of the app that knows no
// inner origin.
func TestInnerOriginOfALogin(t *testing.T) {
	w, in := openSplit(t, backChannel...)
	b := w.Browser()
	callback := b.Callback("")
	w.Configure(func(c *config) {
		c.InsecureInnerOrigins, c.Transport = nil, in.proxy.Transport.(*http.Transport)
	})
	b.Get(callback)
	if login := w.LastLogin(); login.Token.AccessToken == "" {
		t.Error("no token")
	}
}
