package oidc

import (
	"context"
	"crypto"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

// verifyIDToken returns the ID token of a token response after all checks of
// OpenID Connect Core section 3.1.3.7. nonce is the one that it must have.
func (i *issuer) verifyIDToken(
	ctx context.Context, resp *authcode.TokenResponse, nonce string,
) (*jwt, error) {
	// Section 3.1.3.3: every answer to a login with the scope openid has an ID
	// token. Without one nobody knows who signed in, whatever the access token
	// can do.
	raw := idTokenOf(resp.Token)
	if raw == "" {
		return nil, idToken.refuse(".missing")
	}
	// Section 3.1.3.7 lets a client skip the signature, because the token came
	// over TLS. Check it all the same: a proxy that ends TLS, or a mistake in
	// the app's TLS settings, must not be able to name another person.
	t, err := i.open(ctx, resp.Connection, idToken, raw)
	if err != nil {
		return nil, err
	}
	t.isRefreshed = resp.Previous != nil
	if err := t.checkClaims(); err != nil {
		return nil, err
	}
	return t, t.checkIDToken(resp, nonce)
}

// idTokenOf returns the ID token that came with t, "" if none did.
func idTokenOf(t *oauth2.Token) string {
	// The app's own code may call Provider.Identity without a token.
	if t == nil {
		return ""
	}
	raw, _ := t.Extra("id_token").(string)
	return raw
}

// checkIDToken checks the claims that only ID tokens have.
func (t *jwt) checkIDToken(resp *authcode.TokenResponse, nonce string) error {
	// Section 2: sub is required. Apps look users up by it.
	if sub, _ := t.Text("sub"); !wire.IsSubject(sub) {
		return t.refuseAnswer(".sub")
	}
	// OpenID Connect Core section 3.1.3.7: the nonce ties the token to this
	// login. A stolen code that an attacker injects into another login brings a
	// token with the wrong nonce (RFC 9700 section 4.5). A token that has a
	// nonce although none was sent belongs to another login, too.
	if got, ok := t.Text("nonce"); !ok || got != nonce {
		return t.refuseNonce()
	}
	// OpenID Connect Core section 3.1.2.1: after max_age the provider must send
	// auth_time. The person can remove max_age from the URL, so ask whether the
	// provider has really obeyed it.
	if resp.MaxAge >= 0 && !t.isRecentSignIn(resp.MaxAge) {
		return t.refuse(".auth_time")
	}
	// OpenID Connect Core section 3.1.3.8: at_hash ties the ID token to the
	// access token. With a swapped access token (RFC 9700 section 4.6) the app
	// would show this person the data of another. In the code flow it is
	// optional.
	raw, present := t.Object["at_hash"]
	if present && !isHashOf(raw, resp.Token.AccessToken, t.alg) {
		return t.refuseAnswer(".at_hash")
	}
	// Anybody can open a Google account with an address of any domain. Only hd
	// says that the administrators of the domain manage the account.
	domains := t.issuer.domains
	if hd, _ := t.Text("hd"); len(domains) > 0 && !slices.Contains(domains, hd) {
		return notAdmitted("id_token.hd")
	}
	return nil
}

// refuseNonce makes the error for a nonce that is missing or wrong.
func (t *jwt) refuseNonce() error {
	// If it is missing at a login, there is no other login whose token this
	// could be, and signing in again does not help.
	if _, present := t.Object["nonce"]; !present && !t.isRefreshed {
		return authcode.NewError(t.reason, "id_token.nonce", "the ID token has no nonce, although "+
			"the login sent one: report it to the provider; Doorkeeper drops it unless its consent "+
			"page has a hidden field for it", nil)
	}
	return t.refuseAnswer(".nonce")
}

// isRecentSignIn reports whether the person signed in at most maxAge ago.
func (t *jwt) isRecentSignIn(maxAge time.Duration) bool {
	// A sign-in in the future would satisfy any max_age.
	at, ok := numericDate(t.Object["auth_time"])
	return ok && at <= t.now+leeway && t.now-at <= maxAge.Seconds()+leeway
}

// isHashOf reports whether raw is the at_hash of an access token (OpenID
// Connect Core section 3.1.3.6).
func isHashOf(raw wire.Raw, token string, alg jose.SignatureAlgorithm) bool {
	// The hash function is that of the signature's algorithm: SHA-256 for
	// ES256. For EdDSA no standard names one. Most servers use SHA-512, as
	// Ed25519 does (RFC 8032 section 5.1), and Glewlwyd SHA-256. With either,
	// nobody finds another access token with the same hash.
	hashes := []crypto.Hash{crypto.SHA512}
	switch {
	case alg == jose.EdDSA || alg == ed25519Name:
		hashes = append(hashes, crypto.SHA256)
	case strings.HasSuffix(string(alg), "256"):
		hashes[0] = crypto.SHA256
	case strings.HasSuffix(string(alg), "384"):
		hashes[0] = crypto.SHA384
	}
	text, ok := wire.Text(raw)
	return ok && slices.ContainsFunc(hashes, func(hash crypto.Hash) bool {
		h := hash.New()
		h.Write([]byte(token))
		sum := h.Sum(nil)
		return text == base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	})
}
