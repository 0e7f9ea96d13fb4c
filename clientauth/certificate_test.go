package clientauth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// certificateFunc is the type of Config.Certificate.
type certificateFunc = func(context.Context) (*tls.Certificate, error)

func thumbprint(der []byte) string {
	return clientauth.Thumbprint(tls.Certificate{Certificate: [][]byte{der}})
}

// waiting is a Certificate that New cannot judge, since it does not answer under a context that has ended.
func waiting(current certificateFunc) certificateFunc {
	return func(ctx context.Context) (*tls.Certificate, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return current(ctx)
	}
}

// certConfig is a Config with a certificate that authenticates and binds, and has no fault of its own.
func certConfig(cert certificateFunc, base *http.Transport) authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{Name: "op", Issuer: issuer, Endpoints: authcode.Endpoints{AuthURL: issuer + "/authorize", TokenURL: tokenURL}},
		ClientID: clientID, ClientAuth: clientauth.MutualTLS(), Binding: clientauth.CertificateBound(), Certificate: cert, Transport: base,
		RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
	}
}

// certAPI carries requests to the API at origin with a token that is bound to the certificate, and so shows it.
func certAPI(t testing.TB, cert certificateFunc, base *http.Transport, origin string) http.RoundTripper {
	t.Helper()
	c, err := authcode.New(certConfig(cert, base))
	if err != nil {
		t.Fatal(err)
	}
	return apiOf(t, c, origin)
}

func apiOf(t testing.TB, c *authcode.Client, origin string) http.RoundTripper {
	t.Helper()
	token := must(authcode.UnmarshalToken([]byte(`{"access_token":"at-1"}`)))
	api, err := c.TokenSource(token, nil).APIClient(origin)
	if err != nil {
		t.Fatal(err)
	}
	return api.Transport
}

// certificateFaults are certificates and transports with what New says.
var certificateFaults = []struct {
	claim string
	cert  tls.Certificate
	base  *http.Transport
	says  string // "": nothing is wrong
}{
	{"a good one", goodCert, trusting(), ""},
	{"its Leaf is there", changedCert(func(c *tls.Certificate) { c.Leaf = must(x509.ParseCertificate(c.Certificate[0])) }), nil, ""},
	{"none", tls.Certificate{}, nil, "there is no certificate"},
	{"not DER", changedCert(func(c *tls.Certificate) { c.Certificate = [][]byte{[]byte("PEM?")} }),
		nil, "cannot be parsed"},
	{"no key", changedCert(func(c *tls.Certificate) { c.PrivateKey = nil }), nil, "no private key"},
	{"a nil key", changedCert(func(c *tls.Certificate) { c.PrivateKey = (*ecdsa.PrivateKey)(nil) }),
		nil, "no private key"},
	{"a key that does not sign", changedCert(func(c *tls.Certificate) { c.PrivateKey = "key" }),
		nil, "no private key"},
	{"somebody else's key", changedCert(func(c *tls.Certificate) { c.PrivateKey = newEC() }), nil,
		"does not belong to the certificate"},
	{"somebody else's RSA key", withKey(authority.issue(template("rsa"), rsaKey),
		&rsa.PrivateKey{PublicKey: rsa.PublicKey{N: rsaKey.N, E: 3}}), nil,
		"does not belong to the certificate"},
	{"somebody else's Ed25519 key", withKey(authority.issue(template("ed"), edKey),
		ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))), nil,
		"does not belong to the certificate"},
	{"a good Ed25519 key", authority.issue(template("ed"), edKey), nil, ""},
	{"a key of another kind", changedCert(func(c *tls.Certificate) { c.PrivateKey = rsaKey }), nil,
		"does not belong to the certificate"},
	{"a weak RSA key", authority.issue(template("weak"), shortRSA()), nil, "fewer than 2048 bits"},
	{"a good RSA key", authority.issue(template("rsa"), rsaKey), nil, ""},
	{"expired", authority.issue(template("old", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-1, 0, 0), c.NotAfter.AddDate(0, 0, -1)
	}), newEC()), nil, "expired on "},
	{"not valid yet", authority.issue(template("new", func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(0, 0, 1), c.NotAfter.AddDate(0, 0, 1)
	}), newEC()), nil, "not valid before "},
	{"base dials TLS itself", goodCert,
		trusting(func(b *http.Transport) { b.DialTLSContext = unusedDialContext }), "DialTLS"},
	{"in the old way", goodCert, trusting(func(b *http.Transport) { b.DialTLS = unusedDial }), "DialTLS"}, //lint:ignore SA1019 the test is about it
	{"base verifies nobody", goodCert, trusting(func(b *http.Transport) { b.TLSClientConfig.InsecureSkipVerify = true }), "InsecureSkipVerify"},
	{"base verifies in its own way", goodCert, trusting(func(b *http.Transport) {
		b.TLSClientConfig.InsecureSkipVerify = true
		b.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { return nil }
	}), "InsecureSkipVerify"},
	{"or in that one", goodCert, trusting(func(b *http.Transport) {
		b.TLSClientConfig.InsecureSkipVerify = true
		b.TLSClientConfig.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return nil }
	}), "InsecureSkipVerify"},
	{"base stops at TLS 1.1", goodCert, trusting(func(b *http.Transport) { b.TLSClientConfig.MaxVersion = tls.VersionTLS11 }), "MaxVersion"},
	// BCP 195 (RFC 9325 section 4.2)
	{"base has weak cipher suites", goodCert, trusting(func(b *http.Transport) {
		b.TLSClientConfig.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}
	}), "BCP 195"},
}

var goodCert = clientCert("tls")

func changedCert(change func(*tls.Certificate)) tls.Certificate {
	c := goodCert
	change(&c)
	return c
}

// withKey returns c with another private key.
func withKey(c tls.Certificate, key crypto.Signer) tls.Certificate {
	c.PrivateKey = key
	return c
}

func unusedDial(network, addr string) (net.Conn, error) { return nil, errors.New("unused") }

func unusedDialContext(_ context.Context, network, addr string) (net.Conn, error) {
	return unusedDial(network, addr)
}

// TestCertificateFaults: what New explains, and what is then not sent.
func TestCertificateFaults(t *testing.T) {
	for _, row := range certificateFaults {
		t.Run(row.claim, func(t *testing.T) {
			_, err := authcode.New(certConfig(clientauth.Certificate(row.cert), row.base))
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			field := "Config.Certificate: "
			if row.base != nil {
				field = "Config.Transport has "
			}
			wantFault(t, err, "authcode: "+field, row.says)
			if row.base == nil { // one that turns up later
				wantUnsent(t, func(context.Context) (*tls.Certificate, error) { return &row.cert, nil }, row.says)
			}
		})
	}
	_, err := authcode.New(certConfig(nil, nil))
	for _, want := range []string{"Config.Certificate is nil, but it is the credential", "Config.Certificate is nil, but Config.Binding binds"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without a function: %v, want %q", err, want)
		}
	}
}

// wantUnsent demands an error that says so before anything is dialed, at the token endpoint and at an API, and a closed
// body.
func wantUnsent(t *testing.T, cert certificateFunc, says string) {
	t.Helper()
	dialed := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { dialed = true }))
	defer srv.Close()
	cfg := certConfig(waiting(cert), nil)
	cfg.Provider.TokenURL, cfg.RedirectURL = srv.URL, "http://localhost:8080/callback"
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Refresh(context.Background(), refreshToken())
	if e := wantCheck(t, err, "client_auth.certificate"); !strings.Contains(e.Error(), says) || strings.Contains(e.Error(), "canary") {
		t.Errorf("error %v, want %q", e, says)
	}
	body := &closable{Reader: strings.NewReader("code=secret")}
	r := httptest.NewRequest("POST", srv.URL, nil)
	r.Body = body
	resp, err := apiOf(t, c, srv.URL).RoundTrip(r)
	if err == nil {
		resp.Body.Close()
	}
	wantCheck(t, err, "client_auth.certificate")
	if dialed || !body.closed {
		t.Errorf("error %v, sent %t, body closed %t", err, dialed, body.closed)
	}
}

type closable struct {
	io.Reader
	closed bool
}

func (c *closable) Close() error {
	c.closed = true
	return nil
}

// TestSourceFailures: without a certificate the request does not go out, and New says what it can know.
func TestSourceFailures(t *testing.T) {
	outage := errors.New("canary: no certificate today")
	for claim, row := range map[string]struct {
		source certificateFunc
		says   string
		atNew  bool
	}{
		"the function fails":     {func(context.Context) (*tls.Certificate, error) { return nil, outage }, "Config.Certificate returned an error", false},
		"there is none":          {func(context.Context) (*tls.Certificate, error) { return nil, nil }, "there is no certificate", true},
		"there is nothing in it": {func(context.Context) (*tls.Certificate, error) { return new(tls.Certificate), nil }, "there is no certificate", true},
	} {
		t.Run(claim, func(t *testing.T) {
			wantUnsent(t, row.source, row.says)
			_, err := authcode.New(certConfig(row.source, nil))
			if row.atNew {
				wantFault(t, err, "authcode: Config.Certificate: ", row.says)
			} else if err != nil {
				t.Errorf("New: %v", err)
			}
		})
	}
}

// changing is a certificate that a test replaces.
type changing struct {
	current atomic.Pointer[tls.Certificate]
}

func (c *changing) source(context.Context) (*tls.Certificate, error) { return c.current.Load(), nil }

// watched is a server that counts connections by whether they are open.
type watched struct {
	opened atomic.Int32
	closed chan struct{}
}

func (w *watched) watch(s *httptest.Server) {
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			w.opened.Add(1)
		case http.StateClosed:
			w.closed <- struct{}{}
		}
	}
}

func (w *watched) wantClosed(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.closed:
	case <-time.After(5 * time.Second):
		t.Errorf("%s is still open", what)
	}
}
