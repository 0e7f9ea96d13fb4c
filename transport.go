package authcode

import (
	"errors"
	"net/http"

	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/transport"
)

// buildTransports makes the transports of requests to the provider. It reports
// whether Wrap returned one each time.
func (c *Client) buildTransports() bool {
	base := c.cfg.Transport
	// Not http.DefaultTransport: any other package of the app can change it,
	// and it has no bound on the time to the first byte of an answer.
	if base == nil {
		base = transport.New()
	}
	ok := true
	wrap := func(rt http.RoundTripper) http.RoundTripper {
		if c.cfg.Wrap == nil {
			return rt
		}
		rt = c.cfg.Wrap(rt)
		ok = ok && rt != nil
		return &wrapped{rt}
	}
	// A connection keeps the certificate that it was opened with. With a
	// transport of its own, the certificate is shown to the intended endpoints
	// only.
	c.plain = wrap(&plainTransport{base})
	if c.cfg.Certificate != nil {
		c.withCert = wrap(&certTransport{mtls.New(c.cfg.Certificate, base)})
	}
	return ok
}

// authTransport returns the transport of requests with client authentication.
func (c *Client) authTransport() http.RoundTripper {
	// RFC 8705 section 3: the server binds a token to the certificate of the
	// connection that asks for it. So show it even if a secret authenticates.
	if c.withCert != nil {
		return c.withCert
	}
	return c.plain
}

// wrapped holds what Wrap returned. Package oidc uses Transports as keys of a
// map, and some RoundTrippers cannot be compared, but a pointer to this can.
type wrapped struct{ http.RoundTripper }

// plainTransport sends what the server did not process again.
type plainTransport struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (t *plainTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return transport.RoundTrip(t.Transport, r)
}

// certTransport turns the faults of a certificate into errors of this package.
type certTransport struct{ *mtls.Transport }

// RoundTrip implements [http.RoundTripper].
func (t *certTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	var fault mtls.Fault
	// The app's certificate is at fault, not the provider. Without this, the
	// operator would search the network for the cause.
	if errors.As(err, &fault) {
		return nil, errorf(Configuration, "client_auth.certificate", "%v", fault)
	}
	return resp, err
}
