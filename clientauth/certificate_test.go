package clientauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode/clientauth"
)

// TestCertificateFaults: what Validate explains, and what is then not sent.
func TestCertificateFaults(t *testing.T) {
	good := clientCert("tls")
	with := func(change func(*tls.Certificate)) tls.Certificate {
		c := good
		change(&c)
		return c
	}
	dial := func(network, addr string) (net.Conn, error) { return nil, errors.New("unused") }
	dialContext := func(_ context.Context, network, addr string) (net.Conn, error) { return dial(network, addr) }
	rows := []struct {
		claim string
		cert  tls.Certificate
		base  *http.Transport
		says  string // "": nothing is wrong
	}{
		{"a good one", good, trusting(), ""},
		{"its Leaf is there", with(func(c *tls.Certificate) { c.Leaf = must(x509.ParseCertificate(c.Certificate[0])) }), nil, ""},
		{"none", tls.Certificate{}, nil, "there is no certificate"},
		{"not DER", with(func(c *tls.Certificate) { c.Certificate = [][]byte{[]byte("PEM?")} }), nil, "cannot be parsed"},
		{"no key", with(func(c *tls.Certificate) { c.PrivateKey = nil }), nil, "no private key"},
		{"a nil key", with(func(c *tls.Certificate) { c.PrivateKey = (*ecdsa.PrivateKey)(nil) }), nil, "no private key"},
		{"a key that does not sign", with(func(c *tls.Certificate) { c.PrivateKey = "key" }), nil, "no private key"},
		{"somebody else's key", with(func(c *tls.Certificate) { c.PrivateKey = newEC() }), nil, "not the certificate's"},
		{"a key of another kind", with(func(c *tls.Certificate) { c.PrivateKey = rsaKey }), nil, "not the certificate's"},
		{"a weak RSA key", authority.issue(template("weak"), must(rsa.GenerateKey(rand.Reader, 1024))), nil, "fewer than 2048 bits"},
		{"a good RSA key", authority.issue(template("rsa"), rsaKey), nil, ""},
		{"expired", authority.issue(template("old", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-1, 0, 0), c.NotAfter.AddDate(0, 0, -1)
		}), newEC()), nil, "expired on "},
		{"not valid yet", authority.issue(template("new", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = c.NotBefore.AddDate(0, 0, 1), c.NotAfter.AddDate(0, 0, 1)
		}), newEC()), nil, "not valid before "},
		{"base dials TLS itself", good, trusting(func(b *http.Transport) { b.DialTLSContext = dialContext }), "DialTLS"},
		{"in the old way", good, trusting(func(b *http.Transport) { b.DialTLS = dial }), "DialTLS"}, //lint:ignore SA1019 it is what the test is about
		{"base verifies nobody", good, trusting(func(b *http.Transport) { b.TLSClientConfig.InsecureSkipVerify = true }), "InsecureSkipVerify"},
		{"base verifies in its own way", good, trusting(func(b *http.Transport) {
			b.TLSClientConfig.InsecureSkipVerify = true
			b.TLSClientConfig.VerifyConnection = func(tls.ConnectionState) error { return nil }
		}), "InsecureSkipVerify"},
		{"or in that one", good, trusting(func(b *http.Transport) {
			b.TLSClientConfig.InsecureSkipVerify = true
			b.TLSClientConfig.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return nil }
		}), "InsecureSkipVerify"},
		{"base stops at TLS 1.1", good, trusting(func(b *http.Transport) { b.TLSClientConfig.MaxVersion = tls.VersionTLS11 }), "MaxVersion"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			m := clientauth.MutualTLS(row.cert, row.base)
			if row.says == "" {
				if err := m.Validate(); err != nil {
					t.Error(err)
				}
				return
			}
			wantFault(t, m.Validate(), "MutualTLS: ", row.says)
			req := newRequest()
			wantCheck(t, m.Authenticate(context.Background(), req), "client_auth.certificate")
			if req.Form.Has("client_id") {
				t.Error("the form was changed")
			}
			_, _, err := m.Begin(context.Background())
			wantCheck(t, err, "binding.certificate")
			wantUnsent(t, m.Transport())
			if row.base == nil {
				wantUnsent(t, clientauth.RotatingMutualTLS(func(context.Context) (*tls.Certificate, error) { return &row.cert, nil }, nil).Transport())
			}
		})
	}
	wantFault(t, clientauth.RotatingMutualTLS(nil, nil).Validate(), "MutualTLS: ", "there is no function")
	wantUnsent(t, clientauth.RotatingMutualTLS(nil, nil).Transport())
}

// wantUnsent demands an error before anything is dialed, and a closed body.
func wantUnsent(t *testing.T, rt http.RoundTripper) {
	t.Helper()
	dialed := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { dialed = true }))
	defer srv.Close()
	body := &closable{Reader: strings.NewReader("code=secret")}
	r := httptest.NewRequest("POST", srv.URL, nil)
	r.Body = body
	resp, err := rt.RoundTrip(r)
	if err == nil {
		resp.Body.Close()
	}
	if err == nil || dialed || !body.closed {
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

// TestSourceFailures: without a certificate the request does not go out.
func TestSourceFailures(t *testing.T) {
	outage := errors.New("no certificate today")
	for _, source := range []func(context.Context) (*tls.Certificate, error){
		func(context.Context) (*tls.Certificate, error) { return nil, outage },
		func(context.Context) (*tls.Certificate, error) { return nil, nil },
		func(context.Context) (*tls.Certificate, error) { return new(tls.Certificate), nil },
	} {
		wantUnsent(t, clientauth.RotatingMutualTLS(source, nil).Transport())
	}
}

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

// changing is a certificate that a test replaces.
type changing struct {
	current atomic.Pointer[tls.Certificate]
}

func (c *changing) source(context.Context) (*tls.Certificate, error) { return c.current.Load(), nil }

// TestCertificateRotation: a new certificate has a new connection, and the old one's is closed; the same has
// the same.
func TestCertificateRotation(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		w := &watched{closed: make(chan struct{}, 16)}
		srv := newTLS(t, whoami, w.watch, func(s *httptest.Server) { s.EnableHTTP2 = h2 })
		a, b := clientCert("a"), clientCert("b")
		again := tls.Certificate{Certificate: a.Certificate, PrivateKey: a.PrivateKey}
		var c changing
		m := clientauth.RotatingMutualTLS(c.source, trusting())
		steps := []struct {
			claim  string
			cert   *tls.Certificate
			opened int32
			closed bool
		}{
			{"the first", &a, 1, false}, {"the same", &a, 1, false}, {"the same from another place", &again, 1, false},
			{"a new one", &b, 2, true}, {"it again", &b, 2, false}, {"the old one again", &a, 3, true},
		}
		for _, step := range steps {
			c.current.Store(step.cert)
			if got, _ := ask(t, m.Transport(), srv.URL); got != clientauth.Thumbprint(*step.cert) {
				t.Errorf("%s: the server saw %q", step.claim, got)
			}
			if step.closed {
				w.wantClosed(t, step.claim+": the connection before")
			}
			if n := w.opened.Load(); n != step.opened {
				t.Errorf("%s: %d connections, want %d", step.claim, n, step.opened)
			}
		}
		(&http.Client{Transport: m.Transport()}).CloseIdleConnections()
		w.wantClosed(t, "after CloseIdleConnections the last")
	}
}

// TestBusyConnection: a request that is under way when the certificate changes gets its answer, and its
// connection is not used again.
func TestBusyConnection(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		w := &watched{closed: make(chan struct{}, 16)}
		entered, leave := make(chan struct{}), make(chan struct{})
		srv := newTLS(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				close(entered)
				<-leave
			}
			whoami(rw, r)
		}), w.watch, func(s *httptest.Server) { s.EnableHTTP2 = h2 })
		a, b := clientCert("a"), clientCert("b")
		var c changing
		c.current.Store(&a)
		m := clientauth.RotatingMutualTLS(c.source, trusting())
		slow := make(chan string)
		go func() {
			got, _ := ask(t, m.Transport(), srv.URL+"/slow")
			slow <- got
		}()
		<-entered
		c.current.Store(&b)
		if got, _ := ask(t, m.Transport(), srv.URL); got != clientauth.Thumbprint(b) {
			t.Errorf("the server saw %q after the change", got)
		}
		close(leave)
		if got := <-slow; got != clientauth.Thumbprint(a) {
			t.Errorf("the slow request was under %q", got)
		}
		// net/http may take a moment to see that a connection is idle.
		for n := 0; n < 200 && len(w.closed) == 0; n++ {
			ask(t, m.Transport(), srv.URL)
		}
		w.wantClosed(t, "the connection of the slow request")
		if n := w.opened.Load(); n != 2 {
			t.Errorf("%d connections, want one for each certificate", n)
		}
	}
}

// TestRotationUnderLoad: many goroutines, with certificates that change all the time; each request is under
// one of them.
func TestRotationUnderLoad(t *testing.T) {
	srv := newTLS(t, whoami)
	certs := []tls.Certificate{clientCert("a"), clientCert("b"), clientCert("c")}
	var n atomic.Int32
	m := clientauth.RotatingMutualTLS(func(context.Context) (*tls.Certificate, error) { return &certs[n.Add(1)/7%3], nil }, trusting())
	known := make(map[string]bool)
	for _, c := range certs {
		known[clientauth.Thumbprint(c)] = true
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 15 {
				if got, _ := ask(t, m.Transport(), srv.URL); !known[got] {
					t.Errorf("the server saw %q", got)
				}
			}
		})
	}
	wg.Wait()
}
