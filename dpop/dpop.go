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
)

// keyring is where a Binding finds its keys.
type keyring struct {
	begin      func() (*key, error)            // the key for a new login
	find       func(name string) (*key, error) // the key with that name
	algorithms []string
	faults     []string
}

// New returns a Binding to keys that the app keeps: the same keys for all
// people, in all instances. New tokens are bound to current. Tokens that are
// bound to one of former are used with that key. RSA keys of 2048 bits or more
// sign with PS256, P-256 keys with ES256, Ed25519 keys with EdDSA, which is
// called Ed25519 (RFC 9864) if [authcode.Endpoints.Ed25519] is set. Any other
// key is a fault, which [authcode.New] lists. The keys are used by many
// goroutines at once, and may live in a KMS or an HSM.
//
// A token without the name of a key, from before this package was in use or
// stored without its members, is used with current.
//
// To rotate, add the new key to former everywhere, then make it current
// everywhere, and drop the old one when the tokens that are bound to it have
// expired.
//
// The Binding may be used by several Clients: they share the keys and the
// nonces of servers. It is safe for concurrent use.
func New(current crypto.Signer, former ...crypto.Signer) authcode.Binding {
	var ring keyring
	var list []*key
	named := make(map[string]*key)
	for i, signer := range append([]crypto.Signer{current}, former...) {
		k, err := newKey("", signer)
		// A repeated key is harmless, and a sign that the app has mixed up its
		// keys.
		if err == nil && named[k.name] != nil {
			err = errors.New("it repeats an earlier key: remove it")
		}
		if err != nil {
			ring.faults = append(ring.faults, fmt.Sprintf("dpop.New: key %d: %v", i, err))
			continue
		}
		named[k.name] = k
		list = append(list, k)
		ring.algorithms = append(ring.algorithms, k.algorithm)
	}
	ring.begin = func() (*key, error) { return list[0], nil }
	ring.find = func(name string) (*key, error) {
		// Without a name, try the current key: the server refuses the token if
		// it is bound to another one.
		if name == "" {
			return list[0], nil
		}
		if k := named[name]; k != nil {
			return k, nil
		}
		return nil, failure("dpop.key")
	}
	return newBinding(ring)
}

// newBinding returns a Binding to the keys of ring. All transports of the
// Binding share what they learn about nonces: a server demands its nonce from
// everybody, so the next request has it at once.
func newBinding(ring keyring) authcode.Binding {
	b := authcode.Binding{
		TokenType:  "DPoP", // RFC 9449 section 5
		Algorithms: slices.Clone(ring.algorithms),
	}
	// The functions fail as well as New, in case an app clears Err.
	if len(ring.faults) > 0 {
		b.Err = &authcode.Error{
			Reason: authcode.Configuration, Check: "config", Faults: ring.faults,
		}
		ring.begin = func() (*key, error) { return nil, failure("dpop.config") }
		ring.find = func(string) (*key, error) { return nil, failure("dpop.config") }
	}
	b.Begin = func(context.Context) (string, url.Values, error) {
		k, err := ring.begin()
		if err != nil {
			return "", nil, err
		}
		// RFC 9449 section 10: dpop_jkt binds the code to the key, so that a
		// stolen code is of no use either.
		return k.name, url.Values{"dpop_jkt": {k.thumbprint}}, nil
	}
	nonces := newNonces()
	b.Transport = func(
		conn *authcode.Connection, base http.RoundTripper, name string,
	) (http.RoundTripper, error) {
		k, err := ring.find(name)
		if err != nil {
			return nil, err
		}
		signer := k.signer
		if conn.Endpoints.Ed25519 {
			signer = signer.Renamed()
		}
		return &transport{base, signer, nonces}, nil
	}
	return b
}

// explained says, by Check, what is wrong and what to do.
var explained = map[string]string{
	"dpop.config": "a key or secret of the Binding cannot be used: authcode.New lists why",
	"dpop.key": "the token is bound to a key that the app does not have: pass the former key " +
		"or secret, and store tokens with authcode.MarshalToken",
	"dpop.sign": "the key returned an error when it was to sign a proof: check the key, and " +
		"the KMS or HSM that holds it",
	"dpop.url": "a proof cannot name this URL: use one with a scheme, an ASCII host and a path",
}

func failure(check string) error {
	return authcode.NewError(authcode.Configuration, check, explained[check], nil)
}
