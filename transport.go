package authcode

import (
	"errors"
	"net/http"
	"reflect"
	"slices"

	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/transport"
)

// buildTransports makes the transports of requests to the provider.
func (c *Client) buildTransports() error {
	base := c.cfg.Transport
	// Not http.DefaultTransport: any other package of the app can change it,
	// and it has no bound on the time to the first byte of an answer.
	if base == nil {
		base = transport.New()
	}
	var results []http.RoundTripper
	wrap := func(rt http.RoundTripper) http.RoundTripper {
		if c.cfg.Wrap == nil {
			return rt
		}
		rt = c.cfg.Wrap(rt)
		results = append(results, rt)
		return &wrapped{rt}
	}
	// A connection keeps the certificate that it was opened with. With a
	// transport of its own, the certificate is shown to the intended endpoints
	// only.
	c.plain = wrap(&plainTransport{base})
	if c.cfg.Certificate != nil {
		c.withCert = wrap(&certTransport{mtls.New(c.cfg.Certificate, base)})
	}
	if slices.ContainsFunc(results, isNilRoundTripper) {
		return errorf(Configuration, "config",
			"Config.Wrap returned nil: return the RoundTripper that wraps its argument")
	}
	// One RoundTripper cannot show the certificate to some endpoints and hide
	// it from all others.
	if len(results) == 2 && isSameRoundTripper(results[0], results[1]) {
		return errorf(Configuration, "config", "Config.Wrap returned the same RoundTripper twice: "+
			"return a new one for each argument, so that Config.Certificate is used")
	}
	return nil
}

func isNilRoundTripper(rt http.RoundTripper) bool { return rt == nil }

func isSameRoundTripper(a, b http.RoundTripper) bool {
	// Comparing two that cannot be compared, such as functions, would panic.
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
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

// RoundTrip implements [http.RoundTripper].
func (t *wrapped) RoundTrip(r *http.Request) (*http.Response, error) {
	return roundTrip(t.RoundTripper, r)
}

// roundTrip sends r with a RoundTripper of the app. Without this check, one
// that returns nothing would end the request in a panic.
func roundTrip(via http.RoundTripper, r *http.Request) (*http.Response, error) {
	resp, err := via.RoundTrip(r)
	if err == nil && (resp == nil || resp.Body == nil) {
		return nil, errorf(Configuration, "transport.nil", "a RoundTripper of Config.Wrap or "+
			"Config.Binding returned no answer and no error: make it return one of them")
	}
	return resp, err
}

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
