package authcode

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"example.com/authcode/internal/jws"
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
	// one of [Config.Algorithms]. For an API, conn may lack the endpoints that
	// Metadata finds. If nil, no proofs.
	Transport func(conn *Connection, base http.RoundTripper, key string) (http.RoundTripper, error)

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

// checkOffer refuses a login with DPoP at a provider that says that it would not
// bind the token: the person would sign in there, only to be refused here.
func (c *Client) checkOffer(ep *resolvedEndpoints) error {
	b, offered := &c.cfg.Binding, strings.Fields(ep.DPoPAlgorithms)
	if !b.isDPoP() || len(offered) == 0 {
		return nil
	}
	// A document may have written these names. Only known ones reach the logs.
	offered = slices.DeleteFunc(offered, func(name string) bool { return !isAlgorithm(name) })
	isOffered := func(alg string) bool { return jws.Allows(offered, alg) }
	switch {
	case len(offered) == 0:
		return errorf(Configuration, "binding.unsupported", "Config.Binding demands DPoP, which the "+
			"provider does not offer (dpop_signing_alg_values_supported in its metadata): switch DPoP "+
			"on there, or remove the Binding; if the provider takes proofs but does not say so, name "+
			"their algorithms in Provider.DPoPAlgorithms")
	case len(b.Algorithms) > 0 && !slices.ContainsFunc(b.Algorithms, isOffered):
		return errorf(Configuration, "binding.unsupported", "Config.Binding signs proofs with %s, but "+
			"the provider takes %s only (dpop_signing_alg_values_supported in its metadata): give "+
			"the Binding a key for one of these", strings.Join(b.Algorithms, ", "),
			strings.Join(offered, ", "))
	}
	return nil
}

// proofTransport returns a transport that proves possession of the named key to
// the token or PAR endpoint, and the name of the key that it uses.
func (c *Client) proofTransport(
	ctx context.Context, conn *Connection, base http.RoundTripper, kind requestKind, key string,
) (http.RoundTripper, string, error) {
	var err error
	// A login or token from before the Binding was in use has no key.
	if key == "" {
		if key, _, err = c.beginBinding(ctx); err != nil {
			return nil, "", err
		}
	}
	bound, err := c.boundTransport(conn, base, key)
	// The key may be gone, for example after a restart. RFC 9449 section 5:
	// only the refresh tokens of public clients are bound to a key. So try a
	// new key; the server refuses it if the refresh token is bound to the old
	// one.
	if err != nil && kind == refreshRequest {
		if key, _, err = c.beginBinding(ctx); err != nil {
			return nil, "", err
		}
		bound, err = c.boundTransport(conn, base, key)
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

// keyMember is the member of a token that has the name of the key that the
// token is bound to.
const keyMember = ownMembers + "key"

// keyOf returns the name of the key that t is bound to, or "" if there is none.
func keyOf(t *oauth2.Token) string {
	key, _ := t.Extra(keyMember).(string)
	return key
}

// isDPoP reports whether tokens are bound by DPoP (RFC 9449). Schemes ignore
// case (RFC 9110 section 11.1).
func (b *Binding) isDPoP() bool { return strings.EqualFold(b.TokenType, "DPoP") }

// boundTransport returns what Config.Binding makes of base for the named key.
// With DPoP, it checks the outcome. The Transport may come from the app or be
// wrapped, and one that adds no proof would leave tokens unbound without notice:
// a server decides by the proof whether it binds a token (RFC 9449 section 5).
func (c *Client) boundTransport(
	conn *Connection, base http.RoundTripper, key string,
) (http.RoundTripper, error) {
	isDPoP := c.cfg.Binding.isDPoP()
	if isDPoP {
		base = proofGate{base, c}
	}
	own := *conn // so that Transport cannot change the Client's
	bound, err := c.cfg.Binding.Transport(&own, base, key)
	switch {
	case err != nil:
		return nil, err
	case bound == nil:
		return nil, errorf(Configuration, "binding", "Config.Binding.Transport returned nil: "+
			"return a RoundTripper, or an error for a key that it does not know")
	case isDPoP:
		bound = gatedTransport{bound}
	}
	// A proof is for the URL that the server sees (RFC 9449 section 4.3). Inside,
	// Keycloak sees the inner one, whichever its metadata names.
	return c.cfg.innerTransport(bound), nil
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
	if !isAlgorithm(alg) || allowed != nil && !jws.Allows(allowed, alg) {
		return errorf(Configuration, "binding.alg", "the DPoP proof is signed with an algorithm that "+
			"is not allowed: use one of %s", cmp.Or(strings.Join(allowed, ", "), "PS256, ES256 or EdDSA"))
	}
	return nil
}
