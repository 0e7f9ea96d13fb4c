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

// MutualTLS gives a server of [NewTLSServer] a second listener, [Server.MTLSURL], which asks for
// client certificates and serves the back-channel endpoints alone. Discovery advertises it as
// mtls_endpoint_aliases (RFC 8705 section 5). [NewServer] panics with this option.
func MutualTLS() Option { return option(func(o *options) { o.mtls = true }) }

// AskCertificates makes the main listener of a server of [NewTLSServer] ask for client
// certificates. Alone, it is a server without aliases; with [MutualTLS], a trap: a client
// must not show its certificate there, and [Request].Certificate tells if it did. [NewServer]
// panics with this option.
func AskCertificates() Option { return option(func(o *options) { o.askMain = true }) }

// endpointKey is the context key of the base URL of the listener that a request came in by.
type endpointKey struct{}

func baseOf(r *http.Request) string {
	base, _ := r.Context().Value(endpointKey{}).(string)
	return base
}

func withBase(base string) context.Context {
	return context.WithValue(context.Background(), endpointKey{}, base)
}

// endpointOf is the URL that was called, as the listener and not the client says it, without query.
func endpointOf(r *http.Request) string { return baseOf(r) + r.URL.EscapedPath() }

// certificateOf returns the certificate that the client has shown, with proof of its key; nil if
// none.
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

// thumbprintOf is the thumbprint of the certificate that came with r; empty if none did.
func thumbprintOf(r *http.Request) string {
	if cert := certificateOf(r); cert != nil {
		return Thumbprint(cert)
	}
	return ""
}

// certified reports whether r came with the certificate that client authenticates with. TLS has
// proven the possession of its key.
func certified(r *http.Request, client ClientRegistration) bool {
	cert := certificateOf(r)
	if cert == nil {
		return false
	}
	if client.AuthMethod == SelfSignedTLS {
		// RFC 8705 section 2.2: only the certificate itself counts, and no chain.
		return slices.ContainsFunc(client.Certificates, cert.Equal)
	}
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

// ClientWith returns a new HTTP client like that of [Server.Client], which shows cert to every
// server that asks. Its connections end with the server.
func (s *Server) ClientWith(cert tls.Certificate) *http.Client {
	transport := &http.Transport{MaxResponseHeaderBytes: 64 << 10}
	transport.TLSClientConfig = &tls.Config{
		RootCAs: s.pool(), Certificates: []tls.Certificate{cert},
	}
	return &http.Client{Transport: transport}
}
