package oidc

import (
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
	"github.com/go-jose/go-jose/v4"
)

const minHMACKey = 32 // bytes: RFC 7518 section 3.2

// HS256 verifies ID tokens with HS256, whose key is the client secret (OpenID
// Connect Core section 3.1.3.7). It is for a provider that offers nothing
// better, such as LINE, and for a client that is registered with HS256 as
// id_token_signed_response_alg. Logout tokens then have the same algorithm
// (Back-Channel Logout section 2.6). The secret has 32 bytes or more.
//
// The option sets Provider.Algorithms to HS256 alone, and the provider's keys
// are never used: a verifier that admits both can be tricked into taking a
// public key for the secret (RFC 8725 section 2.1). Anybody who knows the
// secret can sign in to the app as anybody, so keep it where only the app reads
// it.
// FAPI 2.0 forbids HS256. Signed userinfo, authorization and introspection
// responses are refused with this option.
func HS256(clientSecret string) Option {
	hidden := secret.Hide(clientSecret)
	isBad := len(clientSecret) < minHMACKey || urls.HasControl(clientSecret) ||
		strings.TrimSpace(clientSecret) != clientSecret
	return option(func(s *settings) {
		s.hmac, s.onlyHMAC = hidden, true
		if isBad {
			s.addFault("config.hs256")
		}
	})
}

// openHMAC verifies a JWT that HS256 has signed with the client secret.
func (i *issuer) openHMAC(
	conn *authcode.Connection, k kind, text string,
) (*jose.JSONWebSignature, []byte, error) {
	// The app, or a profile such as FAPI 2.0, may have changed the list. It
	// wants other signatures then, for which this provider is not set up.
	only := []jose.SignatureAlgorithm{jose.HS256}
	if !slices.Equal(conn.Config.Provider.Algorithms, []string{string(jose.HS256)}) {
		return nil, nil, configError("config.algorithms")
	}
	// What other kinds of JWT are signed with is registered separately.
	if !k.byHMAC {
		return nil, nil, k.refuse(".hmac")
	}
	signed, err := k.parse(text, only)
	if err != nil {
		return nil, nil, err
	}
	payload, err := signed.Verify([]byte(i.hmac.Reveal()))
	if err != nil {
		return nil, nil, k.refuse(".secret")
	}
	return signed, payload, nil
}
