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

// Binding binds tokens to a key of the app's, so that a stolen token is of no use: package dpop (RFC
// 9449), or a client certificate (RFC 8705 section 3, clientauth.CertificateBound). A copy with other
// functions around the first ones is a Binding too. The zero Binding leaves tokens unbound (bearer).
type Binding struct {
	redacted

	// TokenType is the token_type that the provider has to answer with, and the scheme under which
	// tokens are sent (RFC 6749 section 7.1). If empty, "Bearer".
	TokenType string

	// Certificate says that tokens are bound to [Config.Certificate].
	Certificate bool

	// Algorithms are the algorithms that sign proofs, the current key's first. If nil, there are none.
	Algorithms []string

	// Begin starts a login. key, of 64 bytes at most, names the key for the login and its tokens. It is
	// kept in the login cookie and with the token. params join the authorization request. An error
	// that is no [*Error] becomes [Configuration]. If nil, there is nothing to begin.
	Begin func(context.Context) (key string, params url.Values, err error)

	// Transport returns a RoundTripper around base that adds a fresh proof by the named key to each
	// request, and learns from each answer. A request whose Authorization has the scheme TokenType
	// carries a token to an API; any other goes to the token or PAR endpoint. It sends each request
	// once: after a refused proof the Client tries once more if the answer still names a nonce
	// (DPoP-Nonce), so it takes away one that would not help. It fails if the key is not known. If
	// nil, nothing is added.
	Transport func(base http.RoundTripper, key string) (http.RoundTripper, error)

	// Err is what is wrong with the arguments of the function that made this value. [New] lists it.
	Err error
}

const maxKeyName = 64 // bytes

// begin starts a login with the Binding.
func (c *Client) begin(ctx context.Context) (key string, params url.Values, err error) {
	if c.cfg.Binding.Begin == nil {
		return "", nil, nil
	}
	key, params, err = c.cfg.Binding.Begin(ctx)
	if err != nil || len(key) > maxKeyName {
		return "", nil, asFailure(ctx, err, Configuration, "binding", "Config.Binding failed")
	}
	return key, params, nil
}

// proving carries a request to the token or PAR endpoint, with proof of the named key. It returns the
// name of the key that is proven. A login or token from before the Binding was in use gets a new
// key, and so does a refresh token whose key is gone: for an app that authenticates, refresh tokens are
// not bound (RFC 9449 section 5), and the server refuses one that is.
func (c *Client) proving(ctx context.Context, via http.RoundTripper, what grant, key string) (http.RoundTripper, string, error) {
	b := &c.cfg.Binding
	var err error
	if key == "" {
		if key, _, err = c.begin(ctx); err != nil {
			return nil, "", err
		}
	}
	bound, err := b.Transport(via, key)
	if err != nil && what == refreshGrant {
		if key, _, err = c.begin(ctx); err != nil {
			return nil, "", err
		}
		bound, err = b.Transport(via, key)
	}
	if err != nil || bound == nil {
		return nil, "", asFailure(ctx, err, Configuration, "binding", "Config.Binding failed")
	}
	return bound, key, nil
}

const useNonce = "use_dpop_nonce" // RFC 9449 sections 8 and 9

// demandsNonce reports whether the provider refused a proof for want of a nonce that it names now, so that
// the request is worth another try (RFC 9449 section 8).
func demandsNonce(rep *reply, obj wire.Object) bool {
	if rep.status != http.StatusBadRequest && rep.status != http.StatusUnauthorized {
		return false
	}
	code, _ := obj.Text("error")
	return code == useNonce && len(rep.header.Values("DPoP-Nonce")) == 1
}

// withToken sends r to an API with a token, as bearer (RFC 6750 section 2.1) or according to
// Config.Binding. After a refused proof it sends r once more, if the body can be had again.
func (c *Client) withToken(r *http.Request, t *oauth2.Token) (*http.Response, error) {
	b, via := &c.cfg.Binding, c.plain
	if b.Certificate {
		via = c.certified
	}
	if b.Transport != nil {
		var err error
		if via, err = b.Transport(via, keyOf(t)); err != nil {
			closeBody(r.Body)
			return nil, err
		}
	}
	resp, err := via.RoundTrip(headers.Authorize(r, b.TokenType+" "+t.AccessToken))
	if err != nil || b.Transport == nil || !challengesNonce(resp, b.TokenType) {
		return resp, err
	}
	again := headers.Authorize(r, b.TokenType+" "+t.AccessToken)
	if r.Body != nil && r.Body != http.NoBody {
		if r.GetBody == nil {
			return resp, nil
		}
		if again.Body, err = r.GetBody(); err != nil {
			return resp, nil
		}
	}
	if resp.Body != nil {
		io.CopyN(io.Discard, resp.Body, maxDrain) // so that the connection can be used again
		resp.Body.Close()
	}
	return via.RoundTrip(again)
}

const maxDrain = 64 << 10 // bytes of an answer that is read only to keep its connection

// challengesNonce reports whether an API demands a nonce and names it (RFC 9449 section 9). It may
// challenge for other schemes in the same field, or in others of the same name.
func challengesNonce(resp *http.Response, scheme string) bool {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized || len(resp.Header.Values("DPoP-Nonce")) != 1 {
		return false
	}
	for _, field := range resp.Header.Values("WWW-Authenticate") {
		for _, challenge := range headers.ParseChallenges(field) {
			if strings.EqualFold(challenge.Scheme, scheme) && challenge.Params["error"] == useNonce {
				return true
			}
		}
	}
	return false
}

func closeBody(body io.ReadCloser) {
	if body != nil {
		body.Close() // as RoundTripper promises
	}
}

// keyMember is where a token's members keep the name of the key that it is bound to.
const keyMember = "authcode.key"

func keyOf(t *oauth2.Token) string {
	key, _ := t.Extra(keyMember).(string)
	return key
}
