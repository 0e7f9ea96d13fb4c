package clientauth_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// TestCertificateAtRunTime: a certificate that cannot be had when a request is made is the app's affair, and the
// error says so, not that the provider is out of reach.
func TestCertificateAtRunTime(t *testing.T) {
	for claim, row := range map[string]struct {
		current certificateFunc
		says    string
	}{
		"the function fails":     {func(context.Context) (*tls.Certificate, error) { return nil, errors.New("canary") }, "Config.Certificate returned an error"},
		"it is late":             {func(context.Context) (*tls.Certificate, error) { return nil, context.DeadlineExceeded }, "Config.Certificate returned an error"},
		"there is none":          {func(context.Context) (*tls.Certificate, error) { return nil, nil }, "there is no certificate"},
		"there is nothing in it": {func(context.Context) (*tls.Certificate, error) { return new(tls.Certificate), nil }, "there is no certificate"},
	} {
		t.Run(claim, func(t *testing.T) {
			cfg := certConfig(waiting(row.current), nil)
			cfg.Provider.PARURL = issuer + "/par"
			c, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
			var e *authcode.Error
			if !errors.As(err, &e) || e.Reason != authcode.Configuration || e.Check != "client_auth.certificate" || !strings.Contains(e.Error(), row.says) || strings.Contains(e.Error(), "canary") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestHTTPS: where no certificate can be shown, nothing is sent.
func TestHTTPS(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came without a certificate") }))
	defer srv.Close()
	cfg := certConfig(clientauth.Certificate(clientCert("tls")), nil)
	cfg.Provider.TokenURL, cfg.Provider.RevocationURL, cfg.Provider.PARURL = srv.URL, srv.URL, srv.URL
	cfg.RedirectURL = "http://localhost:8080/callback"
	c := must(authcode.New(cfg))
	_, api := apiOf(t, c, srv.URL).RoundTrip(must(http.NewRequest("POST", srv.URL, strings.NewReader("x"))))
	_, refresh := c.Refresh(context.Background(), refreshToken())
	_, push := c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
	for name, err := range map[string]error{"API": api, "refresh": refresh, "PAR": push, "revocation": c.Revoke(context.Background(), refreshToken())} {
		if e := wantCheck(t, err, "client_auth.certificate"); !strings.Contains(e.Error(), "needs https") {
			t.Errorf("%s: got %v", name, e)
		}
	}
}
