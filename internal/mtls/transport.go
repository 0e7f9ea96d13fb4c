package mtls

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"example.com/authcode/internal/transport"
)

// Transport shows a certificate. It has one http.Transport for each
// certificate, because a connection keeps the certificate that it was opened
// with. It is safe for concurrent use.
type Transport struct {
	source func(context.Context) (*tls.Certificate, error)
	base   *http.Transport // only cloned: it opens no connections itself

	mu       sync.Mutex
	cert     *tls.Certificate // which newest shows
	notAfter time.Time        // when cert expires
	newest   *http.Transport
	former   *http.Transport // shows the certificate before; its idle connections are closed
}

// New returns a Transport that asks source for the certificate of each request,
// with the context of that request. base says how to connect: which roots,
// proxy and timeouts apply. New copies it.
func New(source func(context.Context) (*tls.Certificate, error), base *http.Transport) *Transport {
	base = base.Clone()
	if proxy := base.Proxy; proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			// http.Transport uses the same tls.Config for the proxy. A proxy
			// that asks for a certificate would learn who the app is.
			if err == nil && u != nil && u.Scheme == "https" {
				return nil, Fault("an https proxy could ask for the client certificate: " +
					"use an http proxy")
			}
			return u, err
		}
	}
	return &Transport{source: source, base: base}
}

// RoundTrip implements [http.RoundTripper]. It refuses http, also on loopback:
// over http no certificate is shown, so it would authenticate nobody and bind
// no token. Its own errors are Faults.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := t.current(r.Context())
	if err == nil && r.URL.Scheme != "https" {
		err = Fault("a client certificate needs https, also on loopback: use an https URL")
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // as RoundTripper promises
		}
		return nil, err
	}
	return transport.RoundTrip(next, r)
}

// current returns the http.Transport for the certificate that source returns
// now.
func (t *Transport) current(ctx context.Context) (*http.Transport, error) {
	cert, err := t.source(ctx)
	if err != nil {
		// A context that has ended is the caller's affair and not a fault of
		// the function: say so in a way that errors.Is understands.
		if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
			return nil, ended
		}
		// The text of the app's error is left out: it may name a vault or a
		// key.
		return nil, Fault("Config.Certificate returned an error, which is not repeated here: " +
			"log it inside that function")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest == nil || !same(t.cert, cert) {
		leaf, err := leafOf(cert, time.Now())
		if err != nil {
			return nil, err
		}
		t.cert, t.notAfter = cert, leaf.NotAfter
		t.newest, t.former = withCertificate(t.base, cert), t.newest
	}
	// A certificate may expire while the app runs. Say so here, in words, and
	// do not show it: the server would only end the handshake.
	if time.Now().After(t.notAfter) {
		return nil, CheckCertificate(t.cert, time.Now())
	}
	// A connection that shows the former certificate must not be used again. It
	// may have been busy the last time, so this runs for every request.
	if t.former != nil {
		t.former.CloseIdleConnections()
	}
	return t.newest, nil
}

// CloseIdleConnections closes connections that are not in use.
// [http.Client.CloseIdleConnections] calls it.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.newest != nil {
		t.newest.CloseIdleConnections()
	}
}

// withCertificate returns a copy of base that shows cert. The copy shares no
// connection and no TLS session with base. A connection that was opened without
// the certificate would authenticate nobody, and one that was opened with it
// would show it wherever base is used.
func withCertificate(base *http.Transport, cert *tls.Certificate) *http.Transport {
	t := transport.Clone(base)
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	cfg := t.TLSClientConfig
	// tls.Config.Certificates would hold the certificate back from a server
	// that lists only other authorities. That is the case for every self-signed
	// certificate (RFC 8705 section 2.2).
	cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		return cert, nil
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	// A transport that is busy over two changes of the certificate is forgotten
	// here, so its connections have to end by themselves.
	if t.IdleConnTimeout == 0 {
		t.IdleConnTimeout = 90 * time.Second
	}
	if cfg.CipherSuites == nil {
		cfg.CipherSuites = transport.Suites
	}
	// A resumed session has the authentication of the session that it resumes
	// (RFC 8446 section 2.2). So base's cache must not be used.
	if cfg.ClientSessionCache != nil {
		cfg.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	return t
}
