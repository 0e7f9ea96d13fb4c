package interop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/oidc"
)

// insideRows are the ways of an app inside to send requests.
var insideRows = []struct {
	name, client string
	change       func(k *keycloak, cfg *authcode.Config)
}{
	{"Basic", "client_secret_basic", nil},
	{"body", "client_secret_post", nil},
	{"HMAC", "client_secret_jwt", nil},
	{"assertion for the issuer", "private_key_jwt", nil},
	{"assertion for the token endpoint", "private_key_jwt",
		assertionFor(clientauth.TokenURLAudience())},
	{endpointAssertion, "private_key_jwt", assertionFor(clientauth.EndpointAudience())},
	{"DPoP", "DPoP", nil},
	{"JAR", "JAR", nil},
	{"without PAR", "PAR, left out", nil},
}

// endpointAssertion names a row. Keycloak takes this audience, but not at its
// revocation endpoint.
const endpointAssertion = "assertion for the endpoint"

func assertionFor(opt clientauth.Option) func(*keycloak, *authcode.Config) {
	return func(k *keycloak, cfg *authcode.Config) {
		cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: k.key}, opt)
	}
}

// An app beside Keycloak reaches it over http alone, by every kind of request.
// Keycloak names its inner origin to everybody who asks there
// (hostname-backchannel-dynamic), and the browser stays outside.
func TestKeycloakInside(t *testing.T) {
	k := theKeycloak(t)
	inside := func(cfg *authcode.Config) {
		cfg.Provider.Identity = oidc.Provider(cfg.Provider.Issuer, oidc.UserInfo()).Identity
		cfg.InsecureInnerOrigins = map[string]string{k.inner: k.outer}
		cfg.Transport = onlyTo(t, k.inner)
	}
	for _, row := range insideRows {
		t.Run(row.name, func(t *testing.T) {
			a := keycloakClientOf(t, row.client).app(t, k, inside, func(cfg *authcode.Config) {
				if row.change != nil {
					row.change(k, cfg)
				}
			})
			k.isSplit(t, a)
			login := atKeycloak(t, a, newPerson(t))
			fresh, err := a.client.Refresh(t.Context(), login.Token)
			if err != nil {
				t.Fatal(err)
			}
			info, err := oidc.Introspect(t.Context(), a.client, fresh.AccessToken, "")
			if err != nil || !info.Active {
				t.Errorf("introspection says %+v, %v", info, err)
			}
			k.answersInside(t, a, login)
			err = a.client.Revoke(t.Context(), fresh)
			if refused := row.name == endpointAssertion; (err != nil) != refused {
				t.Errorf("revocation: %v, want it refused: %t", err, refused)
			}
		})
	}
}

// isSplit expects the metadata to name both origins.
func (k *keycloak) isSplit(t *testing.T, a *app) {
	t.Helper()
	conn, err := a.client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := conn.Endpoints
	for url, origin := range map[string]string{
		e.AuthURL: k.outer, e.EndSessionURL: k.outer, e.TokenURL: k.inner, e.PARURL: k.inner,
		e.JWKSURL: k.inner, e.UserInfoURL: k.inner, e.IntrospectionURL: k.inner,
		// Keycloak names its outer origin here. The app goes to the inner one.
		e.RevocationURL: k.outer,
	} {
		if !strings.HasPrefix(url, origin+"/") {
			t.Errorf("the metadata names %s, want it at %s", url, origin)
		}
	}
}

// answersInside calls an API of Keycloak at either of its origins.
func (k *keycloak) answersInside(t *testing.T, a *app, login *authcode.Login) {
	t.Helper()
	client, err := a.client.TokenSource(login.Token, nil).APIClient(k.inner, k.outer)
	if err != nil {
		t.Fatal(err)
	}
	for _, origin := range []string{k.inner, k.outer} {
		res, err := client.Get(origin + "/realms/acme%20staff/protocol/openid-connect/userinfo")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("userinfo at %s answers %s: %s", origin, res.Status,
				res.Header.Get("WWW-Authenticate"))
		}
	}
}

// onlyTo is a transport that reaches one origin.
func onlyTo(t *testing.T, origin string) *http.Transport {
	transport := new(http.Transport)
	t.Cleanup(transport.CloseIdleConnections)
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if "http://"+address != origin {
			return nil, fmt.Errorf("%s cannot be reached from inside", address)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return transport
}
