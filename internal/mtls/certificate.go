// Package mtls shows client certificates (RFC 8705). It checks a certificate,
// checks the transport that will show it, and keeps one http.Transport for each
// certificate in use.
package mtls

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/transport"
)

// Fault says what is wrong with a certificate or a transport, in words for the
// operator. It holds no secret, so it may be logged.
type Fault string

// Error returns the text.
func (f Fault) Error() string { return string(f) }

// CheckCertificate finds what would make every handshake fail. A server says
// little about such a failure, often only that the certificate is bad, so the
// fault is named here. The errors are Faults.
func CheckCertificate(cert *tls.Certificate, now time.Time) error {
	_, err := leafOf(cert, now)
	return err
}

// leafOf returns the certificate that a server sees, or the error of
// [CheckCertificate].
func leafOf(cert *tls.Certificate, now time.Time) (*x509.Certificate, error) {
	if cert == nil || len(cert.Certificate) == 0 {
		return nil, Fault("there is no certificate: load one with tls.LoadX509KeyPair")
	}
	// Certificate.Leaf is not used: an app may have set it to anything, and the
	// handshake sends the bytes.
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, Fault("the certificate cannot be parsed: " +
			"Certificate[0] must be its DER encoding")
	}
	key, _ := cert.PrivateKey.(crypto.Signer)
	if jws.IsNil(key) {
		return nil, Fault("the certificate has no private key that can sign: " +
			"load both with tls.LoadX509KeyPair")
	}
	if !belongs(leaf, key.Public()) {
		return nil, Fault("the private key does not belong to the certificate: " +
			"load the key that the certificate was issued for")
	}
	// FAPI 2.0 Security Profile section 5.4.1: RSA keys have 2048 bits or more.
	if k, ok := leaf.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return nil, Fault("the certificate's RSA key has fewer than 2048 bits: " +
			"request a certificate for a longer key")
	}
	switch {
	case now.After(leaf.NotAfter):
		return nil, Fault("the certificate expired on " +
			leaf.NotAfter.UTC().Format(time.DateOnly) + ": renew it")
	case now.Before(leaf.NotBefore):
		return nil, Fault("the certificate is not valid before " +
			leaf.NotBefore.UTC().Format(time.RFC3339) + ": check this machine's clock, or wait")
	}
	return leaf, nil
}

// belongs reports whether public is the key of the certificate leaf.
func belongs(leaf *x509.Certificate, public crypto.PublicKey) bool {
	switch own := leaf.PublicKey.(type) { // the keys that package tls can show
	case *rsa.PublicKey:
		return own.Equal(public)
	case *ecdsa.PublicKey:
		return own.Equal(public)
	case ed25519.PublicKey:
		return own.Equal(public)
	}
	return false
}

// same reports whether two handshakes would show the same certificate.
func same(a, b *tls.Certificate) bool {
	return a == b || a != nil && b != nil &&
		slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
}

// CheckBase finds what in the app's transport would keep the certificate from
// being shown, or would show it to the wrong server. Its errors are Faults. A
// nil base is fine.
func CheckBase(base *http.Transport) error {
	if base == nil {
		return nil
	}
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if base.DialTLSContext != nil || base.DialTLS != nil {
		// With these, http.Transport ignores TLSClientConfig, which holds the
		// certificate.
		return Fault("has DialTLSContext or DialTLS, which would not show the certificate: " +
			"use DialContext and TLSClientConfig")
	}
	cfg := base.TLSClientConfig
	switch {
	case cfg == nil:
	case cfg.InsecureSkipVerify:
		// VerifyConnection may check the server instead, but nobody can tell
		// from outside what it checks.
		return Fault("has InsecureSkipVerify, which lets anybody pose as the provider: " +
			"set TLSClientConfig.RootCAs instead")
	// RFC 8705 section 7.3, and BCP 195 (RFC 9325 section 3.1.1).
	case cfg.MaxVersion != 0 && cfg.MaxVersion < tls.VersionTLS12:
		return Fault("has a TLSClientConfig.MaxVersion below TLS 1.2: raise it")
	case !transport.AreStrong(cfg.CipherSuites):
		return Fault("has TLSClientConfig.CipherSuites that BCP 195 does not recommend: " +
			"leave the field out")
	}
	return nil
}
