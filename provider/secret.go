package provider

import (
	"context"
	"encoding/base64"
	"strings"
	"unicode"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// redacted makes a ClientAuth print and marshal as REDACTED.
type redacted struct{}

func (redacted) String() string               { return "REDACTED" }
func (redacted) GoString() string             { return "provider.Secret(REDACTED)" }
func (redacted) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// InsecureLinkedInSecret returns client authentication for [LinkedIn]: a client secret, without the PKCE verifier
// in the token request. LinkedIn answers a confidential app that sends one with 401 invalid_client
// (github.com/UsefulSoftwareCo/executor/issues/2087, github.com/teamhanko/hanko/pull/2405), and enables PKCE
// only for native apps on loopback, one by one
// (learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow-native).
//
// A code slipped into another person's callback still meets the state and its cookie, but LinkedIn
// leaves the nonce out of its ID tokens too, so whoever gets hold of a person's fresh code can put it into the callback
// of a login of his own, and this app's secret then redeems it for him. It is kept because without it nobody can
// sign in with LinkedIn at all, and a nonce is compared as soon as an ID token has one: do not use it where
// an account is worth more than a code in a log, a browser extension or a proxy is safe.
func InsecureLinkedInSecret(value string) authcode.ClientAuth {
	secret := authcode.Secret(value)
	if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
		return secret // authcode.New knows this type and says what is wrong with it
	}
	return noVerifier{ClientAuth: secret}
}

type noVerifier struct {
	redacted
	authcode.ClientAuth
}

// Authenticate implements [authcode.ClientAuth].
func (n noVerifier) Authenticate(ctx context.Context, req *authcode.BackChannelRequest) error {
	req.Form.Del("code_verifier")
	return n.ClientAuth.Authenticate(ctx, req)
}

// ofThisLogin reports that no ID token in the answer is another login's. One without a nonce passes, as
// LinkedIn's do. It came from the token endpoint over TLS, which stands in for its signature
// (OpenID Connect Core section 3.1.3.7, item 6).
func ofThisLogin(answer *authcode.Answer) bool {
	raw, present := answer.Token.Extra("id_token").(string)
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || !present {
		return !present
	}
	claims, err := wire.ParseObject(b)
	if err != nil {
		return false
	}
	nonce, has := claims["nonce"]
	text, _ := wire.Text(nonce)
	return !has || text == answer.Nonce
}
