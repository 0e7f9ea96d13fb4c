// Package transport holds what the packages of this module share about
// connections: a transport with bounds, the cipher suites of BCP 195, and words
// for what went wrong.
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

// New returns a transport with bounded headers, handshake and waiting times. It
// takes the proxy from the environment. The zero http.Transport waits for ever,
// and reads headers of 10 MB.
func New() *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true, // a DialContext of our own would switch it off
		MaxIdleConns:        20,
		MaxIdleConnsPerHost: 10,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		// A token request has a deadline of its own. If the process was stopped
		// for a while, the answer is waiting in the socket when it wakes up, and
		// this timer must not fire first: a refresh token would be lost.
		ResponseHeaderTimeout:  90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Explain describes why a request got no answer. It returns words to append to
// a message, and the error within err that a caller may test with errors.As. It
// returns nothing for an error of an unknown kind. The text of err itself is
// not repeated: it may contain what a server sent, such as a malformed status
// line or the names in a certificate, or what a custom transport adds.
func Explain(err error) (words string, cause error) {
	// The order matters: a rejected certificate arrives inside a *net.OpError,
	// about which there is less to say.
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		return ": the server refused the TLS connection (" + alert.Error() +
			"): if a client certificate is configured, check that the provider knows it", alert
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return ": the host name could not be resolved: check its spelling, and DNS", dns
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return ": " + describeCertificate(cert.Err), cert
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		words = ": the connection failed"
		// The system's own words, such as "connection refused", are safe.
		if errno, ok := errors.AsType[syscall.Errno](op.Err); ok {
			words += ": " + errno.Error()
		}
		return words, op
	}
	return "", nil
}

func describeCertificate(err error) string {
	_, isAuthority := errors.AsType[x509.UnknownAuthorityError](err)
	_, isHost := errors.AsType[x509.HostnameError](err)
	switch {
	case isAuthority:
		return "the server's certificate comes from an unknown authority: " +
			"if you trust that, add it to the RootCAs of Config.Transport"
	case isHost:
		return "the server's certificate is for another host: check the URL"
	}
	return "the server's certificate is not valid: check when it expires, and this machine's clock"
}

// Suites are the cipher suites that BCP 195 (RFC 9325 section 4.2) recommends
// for TLS 1.2. The suites of TLS 1.3 are all good, and Go lets nobody choose.
var Suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
}

// AreStrong reports whether all of ids are among Suites. An empty list is
// strong: Go then chooses.
func AreStrong(ids []uint16) bool {
	return !slices.ContainsFunc(ids, func(id uint16) bool { return !slices.Contains(Suites, id) })
}
