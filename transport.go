package authcode

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/transport"
	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
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

// APIClient returns an HTTP client that adds the token, according to
// [Config.Binding], to requests to origins such as "https://api.github.com",
// and to no others, not even after a redirect. Origins are https, or loopback
// for an app that is there, too.
//
// If an API refuses the token with 401 and invalid_token (RFC 6750 section
// 3.1), the client renews it with [TokenSource.Renew] and sends the request once
// more, unless the request has a body without GetBody or there is no refresh
// token: then the caller gets the refusal. If the renewal fails, the caller gets
// its error.
func (s *TokenSource) APIClient(origins ...string) (*http.Client, error) {
	allowed := make(map[string]bool, len(origins))
	for _, o := range origins {
		u, _ := url.Parse(o) // serverFaults finds what cannot be parsed
		// Refuse a path or a query: it would suggest that only requests below
		// it carry the token, but all requests to the origin do.
		if len(serverFaults("", o, !s.client.loopback)) > 0 ||
			strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return nil, errorf(Configuration, "api.origin", "an origin passed to APIClient is not "+
				"a scheme and a host: write it like https://api.example; http is for loopback")
		}
		allowed[urls.Origin(u)] = true
	}
	// The app names the origins: a URL from a document or a redirect must not
	// decide who sees the token (RFC 9700 section 4.9.1).
	if len(allowed) == 0 {
		return nil, errorf(Configuration, "api.origin",
			"APIClient needs the origins that may see the token: pass at least one")
	}
	return &http.Client{Transport: &apiTransport{
		source: s, base: s.client.plain, allowed: allowed,
	}}, nil
}

// apiTransport adds the token to requests to the allowed origins.
type apiTransport struct {
	source  *TokenSource
	base    http.RoundTripper
	allowed map[string]bool

	// hopeless is an access token that was refused although it was new.
	hopeless atomic.Pointer[string]
}

// RoundTrip implements [http.RoundTripper]. An http.Client follows redirects
// with one call each, so each target is checked.
func (t *apiTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	// Not oauth2.NewClient: it would add the token again after a redirect to
	// another host.
	if !t.allowed[urls.Origin(r.URL)] {
		return t.base.RoundTrip(r)
	}
	// Use the context of the request, so that its caller does not wait longer
	// for a refresh than for the request itself.
	token, err := t.source.Token(r.Context())
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	resp, err := t.source.client.sendWithToken(r, token)
	if err != nil || !t.mayRenew(resp, token) {
		return resp, err
	}
	again := r.WithContext(r.Context())
	if !rewind(again) {
		return resp, nil
	}
	discardBody(resp.Body)
	return t.sendRenewed(again, token)
}

// mayRenew reports whether another token than t may succeed where resp is the
// answer.
func (t *apiTransport) mayRenew(resp *http.Response, token *oauth2.Token) bool {
	// An API that refuses every token, such as one for another audience, must
	// not cost a refresh for each request.
	hopeless := t.hopeless.Load()
	return t.isRefusal(resp) && !isBlank(token.RefreshToken) &&
		(hopeless == nil || *hopeless != token.AccessToken)
}

// isRefusal reports whether the API says that the token is not valid (RFC 6750
// section 3.1, RFC 9449 section 7.1). Other refusals, such as
// insufficient_scope, mean the request and not the token.
func (t *apiTransport) isRefusal(resp *http.Response) bool {
	return challenges(resp, t.source.client.cfg.Binding.TokenType, "invalid_token")
}

// sendRenewed sends r with a token in place of refused.
func (t *apiTransport) sendRenewed(
	r *http.Request, refused *oauth2.Token,
) (*http.Response, error) {
	fresh, err := t.source.Renew(r.Context(), refused)
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	resp, err := t.source.client.sendWithToken(r, fresh)
	if err == nil && t.isRefusal(resp) {
		t.hopeless.Store(&fresh.AccessToken)
	}
	return resp, err
}
