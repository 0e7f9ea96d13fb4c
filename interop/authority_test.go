package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// newSigner makes a key for an algorithm of JWS (RFC 7518 section 3.1, RFC 8037).
func newSigner(t testing.TB, alg string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "PS256", "RS256":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no keys for %s", alg)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// template describes a certificate for one of the two ends of a connection.
func template(name string, usage x509.ExtKeyUsage) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{Organization: []string{"authcode interop"}, CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{usage},
	}
}

// issue signs a certificate with the authority c. With it comes the certificate of c.
func (c *certificate) issue(of *x509.Certificate, key crypto.Signer) (tls.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, of, c.pair.Leaf, key.Public(), c.pair.PrivateKey)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{
		Certificate: [][]byte{der, c.pair.Leaf.Raw}, PrivateKey: key, Leaf: leaf,
	}, err
}

// issued is a client's certificate that the authority of this run has signed.
func issued(t testing.TB, of *x509.Certificate) tls.Certificate {
	t.Helper()
	pair, err := theCertificate(t).issue(of, newSigner(t, "ES256"))
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// selfSigned is a client's certificate that nobody else vouches for.
func selfSigned(t testing.TB, of *x509.Certificate) tls.Certificate {
	t.Helper()
	key := newSigner(t, "ES256")
	der, err := x509.CreateCertificate(rand.Reader, of, of, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// serverPEM is the key of a server on 127.0.0.1 and its certificate, with that of the authority
// after it: who trusts the authority trusts the server, Chromium by the authority's public key too.
type serverPEM struct {
	Key  string `json:"key"`
	Cert string `json:"cert"`
}

var fapiCertificate = sync.OnceValues(func() (s serverPEM, err error) {
	authority, err := runCertificate()
	if err != nil {
		return s, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return s, err
	}
	of := template("oidc-provider", x509.ExtKeyUsageServerAuth)
	of.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	pair, err := authority.issue(of, key)
	if err != nil {
		return s, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return s, err
	}
	s.Key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, der := range pair.Certificate {
		s.Cert += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	return s, nil
})
