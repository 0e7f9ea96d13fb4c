package dpop

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/web"
)

// Binding binds tokens to keys of the app's by DPoP. It is an [authcode.Binding], for one Client or for
// several: they share the keys and what servers' nonces are known. It is safe for concurrent use, and never
// prints or marshals a key.
type Binding struct {
	keys   keyring
	nonces *memory[server, string]
}

var _ authcode.Binding = (*Binding)(nil)

// keyring holds its keys inside functions: no verb of fmt and no encoder that works by reflection can
// reach into one, whatever it is nested in.
type keyring struct {
	begin      func() (*key, error)            // the key for a new login
	find       func(name string) (*key, error) // the key with that name
	algorithms []string
	faults     []error
}

const maxServers = 256 // whose nonces are kept

func newBinding(keys keyring) *Binding {
	if len(keys.faults) > 0 {
		keys.begin = func() (*key, error) { return nil, failure("dpop.config") }
		keys.find = func(string) (*key, error) { return keys.begin() }
	}
	return &Binding{keys, newMemory[server, string](maxServers)}
}

// New returns a Binding whose keys the app keeps: the same for all people, in all instances. New tokens are
// bound to current; tokens that are bound to one of former are used with that. RSA keys of 2048 bits or more
// sign with PS256, P-256 keys with ES256, Ed25519 keys with EdDSA; any other key is a fault that
// [Binding.Validate] reports. Keys are used by many goroutines at once, and may be a KMS's or an HSM's.
//
// To rotate, add the new key to former everywhere, then make it current everywhere, and drop the old one when
// the tokens that are bound to it are gone.
func New(current crypto.Signer, former ...crypto.Signer) *Binding {
	var ring keyring
	var list []*key
	named := make(map[string]*key)
	for i, signer := range append([]crypto.Signer{current}, former...) {
		k, err := newKey("", signer)
		if err == nil && named[k.name] != nil {
			err = errors.New("it repeats an earlier key: remove it")
		}
		if err != nil {
			ring.faults = append(ring.faults, fmt.Errorf("dpop.New: key %d: %w", i, err))
			continue
		}
		named[k.name] = k
		list = append(list, k)
		ring.algorithms = append(ring.algorithms, k.algorithm)
	}
	ring.begin = func() (*key, error) { return list[0], nil }
	ring.find = func(name string) (*key, error) {
		if name == "" { // stored before this package was in use, or without its members
			return list[0], nil
		}
		if k := named[name]; k != nil {
			return k, nil
		}
		return nil, failure("dpop.key")
	}
	return newBinding(ring)
}

// Validate reports all that is wrong with the keys; nil if nothing is. A Binding with faults does nothing but
// fail, with the Check "dpop.config".
func (b *Binding) Validate() error {
	if b == nil || b.keys.begin == nil {
		return errors.New("dpop: the Binding is nil or empty: use New or PerSession")
	}
	return errors.Join(b.keys.faults...)
}

// Algorithms returns the signature algorithm of each key, the current one first: "ES256", "PS256" or "EdDSA".
func (b *Binding) Algorithms() []string { return slices.Clone(b.keys.algorithms) }

// TokenType implements [authcode.Binding] (RFC 9449 section 5).
func (b *Binding) TokenType() string { return "DPoP" }

// Begin implements [authcode.Binding]: the code will be bound to the key already (RFC 9449 section 10).
func (b *Binding) Begin(context.Context) (string, url.Values, error) {
	k, err := b.keys.begin()
	if err != nil {
		return "", nil, err
	}
	return k.name, url.Values{"dpop_jkt": {k.thumbprint}}, nil
}

// Prove implements [authcode.Binding]: it sets the header DPoP (RFC 9449 sections 5 and 10.1). A refresh token
// whose key is gone is proven with a current one, and the new token carries its name.
func (b *Binding) Prove(_ context.Context, req *authcode.BackChannelRequest) error {
	k, err := b.keyOf(req)
	if err != nil {
		return err
	}
	r, err := http.NewRequest(http.MethodPost, req.Endpoint, nil)
	if err != nil {
		return failure("dpop.url")
	}
	t, err := newTarget(authorizationServer, r)
	if err != nil {
		return err
	}
	proof, err := b.prove(k, t)
	if err != nil {
		return err
	}
	req.Key = k.name
	if req.Header == nil {
		req.Header = make(http.Header, 1)
	}
	web.SetHeader(req.Header, "DPoP", proof)
	return nil
}

func (b *Binding) keyOf(req *authcode.BackChannelRequest) (*key, error) {
	if req.Key == "" { // a login or token from before this package was in use
		return b.keys.begin()
	}
	k, err := b.keys.find(req.Key)
	if err != nil && req.Form.Get("grant_type") == "refresh_token" {
		// A refresh token of an app that authenticates is bound to no key (RFC 9449 section 5). One that is
		// the server refuses.
		return b.keys.begin()
	}
	return k, err
}

// Answered implements [authcode.Binding]. It learns the nonce of every answer, and asks for the request again
// if the server demands another nonce than the proof had, and names it (RFC 9449 section 8).
func (b *Binding) Answered(req *authcode.BackChannelRequest, resp *http.Response) bool {
	u, err := url.Parse(req.Endpoint)
	if err != nil {
		return false
	}
	nonce, ok := b.learn(serverOf(authorizationServer, u, u.Host), resp)
	refused := resp.StatusCode == http.StatusBadRequest || resp.StatusCode == http.StatusUnauthorized
	return ok && refused && nonce != nonceIn(req.Header.Get("DPoP")) && errorIn(resp) == useNonce
}

// Format prints b without its keys, whatever the verb.
func (b Binding) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "dpop.Binding{Algorithms: %q, keys: REDACTED}", b.keys.algorithms)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (b Binding) MarshalText() ([]byte, error) { return fmt.Append(nil, b), nil }

// explained says what is wrong and what to do.
var explained = map[string]string{
	"dpop.config": "a key or secret of the Binding cannot be used: see its Validate",
	"dpop.key":    "the token is bound to a key that is not among the app's: was a former one dropped too early, or the token stored without authcode.MarshalToken?",
	"dpop.sign":   "the key did not sign",
	"dpop.url":    "the URL cannot be named in a proof: want scheme, an ASCII host, and a path",
}

func failure(check string) *authcode.Error {
	return authcode.NewError(authcode.Configuration, check, explained[check], nil)
}
