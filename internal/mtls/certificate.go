// Package mtls shows client certificates (RFC 8705): it checks a certificate, checks the transport
// that is to show it, and keeps one http.Transport for each certificate that is in use.
package mtls

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/transport"
)

// Fault is what is wrong with a certificate or a transport, in words for the operator. It holds no
// secret.
type Fault string

// Error returns the text.
func (f Fault) Error() string { return string(f) }

// CheckCertificate finds what would make every handshake fail. Its errors are Faults.
func CheckCertificate(cert *tls.Certificate, now time.Time) error {
	if cert == nil || len(cert.Certificate) == 0 {
		return Fault("there is no certificate: load one with tls.LoadX509KeyPair")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return Fault("the certificate cannot be parsed: Certificate[0] must be its DER encoding")
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || jws.IsNil(key) {
		return Fault("the certificate has no private key that can sign: load both with tls.LoadX509KeyPair")
	}
	if !belongs(leaf, key.Public()) {
		return Fault("the private key does not belong to the certificate: load the pair that belongs together")
	}
	if k, ok := leaf.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return Fault("the certificate's RSA key has fewer than 2048 bits: have one issued for a longer key")
	}
	switch {
	case now.After(leaf.NotAfter):
		return Fault("the certificate expired on " + leaf.NotAfter.UTC().Format(time.DateOnly) + ": renew it")
	case now.Before(leaf.NotBefore):
		return Fault("the certificate is not valid before " + leaf.NotBefore.UTC().Format(time.RFC3339) + ": is the clock right?")
	}
	return nil
}

// belongs reports whether public is the key of the certificate leaf.
func belongs(leaf *x509.Certificate, public crypto.PublicKey) bool {
	own, err := x509.MarshalPKIXPublicKey(leaf.PublicKey)
	if err != nil {
		return false
	}
	other, err := x509.MarshalPKIXPublicKey(public)
	return err == nil && bytes.Equal(own, other)
}

// same reports whether two handshakes would show the same certificate.
func same(a, b *tls.Certificate) bool {
	return a == b || a != nil && b != nil && slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
}

// CheckBase finds what in the app's transport would keep the certificate from its server, or show it
// to anybody. Its errors are Faults. A nil base is fine.
func CheckBase(base *http.Transport) error {
	if base == nil {
		return nil
	}
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if base.DialTLSContext != nil || base.DialTLS != nil {
		return Fault("has DialTLSContext or DialTLS, which would not show the certificate: " +
			"use DialContext and TLSClientConfig")
	}
	cfg := base.TLSClientConfig
	switch {
	case cfg == nil:
	case cfg.InsecureSkipVerify: // what VerifyConnection does instead cannot be seen
		return Fault("has InsecureSkipVerify, which lets anybody be the provider: set TLSClientConfig.RootCAs")
	case cfg.MaxVersion != 0 && cfg.MaxVersion < tls.VersionTLS12:
		return Fault("has a TLSClientConfig.MaxVersion below TLS 1.2: raise it")
	case !transport.AreStrong(cfg.CipherSuites):
		return Fault("has TLSClientConfig.CipherSuites that BCP 195 does not recommend: leave the field out")
	}
	return nil
}
