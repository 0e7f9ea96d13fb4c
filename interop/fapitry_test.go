package interop

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// pemFile writes blocks where a child process can read them.
func pemFile(t *testing.T, kind string, blocks ...[]byte) string {
	t.Helper()
	var text []byte
	for _, der := range blocks {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	path := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func keyFile(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "PRIVATE KEY", der)
}

// flags are those of authcode try for a client of this kind.
func (c *fapiClient) flags(t *testing.T, signs bool) []string {
	t.Helper()
	flags := []string{"-client-auth", "private_key_jwt", "-bind", "dpop"}
	if c.method != "private_key_jwt" {
		flags[1] = "tls"
	}
	if c.binding == byCertificate {
		flags[3] = "tls"
	}
	if c.method == "private_key_jwt" || signs {
		flags = append(flags, "-client-key", keyFile(t, c.key), "-client-key-id", "signs")
	}
	if c.certificate.Certificate != nil {
		flags = append(flags, "-client-cert", pemFile(t, "CERTIFICATE", c.certificate.Certificate...),
			"-client-cert-key", keyFile(t, c.certificate.PrivateKey))
	}
	return flags
}

// fapiWorld is authcode try against oidc-provider under a profile of FAPI 2.0.
func fapiWorld(t *testing.T, o *fapiProvider, c *fapiClient, profile string) *world {
	t.Helper()
	w := &world{
		name: "bank", signIn: "sign-in", shot: "fapi-" + profile + "-" + c.method + "-" + strings.ToLower(c.tokenType()),
		tokenRequests: func() int { return o.counts(t)[c.path("/token")] },
	}
	signs := profile == "message-signing"
	w.app = startTry(t, "", slices.Concat([]string{
		"-fapi", profile, "-name", w.name, "-issuer", o.issuer, "-client-id", t.Name(), "-introspect",
		"-scopes", "openid profile offline_access", "-login-params", "prompt=consent", "-max-age", "600",
	}, withCertificate(t), c.flags(t, signs))...)
	var changes map[string]any
	if signs {
		changes = signed(c.alg)
	}
	o.registerFAPI(t, c, w.callback(), changes)
	return w
}

// In Chromium, authcode try signs in under the FAPI 2.0 Security Profile in each combination, calls
// the API, renews its token, signs out, and says what protected the login.
func TestChromiumFAPI(t *testing.T) {
	for _, kind := range []fapiKind{jwtDPoP, jwtBound, {"tls_client_auth", "ES256", byDPoP}, tlsBound} {
		t.Run(kind.String(), func(t *testing.T) {
			haveChromium(t)
			o, c := theFAPIProvider(t, false), kind.newClient(t)
			visits(t, o, c, fapiWorld(t, o, c, "security"), "active (plain answer)", map[string]string{
				"profile": "FAPI 2.0 Security Profile", "response": "plain",
			})
		})
	}
}

// With Message Signing, requests, responses and introspection are signed as well.
func TestChromiumFAPIMessages(t *testing.T) {
	for _, kind := range []fapiKind{jwtDPoP, tlsBound} {
		t.Run(kind.String(), func(t *testing.T) {
			haveChromium(t)
			o, c := theFAPIProvider(t, true), kind.newClient(t)
			w := fapiWorld(t, o, c, "message-signing")
			b := visits(t, o, c, w, "active (signed answer)", map[string]string{
				"profile": "FAPI 2.0 Message Signing", "response": "signed (JARM, ES256)", "request-signature": "JAR",
			})
			back, err := url.Parse(b.last(t, w.callback()).url)
			if err != nil || len(back.Query()) != 1 || back.Query().Get("response") == "" {
				t.Errorf("the provider sends the browser to %s", back)
			}
		})
	}
}

// visits goes through a whole visit. token is what introspection says of the token, and says are texts that
// the page has about the login, by row.
func visits(
	t *testing.T, o *fapiProvider, c *fapiClient, w *world, token string, says map[string]string,
) *tab {
	t.Helper()
	b, before := openTab(t), o.counts(t)
	b.begin(w)
	b.referenced(t, o.issuer+"/auth")
	b.click("approve", "who")
	b.leads(w, "/")
	b.take(w, "4-signed-in")
	b.run(chromedp.ScrollIntoView(chromedp.ID("p-binding")))
	b.take(w, "5-protections")
	b.says(t, o, c, says)
	b.called(t, token)
	b.click("refresh", "notice")
	b.called(t, token)
	b.leavesFAPI(t, w)
	shown := o.since(t, before)
	for _, endpoint := range []string{"/request", "/token", "/token/revocation"} {
		if shown[c.path(endpoint)] == 0 {
			t.Errorf("%s was not asked: %v", c.path(endpoint), shown)
		}
	}
	for key := range shown {
		if strings.HasPrefix(key, "certificate /") {
			t.Errorf("the certificate was shown at the issuer: %v", shown)
		}
	}
	return b
}

// says expects the page to tell who signed in and what the login had.
func (b *tab) says(t *testing.T, o *fapiProvider, c *fapiClient, says map[string]string) {
	t.Helper()
	says["request"], says["pkce"], says["iss"] = "pushed (PAR)", "S256", o.issuer
	says["client-auth"] = map[bool]string{true: "private_key_jwt", false: "client certificate"}[c.method == "private_key_jwt"]
	says["binding"] = map[string]string{byDPoP: "DPoP", byCertificate: "a certificate of this app"}[c.binding]
	says["auth-time"] = "UTC"
	for id, text := range says {
		if got := b.text("#p-" + id); !strings.Contains(got, text) {
			t.Errorf("#p-%s is %q, want %q", id, got, text)
		}
	}
	// The provider vouches for the binding: its answer has the thumbprint.
	if by := b.text("#by-binding"); !strings.Contains(by, "thumbprint") {
		t.Errorf("the binding is known from %q", by)
	}
	if who := b.text("#who") + " " + b.text("#issuer") + " " + b.text("#subject"); who != "Name of alice "+o.issuer+" alice" {
		t.Errorf("the page says %q", who)
	}
}

// referenced expects that the browser was sent to an address with a reference and nothing else.
func (b *tab) referenced(t *testing.T, address string) {
	t.Helper()
	for _, m := range b.all(address + "?") {
		to, err := url.Parse(m.url)
		if err == nil && len(to.Query()) == 2 && to.Query().Get("client_id") != "" && to.Query().Get("request_uri") != "" {
			return
		}
		t.Errorf("the browser was sent to %s", m.url)
	}
	t.Errorf("the browser was not sent to %s", address)
}

// called expects that the API took the token, and that introspection says this of it.
func (b *tab) called(t *testing.T, token string) {
	t.Helper()
	if api := b.text("#api"); !strings.Contains(api, "200 OK") || !strings.Contains(api, "alice") {
		t.Errorf("the API call with the token shows %q", api)
	}
	if says := b.text("#introspection"); !strings.Contains(says, token) {
		t.Errorf("introspection shows %q, want %q", says, token)
	}
}

// leavesFAPI signs out, and expects the token to be revoked.
func (b *tab) leavesFAPI(t *testing.T, w *world) {
	t.Helper()
	b.click("signout", "login-"+w.name)
	if notice := b.text("#notice"); !strings.Contains(notice, "the token is revoked") {
		t.Errorf("the page says %q", notice)
	}
	b.run(chromedp.Reload())
	b.shows("login-" + w.name)
}
