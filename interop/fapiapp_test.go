package interop

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// fapiApp is an app of authcode's that signs in as a client of one kind.
type fapiApp struct {
	*app
	*fapiClient
	setup  fapiSetup
	o      *fapiProvider
	id     string
	start  string // where its logins start
	config authcode.Config
}

// fapiSetup is what is special about an app.
type fapiSetup struct {
	metadata map[string]any                      // registered besides that of its kind
	change   func(*fapiClient, *authcode.Config) // alters its configuration
	loose    bool                                // made without the profile, which would refuse it
}

// construct makes the app's Client, under the profile that it has the configuration for.
func (s fapiSetup) construct(cfg authcode.Config) (*authcode.Client, error) {
	if s.loose {
		return authcode.New(cfg)
	}
	if cfg.MessageSigning.SignRequest != nil && cfg.MessageSigning.SignedResponses {
		return fapi.New(fapi.MessageSigning, cfg)
	}
	return fapi.New(fapi.Security, cfg)
}

// newFAPIApp serves an app on https://localhost, another site than the provider's.
func newFAPIApp(t testing.TB, o *fapiProvider, kind fapiKind, setup fapiSetup) *fapiApp {
	t.Helper()
	a := &fapiApp{fapiClient: kind.newClient(t), setup: setup, o: o, start: "/login"}
	a.app = serveAppOf(t, true, func(redirectURL string) authcode.Config {
		a.id = o.registerFAPI(t, a.fapiClient, redirectURL, setup.metadata)
		cfg := authcode.Config{
			Provider: oidc.Provider(o.issuer, oidc.UserInfo()), ClientID: a.id,
			ClientAuth: a.auth(), Binding: a.binds(t), Certificate: a.shows(),
			CookieKeys: [][]byte{newKey()}, Transport: o.transport, RedirectURL: redirectURL,
		}
		offline(&cfg)
		if setup.change != nil {
			setup.change(a.fapiClient, &cfg)
		}
		a.config = cfg
		return cfg
	}, setup.construct)
	return a
}

// instance is the same app in another process: it shares what is configured and stored, and with
// binding also that, but no memory.
func (a *fapiApp) instance(t testing.TB, binding authcode.Binding) *fapiApp {
	t.Helper()
	cfg := a.config
	cfg.Binding = binding
	client, err := a.setup.construct(cfg)
	if err != nil {
		t.Fatal(err)
	}
	other := *a
	other.app = &app{url: a.url, client: client}
	return &other
}

// begin starts a login. All that the browser carries to the provider is a reference.
func (a *fapiApp) begin(t testing.TB, me *person) *page {
	t.Helper()
	to := me.redirect(a.url + a.start)
	if to == nil {
		e := a.outcome().err
		t.Fatalf("no login: %v %s", e, e.ServerDescription)
	}
	query := to.Query()
	if len(query) != 2 || query.Get("client_id") != a.id ||
		!strings.HasPrefix(query.Get("request_uri"), "urn:ietf:params:oauth:request_uri:") {
		t.Fatalf("the browser is sent to %s", to)
	}
	return me.visit(to.String())
}

// signIn signs alice in and returns her login.
func (a *fapiApp) signIn(t testing.TB) *authcode.Login {
	t.Helper()
	me := newPerson(t)
	end := me.press(me.press(a.begin(t, me), "sign-in"), "approve")
	if strings.HasPrefix(end.url.String(), a.o.issuer) { // form_post: a page with a form
		end = me.press(end, "")
	}
	got := a.outcome()
	if got.login == nil {
		t.Fatalf("no login at %s: %v", end.url, got.err)
	}
	if who := got.login.Identity; who.Subject != "alice" || who.Issuer != a.o.issuer {
		t.Errorf("signed in as %q of %q", who.Subject, who.Issuer)
	}
	if got.login.Token.RefreshToken == "" || got.login.Token.TokenType != a.tokenType() {
		t.Errorf("a token of type %s, want one of type %s and a refresh token",
			got.login.Token.TokenType, a.tokenType())
	}
	return got.login
}

// userinfo asks the API about the person who gave the token, as an app does: at the aliases if a
// certificate is needed for it.
func (a *fapiApp) userinfo(t testing.TB, token *oauth2.Token) (status int, body string) {
	t.Helper()
	origin := a.o.issuer
	if a.binding == byCertificate {
		origin = a.o.aliases
	}
	conn, err := a.client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := conn.Endpoints.UserInfoURL
	if !strings.HasPrefix(address, origin+"/") {
		t.Errorf("userinfo is at %s, want it at %s", address, origin)
	}
	alone := *token
	alone.RefreshToken = "" // the client would renew a token that the API refuses
	client, err := a.client.TokenSource(&alone, nil).APIClient(origin)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(data)
}

// usable expects the API to take a token from its owner, and from nobody else.
func (a *fapiApp) usable(t testing.TB, token *oauth2.Token) {
	t.Helper()
	before := a.o.counts(t)
	if status, body := a.userinfo(t, token); status != http.StatusOK || !strings.Contains(body, `"alice"`) {
		t.Errorf("the API answers %d: %s", status, body)
	}
	if shown := a.o.since(t, before); len(shown) > 0 {
		t.Errorf("the API call asked the provider for more: %v", shown)
	}
	for _, thief := range a.thieves(t) {
		if got := thief.get(thief.tokenType(), token.AccessToken); got.status != http.StatusUnauthorized {
			t.Errorf("the API at %s answers %d to a thief with %v", thief.at, got.status, thief.fapiKind)
		}
	}
}

// introspect asks the provider what a token is, as an API would.
func (a *fapiApp) introspect(t testing.TB, token string) *oidc.TokenInfo {
	t.Helper()
	info, err := oidc.Introspect(t.Context(), a.client, token, "")
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// bound returns what the provider says that a token is bound to: the thumbprint of a key or of a
// certificate.
func (a *fapiApp) bound(t testing.TB, token *oauth2.Token) string {
	t.Helper()
	info := a.introspect(t, token.AccessToken)
	cnf, _ := info.Claims["cnf"].(map[string]any)
	member := map[string]string{byDPoP: "jkt", byCertificate: "x5t#S256"}[a.binding]
	thumbprint, _ := cnf[member].(string)
	if thumbprint == "" || len(cnf) != 1 || !info.Active || info.Claims["token_type"] != a.tokenType() {
		t.Errorf("introspection says %v, want %s in cnf", info.Claims, member)
	}
	return thumbprint
}

// thieves have keys and certificates of their own.
func (a *fapiApp) thieves(t testing.TB) (thieves []*rawFAPI) {
	t.Helper()
	for _, at := range []string{a.o.issuer, a.o.aliases} {
		for _, kind := range []fapiKind{jwtDPoP, jwtBound, tlsBound} {
			c := kind.newClient(t)
			thief := &rawFAPI{t: t, o: a.o, fapiClient: c, at: at, http: withCertificates(t, c.certificate)}
			if kind.binding == byDPoP {
				thief.proves = c.key
			}
			thieves = append(thieves, thief)
		}
		bare := &rawFAPI{t: t, o: a.o, fapiClient: jwtBound.newClient(t), at: at, http: withCertificates(t)}
		thieves = append(thieves, bare)
	}
	return thieves
}

// path is an endpoint as the counts name it, for back-channel requests of the client's.
func (k fapiKind) path(endpoint string) string {
	if k.method == "private_key_jwt" && k.binding == byDPoP {
		return "POST " + endpoint
	}
	return "POST alias" + endpoint
}

// auth is how the app proves who it is, binds what its tokens are bound to, shows its certificate.
func (c *fapiClient) auth() authcode.ClientAuth {
	if c.method == "private_key_jwt" {
		return clientauth.PrivateKeyJWT(clientauth.Key{Signer: c.key, ID: "signs"})
	}
	return clientauth.MutualTLS()
}

func (c *fapiClient) binds(t testing.TB) authcode.Binding {
	t.Helper()
	if c.binding == byDPoP {
		return dpop.New(newSigner(t, c.alg))
	}
	return clientauth.CertificateBound()
}

func (c *fapiClient) shows() func(context.Context) (*tls.Certificate, error) {
	if c.certificate.Certificate == nil {
		return nil
	}
	return clientauth.Certificate(c.certificate)
}
