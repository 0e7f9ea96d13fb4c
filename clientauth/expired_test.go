package clientauth_test

import (
	"context"
	"crypto/tls"
	"errors"
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
		current func(context.Context) (*tls.Certificate, error)
		says    string
	}{
		"the function fails":     {func(context.Context) (*tls.Certificate, error) { return nil, errors.New("canary") }, "the function of RotatingMutualTLS failed"},
		"it is late":             {func(context.Context) (*tls.Certificate, error) { return nil, context.DeadlineExceeded }, "the function of RotatingMutualTLS failed"},
		"there is none":          {func(context.Context) (*tls.Certificate, error) { return nil, nil }, "MutualTLS: "},
		"there is nothing in it": {func(context.Context) (*tls.Certificate, error) { return new(tls.Certificate), nil }, "MutualTLS: "},
	} {
		t.Run(claim, func(t *testing.T) {
			m := clientauth.RotatingMutualTLS(row.current, nil)
			c, err := authcode.New(authcode.Config{
				Provider: authcode.Provider{Name: "x", AuthURL: "https://op.example/a", TokenURL: "https://op.example/t", PARURL: "https://op.example/p"},
				ClientID: "client", ClientAuth: m, RedirectURL: "https://app.example/cb", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
			})
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
