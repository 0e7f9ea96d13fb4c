package clientauth

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"time"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/web"
)

// Thumbprint returns the x5t#S256 of a certificate, which a token that is bound to it has in cnf (RFC 8705
// section 3.1); "" if there is no certificate.
func Thumbprint(cert tls.Certificate) string {
	if len(cert.Certificate) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Certificate[0])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// checkCertificate finds what would make every handshake fail.
func checkCertificate(cert *tls.Certificate, now time.Time) error {
	if cert == nil || len(cert.Certificate) == 0 {
		return errors.New("there is no certificate: load one, with tls.LoadX509KeyPair")
	}
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return errors.New("the certificate cannot be parsed: want its DER in Certificate[0]")
	}
	key, ok := cert.PrivateKey.(crypto.Signer)
	if !ok || jws.IsNil(key) {
		return errors.New("the certificate has no private key that signs: load both, with tls.LoadX509KeyPair")
	}
	public, ok := leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !public.Equal(key.Public()) {
		return errors.New("the private key is not the certificate's: load the pair that belongs together")
	}
	if k, ok := leaf.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		return errors.New("the certificate's RSA key has fewer than 2048 bits: have one issued for a longer key")
	}
	switch {
	case now.After(leaf.NotAfter):
		return errors.New("the certificate expired on " + leaf.NotAfter.UTC().Format(time.DateOnly) + ": renew it")
	case now.Before(leaf.NotBefore):
		return errors.New("the certificate is not valid before " + leaf.NotBefore.UTC().Format(time.RFC3339) + ": is the clock right?")
	}
	return nil
}

// sameCertificate reports whether two handshakes would show the same.
func sameCertificate(a, b *tls.Certificate) bool {
	return a == b || a != nil && b != nil && slices.EqualFunc(a.Certificate, b.Certificate, bytes.Equal)
}

// checkBase finds what in the caller's transport would keep the certificate from its server, or show it to
// anybody.
func checkBase(base *http.Transport) error {
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if base.DialTLSContext != nil || base.DialTLS != nil {
		return errors.New("the transport has DialTLSContext or DialTLS, which would not show the certificate: " +
			"use DialContext and TLSClientConfig")
	}
	cfg := base.TLSClientConfig
	switch {
	case cfg == nil:
	case cfg.InsecureSkipVerify: // what VerifyConnection does instead cannot be seen
		return errors.New("the transport has InsecureSkipVerify, which lets anybody be the provider: set TLSClientConfig.RootCAs")
	case cfg.MaxVersion != 0 && cfg.MaxVersion < tls.VersionTLS12:
		return errors.New("the transport's TLSClientConfig.MaxVersion is below TLS 1.2: raise it")
	case !web.AreStrong(cfg.CipherSuites):
		return errors.New("the transport's TLSClientConfig.CipherSuites has some that BCP 195 does not recommend: leave it out")
	}
	return nil
}

// withCertificate returns a copy of base that shows cert, and shares no connection or TLS session with
// base: one that was opened without the certificate would authenticate nobody, and one that was opened
// with it would show it where base is used.
func withCertificate(base *http.Transport, cert *tls.Certificate) *http.Transport {
	t := base.Clone()
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	cfg := t.TLSClientConfig
	// Unlike Certificates, this is shown to a server that names authorities and not the certificate's own,
	// as it is with self-signed ones.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	if t.IdleConnTimeout == 0 { // one that is busy over two changes of the certificate has to end by itself
		t.IdleConnTimeout = 90 * time.Second
	}
	if cfg.CipherSuites == nil {
		cfg.CipherSuites = web.Suites
	}
	if cfg.ClientSessionCache != nil {
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	if t.TLSNextProto["h2"] != nil {
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true // its entry leads to base's own connections
	}
	// A copy of a transport that speaks HTTP/2 offers that to servers, but has to be told to speak it.
	t.ForceAttemptHTTP2 = t.ForceAttemptHTTP2 || slices.Contains(cfg.NextProtos, "h2")
	return t
}
