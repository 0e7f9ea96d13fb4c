// Package transport has what the packages of this module know about connections:
// a transport with bounds, the cipher suites of BCP 195, and words for what went
// wrong.
package transport

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"syscall"
	"time"
)

// New returns a transport with bounded headers, handshake and waiting times, and the proxy from
// the environment.
func New() *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           20,
		MaxIdleConnsPerHost:    10,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Explain returns the error in err that a caller may test with errors.As, if it is of a known kind, and
// describes it in words of our own. The text of such errors may repeat what a server sent (a malformed
// status line, the names in a certificate) or what a custom transport adds.
func Explain(err error) (words string, cause error) {
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var op *net.OpError
	var alert tls.AlertError
	var errno syscall.Errno
	switch {
	case errors.As(err, &alert):
		return ": the other side refused the TLS connection (" + alert.Error() + "): does it know the client certificate?", alert
	case errors.As(err, &dns):
		return ": the host name could not be resolved", dns
	case errors.As(err, &cert):
		return ": " + describeCertificate(cert.Err), cert
	case errors.As(err, &op):
		words = ": the connection failed"
		if errors.As(op.Err, &errno) {
			words += ": " + errno.Error()
		}
		return words, op
	}
	return "", nil
}

func describeCertificate(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &authority):
		return "the certificate is of an unknown authority: add it to the RootCAs of Config.Transport"
	case errors.As(err, &host):
		return "the certificate is for another host"
	}
	return "the certificate is not valid"
}

// Suites are the cipher suites that BCP 195 (RFC 9325 section 4.2) recommends for TLS 1.2. Those of TLS 1.3 are
// not for configuring.
var Suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// AreStrong reports whether all of ids are among Suites.
func AreStrong(ids []uint16) bool {
	return !slices.ContainsFunc(ids, func(id uint16) bool { return !slices.Contains(Suites, id) })
}
