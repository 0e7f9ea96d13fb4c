package clientauth_test

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// TestNilValues: a nil pointer in an interface is the app's mistake, and New says which.
func TestNilValues(t *testing.T) {
	var assertion *clientauth.Assertion
	var mtls *clientauth.MTLS
	var signer *clientauth.RequestSigner
	for _, cfg := range []authcode.Config{
		{ClientAuth: &clientauth.Assertion{}, Binding: &clientauth.MTLS{}, Messages: &clientauth.RequestSigner{}},
	} {
		if _, err := authcode.New(cfg); err == nil || strings.Count(err.Error(), "nil or empty") != 3 {
			t.Errorf("empty values: %v", err)
		}
	}
	_, err := authcode.New(authcode.Config{ClientAuth: assertion, Binding: mtls, Messages: signer})
	for _, want := range []string{"the Assertion is nil", "the MTLS is nil", "the RequestSigner is nil", "no Transport"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
	if _, err := authcode.New(authcode.Config{ClientAuth: mtls, Binding: mtls}); err == nil || strings.Count(err.Error(), "the MTLS is nil") != 1 {
		t.Errorf("got %v", err)
	}
}

// TestSuites: under the certificate, TLS 1.2 has the cipher suites of BCP 195 alone.
func TestSuites(t *testing.T) {
	weak := &http.Transport{TLSClientConfig: &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}}
	if err := clientauth.MutualTLS(tls.Certificate{}, weak).Validate(); err == nil || !strings.Contains(err.Error(), "BCP 195") {
		t.Errorf("got %v", err)
	}
}

// TestHTTPS: where no certificate can be shown, nothing is sent.
func TestHTTPS(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request came without a certificate") }))
	defer srv.Close()
	m := clientauth.MutualTLS(clientCert("tls"), nil)
	if err := m.Validate(); err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", srv.URL, strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Transport().RoundTrip(r); err == nil || !strings.Contains(err.Error(), "needs https") {
		t.Errorf("got %v", err)
	}
}
