package mtls

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"example.com/authcode/internal/transport"
)

// Transport shows a certificate. It has one http.Transport for each certificate, since a connection
// keeps the certificate that it was opened with. It is safe for concurrent use.
type Transport struct {
	source func(context.Context) (*tls.Certificate, error)
	base   *http.Transport // only cloned: it opens no connections itself

	mu            sync.Mutex
	cert          *tls.Certificate
	current, last *http.Transport
}

// New returns a Transport that asks source for the certificate of each request, with the context of
// the request. base, which is copied, says how to connect: its roots, proxy and timeouts.
func New(source func(context.Context) (*tls.Certificate, error), base *http.Transport) *Transport {
	base = base.Clone()
	if proxy := base.Proxy; proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			if err == nil && u != nil && u.Scheme == "https" {
				return nil, Fault("an https proxy could ask for the client certificate: use an http proxy")
			}
			return u, err
		}
	}
	return &Transport{source: source, base: base}
}

// RoundTrip implements [http.RoundTripper]. It refuses http, on loopback too: over http nobody is shown
// a certificate, and tokens are not bound to one. Its own errors are Faults.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := t.transport(r.Context())
	if err == nil && r.URL.Scheme != "https" {
		err = Fault("a client certificate needs https, on loopback too")
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // as RoundTripper promises
		}
		return nil, err
	}
	return next.RoundTrip(r)
}

func (t *Transport) transport(ctx context.Context) (*http.Transport, error) {
	cert, err := t.source(ctx)
	if err != nil {
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			return nil, ended
		}
		return nil, Fault("the function Config.Certificate failed")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == nil || !same(t.cert, cert) {
		if err := CheckCertificate(cert, time.Now()); err != nil {
			return nil, err
		}
		t.cert, t.current, t.last = cert, withCertificate(t.base, cert), t.current
	}
	if t.last != nil { // each time: one that was busy may be idle now
		t.last.CloseIdleConnections()
	}
	return t.current, nil
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] calls.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.CloseIdleConnections()
	}
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
	// Unlike Certificates, this is shown to a server that names authorities other than the
	// certificate's own, as is the case with self-signed ones.
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	if t.IdleConnTimeout == 0 { // one that is busy over two changes of the certificate has to end by itself
		t.IdleConnTimeout = 90 * time.Second
	}
	if cfg.CipherSuites == nil {
		cfg.CipherSuites = transport.Suites
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
