package tenants_test

import (
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
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

// internet is a small one on loopback. To the Guards of a test, 127.0.0.2 is a public address, and
// the rest of loopback is private, as it is. There is a server behind both, at one port.
type internet struct {
	t               *testing.T
	dns             *nameServer
	port            uint16
	public, private *site
	roots           *x509.CertPool
}

// site is a server. The test may replace its handler before the first request.
type site struct {
	handler http.Handler
	reached atomic.Int64 // connections
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// counting counts the connections of a site.
type counting struct {
	net.Listener
	site *site
}

func (l counting) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.site.reached.Add(1)
	}
	return conn, err
}

func newInternet(t *testing.T) *internet {
	t.Helper()
	hello := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	n := &internet{
		t: t, dns: newNameServer(t, "127.0.0.3"), public: &site{handler: hello}, private: &site{handler: hello},
	}
	cert, roots := certificate(t)
	n.roots = roots
	open, inner, port := twoListeners(t)
	n.port = port
	n.serve(open, n.public, cert)
	n.serve(inner, n.private, cert)
	// Where the machine has it, the same port of ::1 is private, too.
	if six, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(int(port)))); err == nil {
		n.serve(six, n.private, cert)
	}
	n.dns.set("op.test", "127.0.0.2")
	n.dns.set("inner.test", "127.0.0.3")
	return n
}

// twoListeners listens at one port of both addresses.
func twoListeners(t *testing.T) (open, inner net.Listener, port uint16) {
	for range 20 {
		open, err := net.Listen("tcp4", "127.0.0.2:0")
		if err != nil {
			t.Fatal(err)
		}
		port := netip.MustParseAddrPort(open.Addr().String()).Port()
		inner, err := net.Listen("tcp4", "127.0.0.3:"+strconv.Itoa(int(port)))
		if err == nil {
			return open, inner, port
		}
		open.Close() // something else has the port there
	}
	t.Fatal("no port is free at both addresses")
	return nil, nil, 0
}

func (n *internet) serve(l net.Listener, s *site, cert tls.Certificate) {
	server := &http.Server{
		Handler: s, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		ErrorLog: log.New(io.Discard, "", 0),
	}
	go server.ServeTLS(counting{l, s}, "", "")
	n.t.Cleanup(func() { server.Close() })
}

// guard permits 127.0.0.2 and the port.
func (n *internet) guard() tenants.Guard {
	return tenants.Guard{
		Allow:  []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")},
		Ports:  []uint16{n.port},
		Dialer: &net.Dialer{Resolver: n.dns.resolver()},
	}
}

// base trusts the sites.
func (n *internet) base() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.roots}}
}

// transport is guarded, and opens a connection for each request.
func (n *internet) transport() *http.Transport {
	n.t.Helper()
	base := n.base()
	base.DisableKeepAlives = true
	via, err := tenants.PublicOnly(base, n.guard())
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(via.CloseIdleConnections)
	return via
}

// url is that of a host at the port.
func (n *internet) url(host string) string {
	return "https://" + host + ":" + strconv.Itoa(int(n.port))
}

// get returns the body, or the error.
func get(via *http.Transport, url string) (string, error) {
	resp, err := (&http.Client{Transport: via}).Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// wantError checks the reason and the Check of an error, and that no text has an address in it.
func wantError(t *testing.T, err error, reason authcode.Reason, check string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != reason || e.Check != check {
		t.Fatalf("got %v, want %v (%s)", err, reason, check)
	}
	if strings.Contains(e.Error(), "127.0.0") {
		t.Errorf("the text has an address: %v", e)
	}
}

// certificate is for all hosts below .test and at the addresses of the internet.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"*.test", "*.op.test"}, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 2), net.IPv4(127, 0, 0, 3)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
