package authserver_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// signing is client authentication by hand, with the key of a test.
type signing struct {
	x    *tester
	pair keyPair
}

func (s signing) seam() authcode.ClientAuth {
	return authcode.ClientAuth{Method: "private_key_jwt", Authenticate: func(_ context.Context, req *authcode.TokenRequest) error {
		s.x.withAssertion(req.Form, s.pair, req.Config.ClientID)
		return nil
	}}
}

func TestLoginWithPushedRequest(t *testing.T) {
	x, pair := newTester(t), newPair(t, "ES256")
	mux := http.NewServeMux()
	app := httptest.NewServer(mux) // http, as the server
	t.Cleanup(app.Close)
	reg := authserver.FAPIClient("fapi", app.URL+"/callback", pair.public())
	reg.RequireDPoP = false // this test has a client without
	cfg := x.srv.Register(reg)
	if cfg.ClientAuth.Authenticate != nil {
		t.Error("Register makes a ClientAuth for a key that it has not got")
	}
	cfg.ClientAuth = signing{x, pair}.seam()
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "signed in") })))
	browser := app.Client()
	if browser.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	resp, err := x.srv.SignIn(browser, app.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "signed in" {
		t.Errorf("the app says %s", body)
	}
	seen := x.srv.Requests(authserver.Authorization)
	if len(seen) != 1 || len(seen[0].Form) != 2 || !seen[0].Form.Has("request_uri") {
		t.Errorf("the browser carried %v", seen)
	}
}

func TestFAPIClient(t *testing.T) {
	pair := newPair(t, "PS256")
	reg := authserver.FAPIClient("fapi", redirectURI, pair.public())
	if reg.AuthMethod != authserver.PrivateKeyJWT || !reg.RequireDPoP || !reg.RequirePAR || len(reg.Keys) != 1 {
		t.Errorf("got %+v", reg)
	}
}

func TestRegistrationsThatMakeNoSensePanic(t *testing.T) {
	srv := authserver.NewServer()
	defer srv.Close()
	pair := newPair(t, "ES256")
	keys := []authserver.Key{pair.public()}
	certs := []*x509.Certificate{authserver.SelfSigned("x").Leaf}
	register := func(reg authserver.ClientRegistration) func() {
		reg.ID, reg.RedirectURIs = "x", []string{redirectURI}
		return func() { srv.Register(reg) }
	}
	for name, f := range map[string]func(){
		"no keys":              register(authserver.ClientRegistration{AuthMethod: authserver.PrivateKeyJWT}),
		"keys and a secret":    register(authserver.ClientRegistration{AuthMethod: authserver.PrivateKeyJWT, Keys: keys, Secret: "x"}),
		"a key of another alg": register(authserver.ClientRegistration{AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{{Public: pair.key.Public(), Algorithm: "PS256"}}}),
		"an unknown audience":  register(authserver.ClientRegistration{AuthMethod: authserver.PrivateKeyJWT, Keys: keys, AssertionAudience: 9}),
		"a short secret":       register(authserver.ClientRegistration{AuthMethod: authserver.SecretJWT, Secret: "short"}),
		"signing without keys": register(authserver.ClientRegistration{Secret: "x", RequireSignedRequest: true}),
		"no certificates":      register(authserver.ClientRegistration{AuthMethod: authserver.SelfSignedTLS}),
		"no authority":         register(authserver.ClientRegistration{AuthMethod: authserver.TLSClientAuth, CertificateSubject: "CN=x"}),
		"no subject":           register(authserver.ClientRegistration{AuthMethod: authserver.TLSClientAuth, CertificateAuthority: certs[0]}),
		"no listener for it":   register(authserver.ClientRegistration{AuthMethod: authserver.SelfSignedTLS, Certificates: certs}),
		"no listener to bind":  register(authserver.ClientRegistration{AuthMethod: authserver.None, CertificateBound: true}),
		"mutual TLS over http": func() { authserver.NewServer(authserver.MutualTLS()) },
		"asking over http":     func() { authserver.NewServer(authserver.AskCertificates()) },
		"no lifetime":          func() { authserver.NewServer(authserver.PARLifetime(0)) },
		"RS256 under FAPI 2.0": func() { authserver.FAPIClient("x", redirectURI, newPair(t, "RS256").public()) },
		"no JWKS":              func() { authserver.JWKSKeys([]byte("x")) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "authserver: ") {
					t.Errorf("recovered %q", text)
				}
			}()
			f()
			t.Error("no panic")
		})
	}
}

// list is the member that is an array of strings.
func (a answer) list(name string) (out []string) {
	values, _ := a.body[name].([]any)
	for _, v := range values {
		text, _ := v.(string)
		out = append(out, text)
	}
	return out
}

func TestDiscoveryOfMethods(t *testing.T) {
	plain := newTester(t).get("/.well-known/openid-configuration")
	x, _ := newTLSTester(t, authserver.MutualTLS())
	tls := x.get("/.well-known/openid-configuration")
	for _, name := range []string{"token_endpoint_auth_methods_supported",
		"revocation_endpoint_auth_methods_supported", "introspection_endpoint_auth_methods_supported"} {
		for _, method := range []string{"private_key_jwt", "client_secret_jwt", "client_secret_basic"} {
			if !slices.Contains(plain.list(name), method) {
				t.Errorf("%s lacks %s", name, method)
			}
		}
		if slices.Contains(plain.list(name), "tls_client_auth") ||
			!slices.Contains(tls.list(name), "tls_client_auth") {
			t.Errorf("%s is wrong about certificates", name)
		}
	}
	if slices.Contains(plain.list("introspection_endpoint_auth_methods_supported"), "none") {
		t.Error("public clients may introspect")
	}
	for name, want := range map[string]string{
		"dpop_signing_alg_values_supported":                "PS256 ES256 EdDSA",
		"token_endpoint_auth_signing_alg_values_supported": "HS256 PS256 ES256 EdDSA RS256",
		"request_object_signing_alg_values_supported":      "PS256 ES256 EdDSA RS256",
		"authorization_signing_alg_values_supported":       "ES256",
		"introspection_signing_alg_values_supported":       "ES256",
		"response_modes_supported":                         "query form_post jwt query.jwt form_post.jwt",
	} {
		if got := strings.Join(plain.list(name), " "); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if plain.body["tls_client_certificate_bound_access_tokens"] != false ||
		tls.body["tls_client_certificate_bound_access_tokens"] != true ||
		plain.text("introspection_endpoint") == "" {
		t.Errorf("discovery: %s", plain.raw)
	}
}

func TestEndpointsRefuseOtherMethods(t *testing.T) {
	x := newTester(t)
	for _, path := range []string{"/par", "/introspect", "/token", "/revoke"} {
		if a := x.get(path); a.status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s is answered %d", path, a.status)
		}
		if a := x.send(path+"?x=1", url.Values{"client_id": {"public"}, "token": {"x"}}); a.status != 400 {
			t.Errorf("a query at %s is answered %d", path, a.status)
		}
	}
}
