package provider

import (
	"context"
	"encoding/base64"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

const linkedInSecret = "provider.InsecureLinkedInSecret"

// LinkedIn is Sign In with LinkedIn using OpenID Connect, by its userinfo
// endpoint. Use it with [InsecureLinkedInSecret], which says what that costs:
// LinkedIn refuses a confidential app that sends a PKCE verifier, so
// [authcode.New] refuses a plain [authcode.Secret].
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - scopes, userinfo with email_verified:
//     learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
//   - no nonce in the ID token, so userinfo is asked who signed in (if there is
//     a nonce, it is compared):
//     github.com/linkedin-developers/linkedin-api-js-client/issues/34,
//     github.com/python-social-auth/social-core/pull/833
//   - id and secret in the body:
//     learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow
//   - refresh tokens: selected partners only; no parameter:
//     learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens
//   - unconfirmed: that a challenge does no harm without its verifier
//     (github.com/teamhanko/hanko/pull/2405 leaves out the verifier alone),
//     revocation (undocumented)
func LinkedIn() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "linkedin", Title: "LinkedIn",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.LinkedIn.AuthURL, TokenURL: endpoints.LinkedIn.TokenURL,
			UserInfoURL: "https://api.linkedin.com/v2/userinfo", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"openid", "profile", "email"}, SecretKind: linkedInSecret,
	}, profile{
		origin: "https://www.linkedin.com", id: "sub", name: []string{"name"}, picture: "picture",
		email: "email", verified: "email_verified", nonce: true,
	})
}

// InsecureLinkedInSecret returns client authentication for [LinkedIn]: a client
// secret, without the PKCE verifier in the token request. LinkedIn answers a
// confidential app that sends one with 401 invalid_client
// (github.com/UsefulSoftwareCo/executor/issues/2087,
// github.com/teamhanko/hanko/pull/2405), and enables PKCE only for native apps
// on loopback, one by one
// (learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow-native).
//
// A code that an attacker puts into another person's callback still fails the
// check of the state and its cookie. But LinkedIn also leaves the nonce out of
// its ID tokens. So an attacker who gets hold of a person's fresh code can put
// it into the callback of a login of their own, and this app's secret then
// redeems it for them. The function exists because without it nobody can sign
// in with LinkedIn at all, and a nonce is compared if an ID token has one. Do
// not use it where an account is worth more than the secrecy of a code in a
// log, a browser extension or a proxy.
func InsecureLinkedInSecret(value string) authcode.ClientAuth {
	auth := authcode.Secret(value)
	auth.SecretKind = linkedInSecret
	authenticate := auth.Authenticate
	auth.Authenticate = func(ctx context.Context, req *authcode.TokenRequest) error {
		req.Form.Del("code_verifier")
		return authenticate(ctx, req)
	}
	return auth
}

// hasNonce reports whether the ID token belongs to this login. A response
// without an ID token passes, and so does an ID token without a nonce, since
// LinkedIn sends none. The signature is not checked: the ID token came over TLS
// from the token endpoint, which may stand in for it (OpenID Connect Core
// section 3.1.3.7, item 6).
func hasNonce(resp *authcode.TokenResponse) bool {
	raw, present := resp.Token.Extra("id_token").(string)
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(payload)
	// An ID token that cannot be read may be anybody's.
	if err != nil || !present {
		return !present
	}
	claims, err := wire.ParseObject(b)
	if err != nil {
		return false
	}
	nonce, has := claims["nonce"]
	text, _ := wire.Text(nonce)
	return !has || text == resp.Nonce
}
