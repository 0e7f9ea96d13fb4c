package clientauth_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// TestCertificateRotation: a new certificate has a new connection, and the old one's is closed; the same has
// the same.
func TestCertificateRotation(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		w := &watched{closed: make(chan struct{}, 16)}
		srv := newTLS(t, whoami, w.watch, func(s *httptest.Server) { s.EnableHTTP2 = h2 })
		a, b := clientCert("a"), clientCert("b")
		again := tls.Certificate{Certificate: a.Certificate, PrivateKey: a.PrivateKey}
		var c changing
		c.current.Store(&a)
		api := certAPI(t, c.source, trusting(), srv.URL)
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
			if got, _ := ask(t, api, srv.URL); got != clientauth.Thumbprint(*step.cert) {
				t.Errorf("%s: the server saw %q", step.claim, got)
			}
			if step.closed {
				w.wantClosed(t, step.claim+": the connection before")
			}
			if n := w.opened.Load(); n != step.opened {
				t.Errorf("%s: %d connections, want %d", step.claim, n, step.opened)
			}
		}
	}
}

// TestRotationInALogin: a certificate that changes between the requests of a login is shown from the next request on,
// wherever the certificate is shown, and the old one nowhere any more.
func TestRotationInALogin(t *testing.T) {
	first, second := clientCert("first"), clientCert("second")
	var current changing
	current.current.Store(&first)
	p := newOP(t)
	c := p.client(t, clientauth.MutualTLS(), func(cfg *authcode.Config) {
		cfg.Binding, cfg.Certificate = clientauth.CertificateBound(), current.source
	})
	_, state, cookies := p.begin(t, c)
	want := func(thumbprint string, shown ...string) {
		t.Helper()
		n := 0
		for _, s := range p.requests() {
			if s.cert != "" {
				n++
				if s.cert != thumbprint {
					t.Errorf("%s saw %q, want %q", s.path, s.cert, thumbprint)
				}
			}
		}
		if n != len(shown) {
			t.Errorf("%d requests showed a certificate, want %q", n, shown)
		}
	}
	want(clientauth.Thumbprint(first), "par")
	current.current.Store(&second)
	login, err := c.Exchange(httptest.NewRecorder(), callback(cookies, map[string][]string{"code": {"c"}, "state": {state}, "iss": {p.main.URL}}))
	if err != nil {
		t.Fatal(err)
	}
	want(clientauth.Thumbprint(second), "token", "userinfo")
	current.current.Store(&first)
	if _, err := c.Refresh(context.Background(), login.Token); err != nil {
		t.Fatal(err)
	}
	want(clientauth.Thumbprint(first), "token")
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
		api := certAPI(t, c.source, trusting(), srv.URL)
		slow := make(chan string)
		go func() {
			got, _ := ask(t, api, srv.URL+"/slow")
			slow <- got
		}()
		<-entered
		c.current.Store(&b)
		if got, _ := ask(t, api, srv.URL); got != clientauth.Thumbprint(b) {
			t.Errorf("the server saw %q after the change", got)
		}
		close(leave)
		if got := <-slow; got != clientauth.Thumbprint(a) {
			t.Errorf("the slow request was under %q", got)
		}
		// net/http may take a moment to see that a connection is idle.
		for n := 0; n < 200 && len(w.closed) == 0; n++ {
			ask(t, api, srv.URL)
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
	api := certAPI(t, func(context.Context) (*tls.Certificate, error) { return &certs[n.Add(1)/7%3], nil }, trusting(), srv.URL)
	known := make(map[string]bool)
	for _, c := range certs {
		known[clientauth.Thumbprint(c)] = true
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 15 {
				if got, _ := ask(t, api, srv.URL); !known[got] {
					t.Errorf("the server saw %q", got)
				}
			}
		})
	}
	wg.Wait()
}
