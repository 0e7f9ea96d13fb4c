package authserver

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

// newCertificate makes a self-signed certificate for host, the loopback
// addresses and localhost. It is valid for a day. The certificate is its own
// authority, so trusting it means trusting no other certificate.
func newCertificate(host string) tls.Certificate {
	return issue(serverTemplate(host), nil)
}

func serverTemplate(host string) *x509.Certificate {
	template := newTemplate("authtest", x509.ExtKeyUsageServerAuth)
	template.KeyUsage |= x509.KeyUsageCertSign
	template.IsCA = true
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	template.DNSNames = []string{"localhost"}
	if ip := net.ParseIP(host); ip != nil {
		template.IPAddresses = append(template.IPAddresses, ip)
	} else if host != "localhost" {
		template.DNSNames = append(template.DNSNames, host)
	}
	return template
}

// ServerTLS returns settings for a server that a test makes with httptest, such
// as that of the app, with a new certificate on P-256. It is for the names that
// httptest knows. The certificate of httptest has an RSA key, which costs a
// millisecond of computing with each connection.
func ServerTLS() *tls.Config {
	template := serverTemplate("example.com")
	template.DNSNames = append(template.DNSNames, "*.example.com")
	return &tls.Config{Certificates: []tls.Certificate{issue(template, nil)}}
}

// SelfSigned returns a new client certificate for [SelfSignedTLS]. It is on
// P-256, valid for a day, and has name as its common name.
func SelfSigned(name string) tls.Certificate {
	return issue(newTemplate(name, x509.ExtKeyUsageClientAuth), nil)
}

// Authority issues client certificates for [TLSClientAuth].
type Authority struct {
	cert  tls.Certificate
	chain [][]byte // the intermediates up to the root, which is left out
}

// NewAuthority makes an authority with a new key. It is valid for a day.
func NewAuthority() *Authority { return &Authority{cert: issue(authorityTemplate(), nil)} }

// Intermediate makes another authority, certified by a. The certificates that
// it issues carry the chain up to the root.
func (a *Authority) Intermediate() *Authority {
	cert := issue(authorityTemplate(), &a.cert)
	return &Authority{cert, append([][]byte{cert.Certificate[0]}, a.chain...)}
}

func authorityTemplate() *x509.Certificate {
	template := newTemplate("authtest authority", x509.ExtKeyUsageClientAuth)
	template.KeyUsage = x509.KeyUsageCertSign
	template.IsCA = true
	return template
}

// Certificate returns the authority's own certificate, for
// [ClientRegistration].CertificateAuthority.
func (a *Authority) Certificate() *x509.Certificate { return a.cert.Leaf }

// Issue returns a new client certificate on P-256, valid for a day. Its subject
// is CN=name.
func (a *Authority) Issue(name string) tls.Certificate {
	cert := issue(newTemplate(name, x509.ExtKeyUsageClientAuth), &a.cert)
	cert.Certificate = append(cert.Certificate, a.chain...)
	return cert
}

func newTemplate(name string, use x509.ExtKeyUsage) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		panic("authserver: " + err.Error())
	}
	// The hour before now is for clocks that differ.
	now := time.Now()
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{use},
		BasicConstraintsValid: true,
	}
}

// issue makes a key and a certificate for it. parent signs the certificate. If
// parent is nil, the certificate is self-signed.
func issue(template *x509.Certificate, parent *tls.Certificate) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	issuer, signer := template, any(key)
	if parent != nil {
		issuer, signer = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, signer)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
