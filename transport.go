package authcode

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

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

// plainTransport also repeats a request that the server did not process.
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

// isDPoP reports whether tokens are bound by DPoP (RFC 9449). Schemes ignore
// case (RFC 9110 section 11.1).
func (b *Binding) isDPoP() bool { return strings.EqualFold(b.TokenType, "DPoP") }

// boundTransport returns what Config.Binding makes of base for the named key.
// With DPoP, it checks the outcome. The Transport may come from the app or be
// wrapped, and one that adds no proof would leave tokens unbound without notice:
// a server decides by the proof whether it binds a token (RFC 9449 section 5).
func (c *Client) boundTransport(base http.RoundTripper, key string) (http.RoundTripper, error) {
	isDPoP := c.cfg.Binding.isDPoP()
	if isDPoP {
		base = proofGate{base, c}
	}
	bound, err := c.cfg.Binding.Transport(base, key)
	switch {
	case err != nil:
		return nil, err
	case bound == nil:
		return nil, errorf(Configuration, "binding", "Config.Binding.Transport returned nil: "+
			"return a RoundTripper, or an error for a key that it does not know")
	case isDPoP:
		bound = gatedTransport{bound}
	}
	return bound, nil
}

// proofGate stands between Binding.Transport and the network. It sends only
// requests with a proof. It is a value that can be compared, so that a Transport
// may keep one RoundTripper for each base.
type proofGate struct {
	next   http.RoundTripper
	client *Client
}

// RoundTrip implements [http.RoundTripper].
func (g proofGate) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.client.checkProof(r.Header); err != nil {
		closeBody(r.Body)
		return nil, err
	}
	if passed, ok := r.Context().Value(passedGate{}).(*atomic.Bool); ok {
		passed.Store(true)
	}
	return g.next.RoundTrip(r)
}

// passedGate is the context key of an *atomic.Bool, which a proofGate sets.
type passedGate struct{}

// gatedTransport refuses the answer to a request that no proofGate has seen. A
// Binding that sends by a transport of its own would also bypass
// Config.Transport and Config.Wrap.
type gatedTransport struct{ bound http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (t gatedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	var passed atomic.Bool
	ctx := context.WithValue(r.Context(), passedGate{}, &passed)
	resp, err := t.bound.RoundTrip(r.WithContext(ctx))
	if err != nil || passed.Load() {
		return resp, err
	}
	if resp != nil {
		closeBody(resp.Body)
	}
	return nil, errorf(Configuration, "binding.base", "Config.Binding.Transport answered a request "+
		"without its base: send each request by base, with the context that it came with")
}

// checkProof refuses a request that does not have exactly one DPoP proof (RFC
// 9449 section 4.2), signed with an algorithm of Config.Algorithms. The server
// verifies the signature.
func (c *Client) checkProof(h http.Header) error {
	var proofs []string
	for name, values := range h {
		// net/http sends a header under any spelling, and servers read it.
		if strings.EqualFold(name, "DPoP") {
			proofs = append(proofs, values...)
		}
	}
	// RFC 9449 section 4.3: a server refuses a request with two. A server that
	// takes one of them, or ignores the header, must not get the request either.
	if len(proofs) != 1 {
		return errorf(Configuration, "binding.proof", "the request has %d DPoP headers, want 1: "+
			"make Config.Binding.Transport set the header DPoP once in each request", len(proofs))
	}
	header, _, ok := decodeJWT(proofs[0])
	typ, _ := header.Text("typ")
	alg, _ := header.Text("alg")
	// RFC 8725 section 3.11: without this type, another JWT by the same key,
	// such as a client assertion, could serve as a proof.
	if !ok || typ != "dpop+jwt" {
		return errorf(Configuration, "binding.proof", "the DPoP header is not a signed JWT of the "+
			"type dpop+jwt: make Config.Binding.Transport set a proof (RFC 9449 section 4.2)")
	}
	// RFC 9449 section 4.2: a digital signature, neither none nor HMAC.
	allowed := c.cfg.Algorithms
	if !isAlgorithm(alg) || allowed != nil && !slices.Contains(allowed, alg) {
		return errorf(Configuration, "binding.alg", "the DPoP proof is signed with an algorithm that "+
			"is not allowed: use one of %s", cmp.Or(strings.Join(allowed, ", "), "ES256, PS256, EdDSA"))
	}
	return nil
}
