package clientauth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/web"
	"golang.org/x/oauth2"
)

// MTLS is mutual TLS (RFC 8705): see [MutualTLS]. It is an [authcode.ClientAuth] and an [authcode.Binding],
// safe for concurrent use, and prints and marshals without its key.
type MTLS struct{ t *transport }

// MutualTLS shows a certificate to the provider, and to the APIs that take its tokens:
//
//	m := clientauth.MutualTLS(cert, nil)
//	authcode.Config{ClientAuth: m, Binding: m, …}         // it authenticates the app, and binds its tokens
//	authcode.Config{ClientAuth: m, Binding: proofs, …}    // it authenticates; package dpop binds
//	authcode.Config{ClientAuth: signed, Binding: m, …}    // PrivateKeyJWT authenticates; it binds
//
// base, which is copied, says how to connect: its roots, proxy, timeouts. If nil, a transport with bounded
// headers, handshake and waiting times, and the proxy from the environment. TLS is 1.2 or later. The
// certificate goes to the token, PAR and revocation endpoints (their mtls_endpoint_aliases, where there are
// some), and as a Binding to whatever the tokens are for, UserInfo included; never to discovery or JWKS,
// which [authcode.Config.HTTPClient] fetches. A proxy whose own URL is https is refused, since
// it could ask for the certificate.
//
// It works for tls_client_auth, where the provider knows a name in the certificate and trusts its
// authority: Certificate then holds the whole chain but the root. And for self_signed_tls_client_auth,
// where the provider has the certificate itself, in the app's JWKS as x5c; there an expired one may still
// be accepted, but not by [MTLS.Validate]. Public authorities no longer issue certificates for client
// authentication (extended key usage), which most providers demand: use the provider's or a private one.
//
// TLS sessions are resumed only among the connections of one certificate. A provider that asks for the
// certificate after the handshake needs base's TLSClientConfig.Renegotiation, and works with TLS 1.2 and
// HTTP/1.1 only.
func MutualTLS(cert tls.Certificate, base *http.Transport) *MTLS {
	m := newMTLS(func(context.Context) (*tls.Certificate, error) { return &cert, nil }, base)
	if m.t.fault == nil {
		m.t.fault = checkCertificate(&cert, time.Now())
	}
	return m
}

// RotatingMutualTLS is [MutualTLS] with a certificate that changes. current is called for every
// request, by many goroutines; it returns the same pointer or the same certificate until there is a new one. A
// request under a new certificate gets a new connection: idle ones under the old are closed, busy ones
// when they are done. Access tokens stay bound to the certificate that they were issued under, so
// refresh them after a change; a provider may demand a new login.
func RotatingMutualTLS(current func(context.Context) (*tls.Certificate, error), base *http.Transport) *MTLS {
	m := newMTLS(current, base)
	if m.t.fault == nil && current == nil {
		m.t.fault = errors.New("there is no function: pass one that returns the certificate")
	}
	return m
}

func newMTLS(source func(context.Context) (*tls.Certificate, error), base *http.Transport) *MTLS {
	if base == nil {
		base = web.NewTransport()
	} else {
		base = base.Clone()
	}
	if proxy := base.Proxy; proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			u, err := proxy(r)
			if err == nil && u != nil && u.Scheme == "https" {
				return nil, errors.New("clientauth: an https proxy could ask for the client certificate: use an http one")
			}
			return u, err
		}
	}
	return &MTLS{&transport{source: source, base: base, fault: checkBase(base)}}
}

// Validate returns what is wrong with the certificate or the base transport, and how to repair it. A
// rotating certificate is looked at when it changes: requests under one with a fault are not sent.
func (m *MTLS) Validate() error {
	switch {
	case m == nil || m.t == nil:
		return errors.New("the MTLS is nil or empty: use MutualTLS")
	case m.t.fault != nil:
		return fmt.Errorf("MutualTLS: %w", m.t.fault)
	}
	return nil
}

// Authenticate implements [authcode.ClientAuth]: the client id in the body, and nothing else (RFC 8705
// section 2). The certificate is the transport's affair. Its Check is client_auth.certificate, for a fault
// that Validate reports.
func (m *MTLS) Authenticate(_ context.Context, req *authcode.BackChannelRequest) error {
	if m.t.fault != nil {
		return misused("client_auth.certificate", m.t.fault.Error())
	}
	req.Form.Set(req.ClientIDParam, req.ClientID)
	return nil
}

// Begin implements [authcode.Binding]: the key has no name, since there is one for all logins. Its Check is
// binding.certificate, for a fault that Validate reports.
func (m *MTLS) Begin(context.Context) (string, url.Values, error) {
	if m.t.fault != nil {
		return "", nil, misused("binding.certificate", m.t.fault.Error())
	}
	return "", nil, nil
}

// Prove implements [authcode.Binding]: the handshake is the proof.
func (m *MTLS) Prove(context.Context, *authcode.BackChannelRequest) error { return nil }

// Answered implements [authcode.Binding]: nothing is made again.
func (m *MTLS) Answered(*authcode.BackChannelRequest, *http.Response) bool { return false }

// TokenType implements [authcode.Binding]: a certificate-bound token is sent as bearer (RFC 8705 section 3).
func (m *MTLS) TokenType() string { return "Bearer" }

// RoundTrip implements [authcode.Binding]: it sends r with the token under the certificate, never by base.
func (m *MTLS) RoundTrip(_ http.RoundTripper, r *http.Request, token *oauth2.Token, _ string) (*http.Response, error) {
	return m.t.RoundTrip(web.Authorize(r, "Bearer "+token.AccessToken))
}

// Transport carries requests under the certificate. It follows no redirects.
func (m *MTLS) Transport() http.RoundTripper {
	if m == nil || m.t == nil {
		return nil // Validate says so
	}
	return m.t
}

// Format prints m without its key, whatever the verb.
func (m MTLS) Format(f fmt.State, _ rune) { fmt.Fprint(f, "clientauth.MutualTLS(REDACTED)") }

// MarshalText returns what Format prints, so that encoders print nothing else.
func (m MTLS) MarshalText() ([]byte, error) { return fmt.Append(nil, m), nil }

// transport has one http.Transport for each certificate, since a connection keeps the one that it was
// opened with.
type transport struct {
	source func(context.Context) (*tls.Certificate, error)
	base   *http.Transport // opens no connections itself
	fault  error

	mu            sync.Mutex
	cert          *tls.Certificate
	current, last *http.Transport
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	next, err := t.transport(r.Context())
	if err == nil && r.URL.Scheme != "https" { // over http nobody is shown a certificate, and tokens are not bound
		err = misused("client_auth.certificate", "MutualTLS: a certificate needs https, on loopback too")
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, err
	}
	return next.RoundTrip(r)
}

func (t *transport) transport(ctx context.Context) (*http.Transport, error) {
	if t.fault != nil {
		return nil, misused("client_auth.certificate", "MutualTLS: "+t.fault.Error())
	}
	cert, err := t.source(ctx)
	if err != nil {
		return nil, misused("client_auth.certificate", "the function of RotatingMutualTLS failed")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == nil || !sameCertificate(t.cert, cert) {
		if err := checkCertificate(cert, time.Now()); err != nil {
			return nil, misused("client_auth.certificate", "MutualTLS: "+err.Error())
		}
		t.cert, t.current, t.last = cert, withCertificate(t.base, cert), t.current
	}
	if t.last != nil { // each time: one that was busy may be idle now
		t.last.CloseIdleConnections()
	}
	return t.current, nil
}

// CloseIdleConnections is what [http.Client.CloseIdleConnections] calls.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current != nil {
		t.current.CloseIdleConnections()
	}
}
