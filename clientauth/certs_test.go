package clientauth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode/clientauth"
)

// authority issues the certificates of these tests.
var authority = newAuthority("authority")

type issuing struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// pool trusts the authority.
func (i *issuing) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(i.cert)
	return p
}

func template(name string, change ...func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, big.NewInt(1<<62))),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, f := range change {
		f(c)
	}
	return c
}

func newAuthority(name string) *issuing {
	key := newEC()
	c := template(name, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
	})
	der := must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
	return &issuing{must(x509.ParseCertificate(der)), key}
}

// issue returns a certificate for a new key, without Leaf.
func (i *issuing) issue(c *x509.Certificate, key crypto.Signer) tls.Certificate {
	der := must(x509.CreateCertificate(rand.Reader, c, i.cert, key.Public(), i.key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// clientCert is a client's certificate of the authority's.
func clientCert(name string) tls.Certificate { return authority.issue(template(name), newEC()) }

// selfSigned is a client's certificate of its own.
func selfSigned(name string) tls.Certificate {
	key, c := newEC(), template(name)
	der := must(x509.CreateCertificate(rand.Reader, c, c, key.Public(), key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// newTLS starts a server on 127.0.0.1 that speaks HTTP/2 too and asks for a client certificate.
func newTLS(t testing.TB, h http.Handler, change ...func(*httptest.Server)) *httptest.Server {
	cert := authority.issue(template("server", func(c *x509.Certificate) {
		c.IPAddresses, c.ExtKeyUsage = []net.IP{net.IPv4(127, 0, 0, 1)}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}), newEC())
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(discard{}, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequestClientCert}
	for _, f := range change {
		f(srv)
	}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// trusting is a transport that trusts the authority's servers.
func trusting(change ...func(*http.Transport)) *http.Transport {
	t := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: authority.pool()}, ForceAttemptHTTP2: true}
	for _, f := range change {
		f(t)
	}
	return t
}

// TestThumbprint: RFC 8705 appendix A.
func TestThumbprint(t *testing.T) {
	const published = `-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----`
	block, _ := pem.Decode([]byte(published))
	if got := clientauth.Thumbprint(tls.Certificate{Certificate: [][]byte{block.Bytes}}); got != "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" {
		t.Errorf("thumbprint %s", got)
	}
	if got := clientauth.Thumbprint(tls.Certificate{}); got != "" {
		t.Errorf("no certificate has the thumbprint %s", got)
	}
}
