package authcode

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/transport"
	"example.com/authcode/internal/urls"
)

// buildTransports makes the transports of requests to the provider.
func (c *Client) buildTransports() error {
	base := c.cfg.Transport
	// Not http.DefaultTransport: any other package of the app can change it,
	// and it has no bound on the time to the first byte of an answer.
	if base == nil {
		base = transport.New()
		if len(c.cfg.InsecureInnerOrigins) > 0 {
			base.Proxy = c.cfg.innerDirectly(base.Proxy)
		}
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
	c.plain = wrap(c.cfg.innerTransport(plainTransport{base}))
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

// plainTransport also repeats a request that the server did not process. It can
// be compared, so that Clients with one Config.Transport share what package oidc
// has loaded through it.
type plainTransport struct{ *http.Transport }

// RoundTrip implements [http.RoundTripper].
func (t plainTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return transport.RoundTrip(t.Transport, r)
}

// certTransport turns the faults of a certificate into errors of this package.
type certTransport struct{ *mtls.Transport }

// RoundTrip implements [http.RoundTripper].
func (t *certTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.Transport.RoundTrip(r)
	// The app's certificate is at fault, not the provider. Without this, the
	// operator would search the network for the cause.
	if fault, ok := errors.AsType[mtls.Fault](err); ok {
		return nil, errorf(Configuration, "client_auth.certificate", "%v", fault)
	}
	return resp, err
}

// innerFaults checks InsecureInnerOrigins. It quotes none of them: somebody may
// have put a password there.
func (cfg *Config) innerFaults() (f []string) {
	const field = "Config.InsecureInnerOrigins"
	var inners, outers []string
	for inner, outer := range cfg.InsecureInnerOrigins {
		if !isOrigin(inner, "http") {
			f = append(f, field+" has a key that is not an http origin: "+
				"write scheme, host and port only, like http://keycloak:8080")
		} else {
			inners = append(inners, urls.OriginOf(inner))
		}
		if !isOrigin(outer, "https") {
			f = append(f, field+" has a value that is not an https origin: "+
				"write scheme, host and port only, like https://sso.example")
		} else {
			outers = append(outers, urls.OriginOf(outer))
		}
	}
	if hasTwice(inners) {
		f = append(f, field+" has an inner origin in two spellings: remove one")
	}
	// A request can go to one of them only.
	if hasTwice(outers) {
		f = append(f, field+" has two inner origins for one outer origin: remove one")
	}
	if len(cfg.InsecureInnerOrigins) > 0 && cfg.Certificate != nil {
		f = append(f, field+" is http, where Config.Certificate cannot be shown: "+
			"remove one of them")
	}
	slices.Sort(f) // a map has no order
	return f
}

func hasTwice(list []string) bool {
	return len(slices.Compact(slices.Sorted(slices.Values(list)))) < len(list)
}

// isOrigin reports whether raw is an origin with this scheme and nothing else.
func isOrigin(raw, scheme string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.Hostname() != "" && raw == scheme+"://"+u.Host && len(u.Port()) <= 5 &&
		urls.Origin(u) != ""
}

// outerEndpoints returns e with outer origins where the app itself sends
// requests. What a browser visits stays, so that no check takes an inner origin
// for a page.
func (cfg *Config) outerEndpoints(e Endpoints) Endpoints {
	if len(cfg.InsecureInnerOrigins) == 0 {
		return e
	}
	for _, field := range []*string{
		&e.TokenURL, &e.RevocationURL, &e.PARURL, &e.UserInfoURL, &e.IntrospectionURL, &e.JWKSURL,
	} {
		*field = urls.Outer(cfg.InsecureInnerOrigins, *field)
	}
	if e.MTLS != nil {
		aliases := cfg.outerEndpoints(*cloneEndpoints(e.MTLS))
		e.MTLS = &aliases
	}
	return e
}

// originFaults checks an origin that a token goes to.
func (c *Client) originFaults(raw string) []string {
	return serverFaults("", urls.Outer(c.cfg.InsecureInnerOrigins, raw), !c.loopback)
}

// innerTransport sends requests for an outer origin to its inner origin.
type innerTransport struct {
	next  http.RoundTripper
	inner map[string]string // hosts of inner origins, by outer origin
}

func (cfg *Config) innerTransport(next http.RoundTripper) http.RoundTripper {
	if len(cfg.InsecureInnerOrigins) == 0 {
		return next
	}
	t := &innerTransport{next, make(map[string]string)}
	for inner, outer := range cfg.InsecureInnerOrigins {
		u, _ := url.Parse(inner) // innerFaults has checked it
		t.inner[urls.OriginOf(outer)] = u.Host
	}
	return t
}

// RoundTrip implements [http.RoundTripper].
func (t *innerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	host, ok := t.inner[urls.Origin(r.URL)]
	if !ok {
		return t.next.RoundTrip(r)
	}
	// Not a deep copy: package dpop may replace a proof in the headers of r.
	out, to := r.WithContext(r.Context()), *r.URL
	to.Scheme, to.Host = "http", host
	out.URL, out.Host = &to, ""
	resp, err := t.next.RoundTrip(out)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

// innerDirectly keeps requests for inner origins from the proxy of the
// environment, which would read the client secret.
func (cfg *Config) innerDirectly(
	proxy func(*http.Request) (*url.URL, error),
) func(*http.Request) (*url.URL, error) {
	var inner []string
	for origin := range maps.Keys(cfg.InsecureInnerOrigins) {
		inner = append(inner, urls.OriginOf(origin))
	}
	return func(r *http.Request) (*url.URL, error) {
		if slices.Contains(inner, urls.Origin(r.URL)) {
			return nil, nil
		}
		return proxy(r)
	}
}
