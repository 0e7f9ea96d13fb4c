package authcode

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// APIClient returns an HTTP client that adds the token, as
// [Client.APIClient] does.
//
// If an API refuses the token, the client renews it with [TokenSource.Renew],
// unless there is no refresh token. If the renewal fails, the caller gets its
// error.
func (s *TokenSource) APIClient(origins ...string) (*http.Client, error) {
	return s.client.APIClient(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		switch {
		case refused == nil:
			return s.Token(ctx)
		case isBlank(refused.RefreshToken):
			return nil, nil
		}
		return s.Renew(ctx, refused)
	}, origins...)
}

// APIClient returns an HTTP client that adds the token, according to
// [Config.Binding], to requests to origins such as "https://api.github.com",
// and to no others, not even after a redirect. Origins are https, or loopback
// for an app that is there, too.
//
// The function token returns the token to send. If an API refuses one with 401
// and invalid_token (RFC 6750 section 3.1), the client calls it again with the
// refused token, and sends the request once more with what it returns then. The
// caller gets the refusal if that is nil, or if the request has a body without
// GetBody.
func (c *Client) APIClient(
	token func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error),
	origins ...string,
) (*http.Client, error) {
	allowed := make(map[string]bool, len(origins))
	for _, o := range origins {
		u, _ := url.Parse(o) // originFaults finds what cannot be parsed
		// Refuse a path or a query: it would suggest that only requests below
		// it carry the token, but all requests to the origin do.
		if len(c.originFaults(o)) > 0 ||
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
		client: c, token: token, allowed: allowed,
	}}, nil
}

// apiTransport adds the token to requests to the allowed origins.
type apiTransport struct {
	client  *Client
	token   func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error)
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
		return t.client.plain.RoundTrip(r)
	}
	// Use the context of the request, so that its caller does not wait longer
	// for a refresh than for the request itself.
	token, err := t.token(r.Context(), nil)
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	resp, err := t.client.sendWithToken(r, token)
	if err != nil || !t.mayRenew(resp, token) {
		return resp, err
	}
	again := r.WithContext(r.Context())
	if !rewind(again) {
		return resp, nil
	}
	return t.sendRenewed(again, resp, token)
}

// mayRenew reports whether a token other than t may succeed where resp is the
// answer.
func (t *apiTransport) mayRenew(resp *http.Response, token *oauth2.Token) bool {
	// An API that refuses every token, such as one for another audience, must
	// not cost a refresh for each request.
	hopeless := t.hopeless.Load()
	return t.isRefusal(resp) && (hopeless == nil ||
		*hopeless != token.AccessToken)
}

// isRefusal reports whether the API says that the token is not valid (RFC 6750
// section 3.1, RFC 9449 section 7.1). Other refusals, such as
// insufficient_scope, mean the request and not the token.
func (t *apiTransport) isRefusal(resp *http.Response) bool {
	return challenges(resp, t.client.cfg.Binding.TokenType, "invalid_token")
}

// sendRenewed sends r with a token in place of refused. It returns refusal if
// there is none.
func (t *apiTransport) sendRenewed(
	r *http.Request, refusal *http.Response, refused *oauth2.Token,
) (*http.Response, error) {
	fresh, err := t.token(r.Context(), refused)
	if err == nil && fresh == nil {
		closeBody(r.Body)
		return refusal, nil
	}
	discardBody(refusal.Body)
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	resp, err := t.client.sendWithToken(r, fresh)
	if err == nil && t.isRefusal(resp) {
		t.hopeless.Store(&fresh.AccessToken)
	}
	return resp, err
}

// sendWithToken sends r to an API with the token t, as a bearer token (RFC 6750
// section 2.1) or according to Config.Binding.
func (c *Client) sendWithToken(r *http.Request, t *oauth2.Token) (*http.Response, error) {
	// An empty token would make the API answer 401, which tells nobody why.
	if t == nil || isBlank(t.AccessToken) {
		closeBody(r.Body)
		return nil, noAccessToken()
	}
	// RFC 6750 section 5.2: never send a token without TLS.
	origin := &url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}
	if len(c.originFaults(origin.String())) > 0 {
		closeBody(r.Body)
		return nil, errorf(Configuration, "api.url", "the token would be sent over http: "+
			"use an https URL; http is only for an API and an app on loopback")
	}
	b, via := &c.cfg.Binding, c.plain
	// RFC 8705 section 3: the API compares the certificate of the connection
	// with the one that the token is bound to.
	if b.Certificate {
		via = c.withCert
	}
	if b.Transport != nil {
		var err error
		if via, err = c.boundTransport(c.apiConnection(r.Context()), via, keyOf(t)); err != nil {
			closeBody(r.Body)
			return nil, seamError(r.Context(), err, Configuration, "binding",
				"Config.Binding.Transport failed: check whether it knows the key of this token")
		}
	}
	resp, err := roundTrip(via, headers.Authorize(r, b.TokenType+" "+t.AccessToken))
	if b.Transport == nil || !challengesNonce(resp, b.TokenType) {
		return resp, err
	}
	// RFC 9449 section 9: try again with the nonce that the API names. Try once
	// only: an API that always names a new one would keep the app busy forever.
	again := headers.Authorize(r, b.TokenType+" "+t.AccessToken)
	if !rewind(again) {
		return resp, nil
	}
	discardBody(resp.Body)
	return roundTrip(via, again)
}

// apiConnection is what Binding.Transport gets for a request to an API.
func (c *Client) apiConnection(ctx context.Context) *Connection {
	// Of the metadata, a proof needs only the name of an Ed25519 key's algorithm.
	// An API can be called without metadata, so a provider that is down must not
	// delay a request, or make it fail, that does not need it.
	if algs := c.cfg.Binding.Algorithms; algs == nil || jws.Allows(algs, jws.EdDSA) {
		if ep, err := c.resolve(ctx); err == nil {
			conn := ep.connection()
			return &conn
		}
	}
	if last := c.lastEndpoints.Load(); last != nil {
		conn := last.connection()
		return &conn
	}
	return c.metadataConnection()
}

// rewind gives r a new body, because a first try has read it. It reports whether
// r can be sent again. If not, the caller gets the refusal, and may repeat the
// request itself.
func rewind(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	if r.GetBody == nil {
		return false
	}
	body, err := r.GetBody()
	if err != nil {
		return false
	}
	r.Body = body
	return true
}

const maxDrain = 64 << 10 // bytes

// discardBody reads the rest of a short body and closes it.
func discardBody(body io.ReadCloser) {
	if body == nil {
		return
	}
	// net/http reuses a connection only if the body was read to its end.
	// Reading a long one would take longer than a new connection.
	io.CopyN(io.Discard, body, maxDrain)
	body.Close()
}

// challengesNonce reports whether an API demands a nonce that its answer names
// (RFC 9449 section 9).
func challengesNonce(resp *http.Response, scheme string) bool {
	return challenges(resp, scheme, useNonce) && len(resp.Header.Values("DPoP-Nonce")) == 1
}

// challenges reports whether an API refused the token with this error code.
func challenges(resp *http.Response, scheme, code string) bool {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		return false
	}
	// RFC 9110 section 11.6.1: one field may have several challenges, and there
	// may be several fields.
	for _, field := range resp.Header.Values("WWW-Authenticate") {
		for _, challenge := range headers.ParseChallenges(field) {
			isOwn := strings.EqualFold(challenge.Scheme, scheme)
			if isOwn && challenge.Params["error"] == code {
				return true
			}
		}
	}
	return false
}

func closeBody(body io.ReadCloser) {
	if body != nil {
		body.Close() // http.RoundTripper demands it, also after an error
	}
}
