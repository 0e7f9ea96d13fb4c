package interop

import (
	"errors"
	"net/http"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
	"golang.org/x/oauth2"
)

// keycloakClient is a client of the realm, and an app that signs in as it.
type keycloakClient struct {
	name          string // its client ID
	authenticator string
	attributes    map[string]string // of its registration
	asks          bool              // the person is asked for consent
	configure     func(k *keycloak, cfg *authcode.Config)
	profile       *fapi.Profile // that the app is under; nil: none
}

// What Keycloak calls the ways in which a client proves who it is.
const (
	bySecret = "client-secret"
	byHMAC   = "client-secret-jwt"
	byJWT    = "client-jwt"
	byTLS    = "client-x509"
)

// Keycloak tells the one client of logouts. The app of the other one is not
// where it was registered.
const keycloakLeaver, keycloakElsewhere = "back-channel logout", "another redirect URI"

var keycloakClients = []keycloakClient{
	{name: "client_secret_basic", authenticator: bySecret, configure: withSecret},
	{name: "client_secret_post", authenticator: bySecret,
		configure: func(k *keycloak, cfg *authcode.Config) {
			withSecret(k, cfg)
			cfg.Provider.AuthStyle = oauth2.AuthStyleInParams
		}},
	{name: "client_secret_jwt", authenticator: byHMAC,
		configure: func(_ *keycloak, cfg *authcode.Config) {
			cfg.ClientAuth = clientauth.SecretJWT(keycloakSecret)
		}},
	{name: "private_key_jwt", authenticator: byJWT, configure: withKey},
	{name: "tls_client_auth", authenticator: byTLS,
		configure: func(k *keycloak, cfg *authcode.Config) {
			cfg.ClientAuth = clientauth.MutualTLS()
			cfg.Certificate = clientauth.Certificate(k.certificate)
		}},
	{name: "certificate-bound tokens", authenticator: byTLS, attributes: boundToCertificate,
		configure: withCertificateBound},
	{name: "PAR, left out", authenticator: bySecret,
		configure: func(k *keycloak, cfg *authcode.Config) {
			withSecret(k, cfg)
			cfg.DisablePAR = true
		}},
	{name: "PAR, required", authenticator: bySecret, configure: withSecret,
		attributes: map[string]string{"require.pushed.authorization.requests": "true"}},
	{name: "DPoP", authenticator: bySecret, attributes: boundToKey,
		configure: func(k *keycloak, cfg *authcode.Config) {
			withSecret(k, cfg)
			cfg.Binding = dpop.New(k.key)
		}},
	{name: "JAR", authenticator: byJWT, attributes: signedRequests,
		configure: func(k *keycloak, cfg *authcode.Config) {
			withKey(k, cfg)
			cfg.MessageSigning = clientauth.SignRequests(clientauth.Key{Signer: k.key})
		}},
	{name: "JARM", authenticator: bySecret, attributes: signedResponses,
		configure: func(k *keycloak, cfg *authcode.Config) {
			withSecret(k, cfg)
			cfg.Provider.Algorithms = []string{"ES256"}
			cfg.MessageSigning = authcode.MessageSigning{SignedResponses: true}
		}},
	{name: "FAPI 2.0 Security, DPoP", authenticator: byJWT, profile: &securityProfile,
		attributes: merge(boundToKey, es256), configure: withKeyBound},
	{name: "FAPI 2.0 Security, mutual TLS", authenticator: byTLS, profile: &securityProfile,
		attributes: merge(boundToCertificate, es256), configure: withCertificateBound},
	{name: "FAPI 2.0 Message Signing", authenticator: byJWT, profile: &signingProfile,
		attributes: merge(boundToKey, signedRequests, signedResponses),
		configure: func(k *keycloak, cfg *authcode.Config) {
			withKeyBound(k, cfg)
			cfg.MessageSigning = clientauth.SignRequests(clientauth.Key{Signer: k.key})
			cfg.MessageSigning.SignedResponses = true
		}},
	{name: "consent", authenticator: bySecret, configure: withSecret, asks: true},
	{name: keycloakLeaver, authenticator: bySecret, configure: withSecret},
	{name: keycloakElsewhere, authenticator: bySecret, configure: withSecret},
}

var (
	securityProfile, signingProfile = fapi.Security, fapi.MessageSigning

	boundToKey         = map[string]string{"dpop.bound.access.tokens": "true"}
	boundToCertificate = map[string]string{"tls.client.certificate.bound.access.tokens": "true"}
	es256              = map[string]string{
		"id.token.signed.response.alg": "ES256", "access.token.signed.response.alg": "ES256",
	}
	signedRequests = map[string]string{
		"request.object.required":      "request or request_uri",
		"request.object.signature.alg": "ES256",
	}
	signedResponses = merge(es256, map[string]string{
		"authorization.signed.response.alg": "ES256",
	})
)

func merge(attributes ...map[string]string) map[string]string {
	all := make(map[string]string)
	for _, some := range attributes {
		for name, value := range some {
			all[name] = value
		}
	}
	return all
}

func withSecret(_ *keycloak, cfg *authcode.Config) {
	cfg.ClientAuth = authcode.Secret(keycloakSecret)
}

func withKey(k *keycloak, cfg *authcode.Config) {
	cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: k.key})
}

func withKeyBound(k *keycloak, cfg *authcode.Config) {
	withKey(k, cfg)
	cfg.Binding = dpop.New(k.key)
}

func withCertificateBound(k *keycloak, cfg *authcode.Config) {
	cfg.ClientAuth, cfg.Binding = clientauth.MutualTLS(), clientauth.CertificateBound()
	cfg.Certificate = clientauth.Certificate(k.certificate)
}

// keycloakClientOf returns the client with this name.
func keycloakClientOf(t testing.TB, name string) keycloakClient {
	t.Helper()
	for _, c := range keycloakClients {
		if c.name == name {
			return c
		}
	}
	t.Fatalf("the realm has no client %q", name)
	return keycloakClient{}
}

// app serves the app of c on https://localhost, with changes to its Config.
func (c keycloakClient) app(t testing.TB, k *keycloak, changes ...func(*authcode.Config)) *app {
	t.Helper()
	return serveAppOf(t, true, func(redirectURL string) authcode.Config {
		cfg := authcode.Config{
			Provider: provider.Keycloak(k.outer, keycloakName), ClientID: c.name,
			CookieKeys: [][]byte{newKey()}, Transport: theCertificate(t).transport(),
			RedirectURL: redirectURL,
		}
		c.configure(k, &cfg)
		for _, change := range changes {
			change(&cfg)
		}
		return cfg
	}, func(cfg authcode.Config) (*authcode.Client, error) {
		if c.profile != nil {
			return fapi.New(*c.profile, cfg)
		}
		return authcode.New(cfg)
	})
}

// signInAtKeycloak goes from Keycloak's first page to the end of the login.
func signInAtKeycloak(me *person, first *page) *page {
	return me.fill(first, map[string]string{
		"username": keycloakAccount, "password": keycloakPassword,
	})
}

// wordsOf returns the provider's own words about a failure.
func wordsOf(err *authcode.Error) string {
	if err == nil {
		return ""
	}
	return err.ServerDescription
}

// atKeycloak signs alice in at a, and returns her login.
func atKeycloak(t testing.TB, a *app, me *person) *authcode.Login {
	t.Helper()
	first := me.visit(a.url + "/login")
	if got := a.outcome(); got.err != nil {
		t.Fatalf("the login does not begin: %v: %s", got.err, wordsOf(got.err))
	}
	signInAtKeycloak(me, first)
	got := a.outcome()
	if got.login == nil {
		t.Fatalf("no login: %v: %s", got.err, wordsOf(got.err))
	}
	if who := got.login.Identity; who.Email != "alice@example.test" || who.Name != "Name of alice" {
		t.Errorf("signed in as %+v", who)
	}
	return got.login
}

// A login, a refresh, an API call and a revocation, as each kind of client.
func TestKeycloak(t *testing.T) {
	k := theKeycloak(t)
	for _, c := range keycloakClients {
		if c.asks || c.name == keycloakElsewhere {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			a := c.app(t, k)
			login := atKeycloak(t, a, newPerson(t))
			fresh, err := a.client.Refresh(t.Context(), login.Token)
			if err != nil {
				t.Fatal(err)
			}
			if fresh.AccessToken == login.Token.AccessToken {
				t.Error("the refresh brings the same token")
			}
			k.isBound(t, a, c, fresh)
			if err := a.client.Revoke(t.Context(), fresh); err != nil {
				t.Error(err)
			}
			_, err = a.client.Refresh(t.Context(), fresh)
			if !errors.Is(err, authcode.GrantRejected) {
				t.Errorf("refresh after revocation gives %v, want grant rejected", err)
			}
		})
	}
}

// isBound expects Keycloak to have bound a token of c to its key or its
// certificate, and to take it from the app and from nobody who has neither.
func (k *keycloak) isBound(t *testing.T, a *app, c keycloakClient, token *oauth2.Token) {
	t.Helper()
	info, err := oidc.Introspect(t.Context(), a.client, token.AccessToken, "")
	if err != nil || !info.Active {
		t.Fatalf("introspection says %+v, %v", info, err)
	}
	cnf, _ := info.Claims["cnf"].(map[string]any)
	byKey := c.attributes["dpop.bound.access.tokens"] != ""
	byCert := c.attributes["tls.client.certificate.bound.access.tokens"] != ""
	thumbprint := clientauth.Thumbprint(k.certificate)
	if (cnf["jkt"] != nil) != byKey || byCert && cnf["x5t#S256"] != thumbprint {
		t.Errorf("the token is bound by %v", cnf)
	}
	client, err := a.client.TokenSource(token, nil).APIClient(k.outer)
	if err != nil {
		t.Fatal(err)
	}
	address := k.outer + "/realms/acme%20staff/protocol/openid-connect/userinfo"
	if res, err := client.Get(address); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the API answers %v, %v", res, err)
	}
	thief, _ := http.NewRequest(http.MethodGet, address, nil)
	thief.Header.Set("Authorization", "Bearer "+token.AccessToken)
	res, err := withCertificates(t).Do(thief)
	if err != nil || (res.StatusCode == http.StatusOK) != (!byKey && !byCert) {
		t.Errorf("the API answers a thief %v, %v", res, err)
	}
}
