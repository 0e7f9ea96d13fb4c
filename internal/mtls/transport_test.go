package mtls_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/mtls"
)

// newCertificate is a self-signed one.
func newCertificate(t *testing.T) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func always(cert *tls.Certificate) func(context.Context) (*tls.Certificate, error) {
	return func(context.Context) (*tls.Certificate, error) { return cert, nil }
}

// TestCloseIdleConnections: it closes those of the certificate that is in use, and http.Client finds it.
func TestCloseIdleConnections(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		closed := make(chan struct{}, 4)
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if len(r.TLS.PeerCertificates) != 1 {
				t.Errorf("%d certificates were shown", len(r.TLS.PeerCertificates))
			}
		}))
		srv.EnableHTTP2, srv.TLS = h2, &tls.Config{ClientAuth: tls.RequestClientCert}
		srv.Config.ErrorLog = log.New(io.Discard, "", 0)
		srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				closed <- struct{}{}
			}
		}
		srv.StartTLS()
		defer srv.Close()
		client := &http.Client{Transport: mtls.New(always(newCertificate(t)), srv.Client().Transport.(*http.Transport))}
		client.CloseIdleConnections() // none yet
		resp, err := client.Get(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		client.CloseIdleConnections()
		select {
		case <-closed:
		case <-time.After(5 * time.Second):
			t.Error("the connection is still open")
		}
	}
}

type body struct {
	io.Reader
	closed bool
}

func (b *body) Close() error { b.closed = true; return nil }

// notDialing fails the test when it has to connect.
func notDialing(t *testing.T) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a connection was opened")
		return nil, errors.New("refused")
	}}
}

func failing(err error) func(context.Context) (*tls.Certificate, error) {
	return func(context.Context) (*tls.Certificate, error) { return nil, err }
}

// TestUnsent: without a certificate that can be shown nothing is sent, the body is closed, and the error is a Fault, unless
// the context has ended.
func TestUnsent(t *testing.T) {
	outage, cert := errors.New("canary"), newCertificate(t)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	base := notDialing(t)
	for claim, row := range map[string]struct {
		source func(context.Context) (*tls.Certificate, error)
		ctx    context.Context
		url    string
		says   string // of a Fault
	}{
		"the function fails":              {failing(outage), context.Background(), "https://op.example/", "Config.Certificate returned an error"},
		"it is late by its own watch":     {failing(context.Canceled), context.Background(), "https://op.example/", "Config.Certificate returned an error"},
		"it fails when the context ended": {failing(outage), ended, "https://op.example/", "Config.Certificate returned an error"},
		"it says that the context ended":  {failing(context.Canceled), ended, "https://op.example/", ""},
		"there is no certificate":         {always(nil), context.Background(), "https://op.example/", "there is no certificate"},
		"there is nothing in it":          {always(new(tls.Certificate)), context.Background(), "https://op.example/", "there is no certificate"},
		"http":                            {always(cert), context.Background(), "http://op.example/", "needs https"},
		"http on loopback":                {always(cert), context.Background(), "http://localhost/", "needs https"},
	} {
		t.Run(claim, func(t *testing.T) {
			b := &body{Reader: strings.NewReader("code=secret")}
			r, err := http.NewRequestWithContext(row.ctx, "POST", row.url, b)
			if err != nil {
				t.Fatal(err)
			}
			_, err = mtls.New(row.source, base).RoundTrip(r)
			var fault mtls.Fault
			if isFault := errors.As(err, &fault); err == nil || isFault != (row.says != "") || isFault && !strings.Contains(fault.Error(), row.says) {
				t.Errorf("got %v, want %q", err, row.says)
			}
			if row.says == "" && !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v", err)
			}
			if !b.closed {
				t.Error("the body is not closed")
			}
		})
	}
}

// TestExpires: a certificate that expires while the app runs is no longer shown.
func TestExpires(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		refused, dials := errors.New("refused"), 0
		base := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, refused
		}}
		m := mtls.New(always(newCertificate(t)), base) // for an hour
		for _, fault := range []string{"", "", "the certificate expired on"} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "https://op.example/", nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.RoundTrip(r)
			if fault == "" && !errors.Is(err, refused) || fault != "" && !strings.Contains(err.Error(), fault) {
				t.Errorf("got %v, want %q", err, fault)
			}
			time.Sleep(40 * time.Minute)
		}
		if dials != 2 {
			t.Errorf("%d connections, want 2", dials)
		}
	})
}

// TestNoBase: without a transport of the app's there is nothing wrong with it.
func TestNoBase(t *testing.T) {
	if err := mtls.CheckBase(nil); err != nil {
		t.Error(err)
	}
}
