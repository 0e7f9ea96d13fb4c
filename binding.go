package authcode

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// Binding binds tokens to a key of the app, so that a stolen token is useless:
// package dpop (RFC 9449) or clientauth.CertificateBound (RFC 8705 section 3).
type Binding struct {
	redacted
	TokenType   string   // token_type and scheme of tokens; if empty, "Bearer"
	Certificate bool     // tokens are bound to [Config.Certificate]
	Algorithms  []string // sign proofs, the current key's first

	// Begin starts a login. It returns a name for its key, of 64 bytes at most,
	// which the login cookie and the token keep, and parameters for the
	// authorization request. If nil, a login begins without it.
	Begin func(context.Context) (key string, params url.Values, err error)

	// Transport wraps base. It adds a fresh proof by the named key to each
	// request: to an API if the scheme is TokenType, otherwise to the token or
	// PAR endpoint. It fails if it does not know the key. The Client repeats a
	// request once if the refusal has a DPoP-Nonce; Transport removes a nonce
	// that would not help. If TokenType is DPoP, base demands one DPoP proof by
	// one of [Config.Algorithms]. If nil, no proofs.
	Transport func(base http.RoundTripper, key string) (http.RoundTripper, error)

	Err error // what a constructor found wrong with its arguments
}

// maxKeyName bounds the name of a key, in bytes: it travels in the login
// cookie.
const maxKeyName = 64

// beginBinding starts a login with the Binding.
func (c *Client) beginBinding(ctx context.Context) (key string, params url.Values, err error) {
	if c.cfg.Binding.Begin == nil {
		return "", nil, nil
	}
	key, params, err = c.cfg.Binding.Begin(ctx)
	if err != nil {
		return "", nil, seamError(ctx, err, Configuration, "binding", "Config.Binding.Begin failed")
	}
	if len(key) > maxKeyName {
		return "", nil, errorf(Configuration, "binding",
			"Config.Binding.Begin returned a key name of over %d bytes: shorten it", maxKeyName)
	}
	return key, params, nil
}

// proofTransport returns a transport that proves possession of the named key to
// the token or PAR endpoint, and the name of the key that it uses.
func (c *Client) proofTransport(
	ctx context.Context, base http.RoundTripper, kind requestKind, key string,
) (http.RoundTripper, string, error) {
	var err error
	// A login or token from before the Binding was in use has no key.
	if key == "" {
		if key, _, err = c.beginBinding(ctx); err != nil {
			return nil, "", err
		}
	}
	bound, err := c.boundTransport(base, key)
	// The key may be gone, for example after a restart. RFC 9449 section 5:
	// only the refresh tokens of public clients are bound to a key. So try a
	// new key; the server refuses it if the refresh token is bound to the old
	// one.
	if err != nil && kind == refreshRequest {
		if key, _, err = c.beginBinding(ctx); err != nil {
			return nil, "", err
		}
		bound, err = c.boundTransport(base, key)
	}
	if err != nil {
		return nil, "", seamError(ctx, err, Configuration, "binding",
			"Config.Binding.Transport failed: check whether it knows the key of this login or token")
	}
	return bound, key, nil
}

const useNonce = "use_dpop_nonce" // RFC 9449 sections 8 and 9

// demandsNonce reports whether the provider refused a proof because it lacks a
// nonce that the answer names.
func demandsNonce(rep *reply, obj wire.Object) bool {
	if rep.status != http.StatusBadRequest && rep.status != http.StatusUnauthorized {
		return false
	}
	// RFC 9449 section 8: the answer has the nonce in DPoP-Nonce. Without one,
	// or with several, the next try would fail like this one.
	code, _ := obj.Text("error")
	return code == useNonce && len(rep.header.Values("DPoP-Nonce")) == 1
}

// sendWithToken sends r to an API with the token t, as a bearer token (RFC 6750
// section 2.1) or according to Config.Binding.
func (c *Client) sendWithToken(r *http.Request, t *oauth2.Token) (*http.Response, error) {
	// RFC 6750 section 5.2: never send a token without TLS.
	if len(serverFaults("", (&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}).String(), !c.loopback)) > 0 {
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
		if via, err = c.boundTransport(via, keyOf(t)); err != nil {
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

// keyMember is the member of a token that has the name of the key that the
// token is bound to.
const keyMember = "authcode.key"

// keyOf returns the name of the key that t is bound to, or "" if there is none.
func keyOf(t *oauth2.Token) string {
	key, _ := t.Extra(keyMember).(string)
	return key
}
