package oidc_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// impostor answers for the issuer with keys of its own, and has a certificate that some trust stores
// admit. It returns a transport of such a trust store, for which the issuer's name leads here.
func impostor(t *testing.T, issuer string, key *memKey) *http.Transport {
	t.Helper()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/jwks") {
			json.NewEncoder(w).Encode(members{"keys": []members{key.jwk(nil)}})
			return
		}
		json.NewEncoder(w).Encode(members{
			"issuer": issuer, "authorization_endpoint": issuer + "/authorize", "token_endpoint": issuer + "/token", "jwks_uri": issuer + "/jwks",
		})
	}))
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	return &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		},
	}
}

// trustStores are two Clients that share a description of the provider, and have roots of their own.
type trustStores struct {
	srv           *authserver.Server
	pinned, other *authcode.Client
	forged        string // a logout token by the impostor, whom the other roots admit
	app           *httptest.Server
}

func newTrustStores(t *testing.T) *trustStores {
	t.Helper()
	x := &trustStores{srv: authserver.NewTLSServer(authserver.Algorithm("RS256")), app: httptest.NewUnstartedServer(nil)}
	t.Cleanup(x.srv.Close)
	cfg := x.srv.Register(authserver.ClientRegistration{
		ID: memClient, Secret: "s3cret", RedirectURIs: []string{"https://" + x.app.Listener.Addr().String() + "/callback"},
	})
	cfg.Provider = oidc.Provider(x.srv.URL)
	x.pinned = must(authcode.New(cfg))
	key := newKey("RS256", "impostor")
	cfg.Transport = impostor(t, x.srv.URL, key)
	x.other = must(authcode.New(cfg))
	x.forged = key.sign(payload(members{
		"iss": x.srv.URL, "aud": memClient, "iat": in(0), "exp": in(60), "jti": "j", "sub": "alice", "events": logoutEvents,
	}, nil), members{"typ": "logout+jwt"})
	mux := http.NewServeMux()
	mux.Handle("/login", x.pinned.LoginHandler())
	mux.Handle("/callback", x.pinned.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})))
	x.app.Config.Handler = mux
	x.app.StartTLS()
	t.Cleanup(x.app.Close)
	return x
}

// logOut posts a logout token to a handler of c.
func (x *trustStores) logOut(c *authcode.Client, token string) (status int) {
	h := oidc.BackChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error { return nil })
	return post(h, url.Values{"logout_token": {token}}).Code
}

// TestTrustStores: what one Client, or a handler of it, has loaded never serves the other,
// in whatever order they load.
func TestTrustStores(t *testing.T) {
	for _, impostorFirst := range []bool{true, false} {
		x := newTrustStores(t)
		if impostorFirst && x.logOut(x.other, x.forged) != 200 {
			t.Fatal("the other trust store does not believe the impostor")
		}
		browser := x.app.Client()
		browser.Jar, _ = cookiejar.New(nil)
		resp, err := x.srv.SignIn(browser, x.app.URL+"/login")
		if err != nil || resp.StatusCode != http.StatusNoContent {
			t.Fatalf("impostor first %t: the login fails: %v, %v", impostorFirst, resp, err)
		}
		resp.Body.Close()
		if got := x.logOut(x.pinned, x.forged); got != 400 {
			t.Errorf("impostor first %t: the pinned roots believe the impostor: status %d", impostorFirst, got)
		}
		good := x.srv.LogoutToken(memClient, "alice")
		if got := x.logOut(x.pinned, good); got != 200 {
			t.Errorf("the provider's own token: status %d", got)
		}
		if got := x.logOut(x.other, good); got != 400 {
			t.Errorf("impostor first %t: the keys of the pinned roots serve another trust store: status %d", impostorFirst, got)
		}
	}
}
