package test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// clientAt is a Client of the provider at base, by its own transport unless rt
// is set.
func clientAt(t *testing.T, base string, rt http.RoundTripper,
	changes ...func(*config)) *authcode.Client {

	t.Helper()
	return world.Client(t, nil, func(c *config) {
		c.Provider.Endpoints = authcode.Endpoints{
			AuthURL: base + "/a", TokenURL: base + "/t", RevocationURL: base + "/r",
		}
		if strings.HasPrefix(base, "http:") {
			c.RedirectURL = "http://localhost:8080/auth/x/callback"
		}
		c.ClientAuth, c.Wrap = authcode.Secret(world.CanarySecret), nil
		if rt != nil {
			c.Wrap = world.Through(rt)
		}
		for _, change := range changes {
			change(c)
		}
	})
}

// TestOnePostOverHTTP2: the server resets the stream each time. net/http would
// try again for as long as it has time.
func TestOnePostOverHTTP2(t *testing.T) {
	var posts atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			posts.Add(1)
			panic(http.ErrAbortHandler)
		}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	client := clientAt(t, srv.URL, srv.Client().Transport)
	r := world.Begin(t, client, nil).Callback()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := client.Exchange(httptest.NewRecorder(), r.WithContext(ctx))
	if err == nil || posts.Load() != 1 {
		t.Errorf("%d posts, error %v; want one post and an error", posts.Load(), err)
	}
}

func TestAnAnswer101IsNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go switchProtocols(listener)
	client := clientAt(t, "http://"+listener.Addr().String(), nil)
	l := world.Begin(t, client, nil)
	began := time.Now()
	_, err = l.Exchange(client)
	if !errors.Is(err, authcode.BadAnswer) || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	err = client.Revoke(t.Context(), &oauth2.Token{AccessToken: "a"})
	if !errors.Is(err, authcode.BadAnswer) {
		t.Errorf("Revoke: got %v", err)
	}
}

// switchProtocols answers every request with 101 and leaves the connection
// open.
func switchProtocols(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		conn.Read(make([]byte, 4096))
		io.WriteString(conn,
			"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
	}
}

func TestACertificatesWordsAreNotPrinted(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{certificateFor(t, "evil\nlevel=INFO")}}
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	srv.StartTLS()
	defer srv.Close()
	_, err := clientAt(t, srv.URL, nil).Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
	var cert *tls.CertificateVerificationError
	if !errors.Is(err, authcode.Unreachable) || !errors.As(err, &cert) {
		t.Fatalf("got %v", err)
	}
	text := err.Error()
	if strings.Contains(text, "evil") || !strings.Contains(text, "certificate") {
		t.Errorf("the text is %q", text)
	}
}

// certificateFor is a certificate that nobody trusts.
func certificateFor(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
