package authserver

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"slices"
)

// MutualTLS gives a server of [NewTLSServer] a second listener at
// [Server.MTLSURL]. It asks for client certificates and serves only the
// endpoints that apps call. The metadata advertises it as mtls_endpoint_aliases
// (RFC 8705 section 5). [NewServer] panics with this option.
func MutualTLS() Option { return option(func(o *options) { o.mtls = true }) }

// AskCertificates makes the main listener of a server of [NewTLSServer] ask for
// client certificates. By itself, this makes a server without aliases. Together
// with [MutualTLS] it is a trap: a client must not show its certificate at the
// main listener, and [Request].Certificate says if it did. [NewServer] panics
// with this option.
func AskCertificates() Option { return option(func(o *options) { o.askMain = true }) }

// endpointKey is the context key of the base URL of the listener at which a
// request arrived.
type endpointKey struct{}

func baseOf(r *http.Request) string {
	base, _ := r.Context().Value(endpointKey{}).(string)
	return base
}

func withBase(base string) context.Context {
	return context.WithValue(context.Background(), endpointKey{}, base)
}

// endpointOf returns the URL that was called, without query. The host is the
// listener's and not the one in the Host header, which a client chooses.
func endpointOf(r *http.Request) string { return baseOf(r) + r.URL.EscapedPath() }

// certificateOf returns the certificate that the client has shown, or nil. TLS
// has proved that the client has its key.
func certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// Thumbprint returns the x5t#S256 of a certificate (RFC 8705 section 3.1).
func Thumbprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// thumbprintOf returns the thumbprint of the certificate that was shown with r.
// It returns "" if there was none.
func thumbprintOf(r *http.Request) string {
	if cert := certificateOf(r); cert != nil {
		return Thumbprint(cert)
	}
	return ""
}

// hasCertificateOf reports whether r was sent with the certificate by which
// client authenticates.
func hasCertificateOf(r *http.Request, client ClientRegistration) bool {
	cert := certificateOf(r)
	if cert == nil {
		return false
	}
	if client.AuthMethod == SelfSignedTLS {
		// RFC 8705 section 2.2: only the certificate itself matters. Nobody
		// vouches for it.
		return slices.ContainsFunc(client.Certificates, cert.Equal)
	}
	// RFC 8705 section 2.1: the chain must lead to the registered authority,
	// and the subject must be the registered one. The authority issues
	// certificates to other clients as well.
	roots := x509.NewCertPool()
	roots.AddCert(client.CertificateAuthority)
	between := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		between.AddCert(c)
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err == nil && cert.Subject.String() == client.CertificateSubject
}

// ClientWith returns a new HTTP client like that of [Server.Client]. It shows
// cert to every server that asks for a certificate. Its connections end when
// the server does.
func (s *Server) ClientWith(cert tls.Certificate) *http.Client {
	transport := &http.Transport{MaxResponseHeaderBytes: 64 << 10}
	transport.TLSClientConfig = &tls.Config{
		RootCAs: s.pool(), Certificates: []tls.Certificate{cert},
	}
	return &http.Client{Transport: transport}
}
