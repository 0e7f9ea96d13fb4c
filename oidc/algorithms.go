package oidc

import (
	"context"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// signingRules returns the algorithms that may sign a JWT of kind k, and the
// URL of the keys.
func (d *documents) signingRules(
	ctx context.Context, conn *authcode.Connection, k kind,
) (algs []jose.SignatureAlgorithm, keysURL string, err error) {
	// The app decides, never the metadata. What the metadata lists is what the
	// server can do for other clients. If all of that were accepted, a thief of
	// any one of those keys could sign for this client, too.
	pinned := conn.Config.Provider.Algorithms
	algs = supportedAlgorithms(pinned)
	// OpenID Connect Core section 3.1.3.7, Back-Channel Logout section 2.6,
	// JARM section 3 and RFC 9701 section 6: RS256, unless the client is
	// registered for another algorithm.
	if pinned == nil {
		algs = []jose.SignatureAlgorithm{jose.RS256}
	}
	// An app that gives its own endpoints needs no metadata, and its logins do
	// not fail when that document cannot be loaded.
	if conn.Endpoints.JWKSURL != "" {
		return algs, conn.Endpoints.JWKSURL, nil
	}
	keysURL, err = d.keysURL(ctx, &d.allowances[k.purpose])
	return algs, keysURL, err
}

// ed25519Name is the new name of EdDSA with an Ed25519 key (RFC 9864 section
// 2.2). go-jose does not know it.
const ed25519Name = jose.SignatureAlgorithm(jws.Ed25519)

// supportedAlgorithms returns those of names that this package supports. Either
// name for Ed25519 stands for both.
func supportedAlgorithms(names []string) (algs []jose.SignatureAlgorithm) {
	for _, name := range names {
		// Not "none", which is no signature, and not HMAC. A verifier that
		// admits HMAC can be tricked into taking the public key for the secret
		// (RFC 8725 section 2.1).
		switch alg := jose.SignatureAlgorithm(name); alg {
		case jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
			jose.ES256, jose.ES384, jose.ES512:
			algs = append(algs, alg)
		case jose.EdDSA, ed25519Name:
			algs = append(algs, jose.EdDSA, ed25519Name)
		}
	}
	return algs
}

// prefersEd25519 reports whether the provider lists Ed25519, and not EdDSA, for
// what clients sign.
func prefersEd25519(obj wire.Object) bool {
	var lists [][]string
	for _, name := range []string{
		"token_endpoint_auth_signing_alg_values_supported", // RFC 8414 section 2
		"request_object_signing_alg_values_supported",      // RFC 9101 section 10.5
		"dpop_signing_alg_values_supported",                // RFC 9449 section 5.1
	} {
		// A list that cannot be read says nothing. It must not make the document
		// useless to an app that signs nothing.
		list, _ := wire.Strings(obj[name])
		lists = append(lists, list)
	}
	return jws.PrefersEd25519(lists...)
}
