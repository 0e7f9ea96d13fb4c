package try

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/authcode/internal/authserver"
)

// TestTheProfileIsHeld: what a provider may do without -fapi, and not with it.
func TestTheProfileIsHeld(t *testing.T) {
	for _, test := range []struct {
		args []string
		ok   bool
	}{
		{[]string{"-bind", "dpop", "-par", "always"}, true},
		{[]string{"-fapi", "security"}, false},
	} {
		s := newSiteWith(t, true, test.args)
		s.demo.SetFaults(authserver.Discovery,
			authserver.Set("authorization_response_iss_parameter_supported", "false"))
		s.demo.SetFaults(authserver.Authorization, authserver.Drop("iss"))
		got := s.signIn("/auth/demo")
		if ok := got.StatusCode == http.StatusSeeOther; ok != test.ok {
			t.Errorf("%v: a response without iss: %s %s", test.args, got.Status, s.log)
		}
		if !test.ok && !strings.Contains(s.log.String(), "check=iss.missing") {
			t.Errorf("%v: log %s", test.args, s.log)
		}
	}
}

// TestLogoutTokensUnderFAPI: the profile's algorithms, and those that are pinned, hold for them too.
func TestLogoutTokensUnderFAPI(t *testing.T) {
	for _, row := range []struct {
		args, alg string
		want      int
	}{
		{"-fapi=security", "RS256", 400}, {"-fapi=security", "ES256", 200},
		{"-bind=dpop", "RS256", 400}, {"-bind=dpop", "ES256", 200},
	} {
		s := newSiteWith(t, true, []string{row.args})
		s.demo.SetFaults(authserver.Discovery,
			authserver.Set("id_token_signing_alg_values_supported", `["ES256","RS256"]`))
		s.mustSignIn()
		token := s.demo.LogoutToken("authcode-try", "alice", authserver.SignAs(row.alg))
		s.browser = newBrowser(t, s.browser)
		res, err := s.browser.PostForm(s.base+"/auth/demo/backchannel-logout",
			url.Values{"logout_token": {token}})
		if got := read(t, res, err); got.StatusCode != row.want {
			t.Errorf("%s: a logout token by %s: %s %s", row.args, row.alg, got.Status, s.log)
		}
	}
}

// TestOldCiphersUnderFAPI: package fapi gets to see, and to change, the TLS settings of
// -ca-file.
func TestOldCiphersUnderFAPI(t *testing.T) {
	for _, profile := range []string{"", "security"} {
		var asked atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
			_ *http.Request) {
			asked.Add(1)
			w.WriteHeader(http.StatusNotFound)
		}))
		server.TLS = &tls.Config{MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
		server.StartTLS()
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		o, err := parseOptions([]string{"-issuer", server.URL, "-client-id", "me", "-client-key",
			pemFile(t, pkcs8(key)), "-fapi", profile,
			"-ca-file", pemFile(t, &pem.Block{Type: "CERTIFICATE",
				Bytes: server.Certificate().Raw})}, environment(nil), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		app := newApp("https://app.example", slog.New(slog.DiscardHandler))
		if err := o.addProviders(app, [][]byte{keyBytes}); err != nil {
			t.Fatal(err)
		}
		app.handler().ServeHTTP(httptest.NewRecorder(),
			httptest.NewRequest("GET", "https://app.example/auth/provider", nil))
		// FIPS 140-only mode has no such suite either.
		want := profile == "" && !fips140.Enforced()
		if connected := asked.Load() > 0; connected != want {
			t.Errorf("-fapi %q: connected %v by a cipher suite that BCP 195 does not recommend",
				profile, connected)
		}
		server.Close()
	}
}
