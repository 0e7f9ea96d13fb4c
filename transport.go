package authcode

import (
	"errors"
	"net/http"

	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/transport"
)

// connect makes the ways to the provider. It reports whether Wrap returned something.
func (c *Client) connect() bool {
	base := c.cfg.Transport
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
	c.plain = wrap(base)
	if c.cfg.Certificate != nil {
		c.certified = wrap(&certified{mtls.New(c.cfg.Certificate, base)})
	}
	return ok
}

// authenticating carries requests with client authentication: it shows the certificate if there is one.
func (c *Client) authenticating() http.RoundTripper {
	if c.certified != nil {
		return c.certified
	}
	return c.plain
}

// wrapped gives what Wrap returned an identity, since some RoundTrippers cannot be compared.
type wrapped struct{ http.RoundTripper }

// certified makes the faults of a certificate errors of this package.
type certified struct{ *mtls.Transport }

// RoundTrip implements [http.RoundTripper].
func (t *certified) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	var fault mtls.Fault
	if errors.As(err, &fault) {
		return nil, fail(Configuration, "client_auth.certificate", "%v", fault)
	}
	return resp, err
}
