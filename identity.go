package authcode

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/oauth2"
)

// TokenResponse is what [Provider.Identity] gets: a successful answer (RFC 6749
// section 5.1) and its login or refresh. It prints and marshals as REDACTED.
type TokenResponse struct {
	redacted
	*Connection
	Token    *oauth2.Token // the new token; Token.Extra has every member of the answer
	Previous *oauth2.Token // the token that was refreshed; nil at a login
	Nonce    string        // sent with this login; empty if none was
	MaxAge   time.Duration // max_age sent with this login; negative if none was
	Callback url.Values    // the parameters of the callback; nil at a refresh

	Do func(*http.Request) (*http.Response, error) // sends a request with Token; no redirects
}

// Identity says who signed in. A user's key is (Issuer, Subject), never Email.
type Identity struct {
	Issuer, Subject string
	Email           string // see EmailVerified: anybody can claim an address
	EmailVerified   bool
	Name, Picture   string
	Claims          map[string]any // everything that the provider said, numbers as json.Number
}

// identityFaults checks that the logins can say who signs in.
func (cfg *Config) identityFaults() []string {
	p, scopes := &cfg.Provider, cfg.Scopes
	if scopes == nil {
		scopes = p.Scopes
	}
	// OpenID Connect Core section 3.1.2.1: without the scope openid there is no
	// ID token, and every login would fail at its end.
	scope := p.IdentityScope
	if p.Identity == nil || scope == "" || slices.Contains(scopes, scope) {
		return nil
	}
	return []string{fmt.Sprintf("the scopes lack %q, which Provider.Identity needs: add it to "+
		"Config.Scopes, or set Provider.Identity to nil if tokens are enough", scope)}
}

// identify asks Provider.Identity who signed in.
func (c *Client) identify(
	ctx context.Context, ep *resolvedEndpoints, a *attempt, token *oauth2.Token, params url.Values,
) (*Identity, error) {
	// Check this first, whatever Provider.Identity checks: the app may have
	// wrapped or replaced that function.
	if err := c.checkIDToken(token); err != nil {
		return nil, err
	}
	// Not every app needs to know who it is: some only call an API with the
	// token.
	if c.cfg.Provider.Identity == nil {
		return nil, nil
	}
	resp := c.newTokenResponse(ep, token)
	resp.MaxAge, resp.Callback = time.Duration(a.maxAge)*time.Second, params
	// OpenID Connect Core section 3.1.3.7: if a nonce was sent, the ID token
	// must have it. It proves that the token belongs to this very login.
	if hasOpenIDScope(a.scopes) {
		resp.Nonce = a.verifier.nonce().String()
	}
	id, err := c.identityOf(ctx, resp)
	if err != nil {
		return nil, seamError(ctx, err, IdentityRefused, "identity",
			"Provider.Identity could not find out who signed in")
	}
	// An app looks users up by issuer and subject. All logins with empty ones
	// would share one account.
	if id == nil || id.Issuer == "" || id.Subject == "" {
		return nil, errorf(IdentityRefused, "identity.subject",
			"Provider.Identity returned no issuer or no subject: make it return both, or an error")
	}
	return id, nil
}

// checkRefresh asks Provider.Identity whether the token fresh belongs to the
// same person as old. It returns what fresh says about the person, if it does.
func (c *Client) checkRefresh(
	ctx context.Context, old, fresh *oauth2.Token,
) (*Identity, error) {
	// Identity may load keys or ask the provider. A TokenSource calls this with
	// a context that never ends.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ep, err := c.resolveFor(ctx, fresh)
	if err != nil {
		return nil, err
	}
	// The answer to a refresh may have an ID token (OpenID Connect Core section
	// 12.2). Without one, fresh has the old one. That was checked when it came,
	// and an app that has since changed its algorithms keeps its tokens.
	if fresh.Extra("id_token") != old.Extra("id_token") {
		if err := c.checkIDToken(fresh); err != nil {
			return nil, err
		}
	}
	if c.cfg.Provider.Identity == nil {
		return nil, nil
	}
	resp := c.newTokenResponse(ep, fresh)
	resp.Previous = old
	// OpenID Connect Core section 12.2: a new ID token must have the iss and
	// sub of the first one. Unlike at a login, a nil Identity is fine: most
	// refreshes bring no ID token.
	id, err := c.identityOf(ctx, resp)
	if err != nil {
		return nil, seamError(ctx, err, IdentityRefused, "refresh.identity",
			"Provider.Identity could not confirm that the new token belongs to the same person")
	}
	return id, nil
}

// checkIDToken checks the algorithm of an ID token, if the answer has one.
func (c *Client) checkIDToken(token *oauth2.Token) error {
	text, _ := token.Extra("id_token").(string)
	// Package oidc verifies the signature. Without a list, it has a default for
	// the algorithms, too.
	if text == "" || c.cfg.Provider.Algorithms == nil {
		return nil
	}
	return c.checkAlgorithm(IdentityRefused, "id_token", text)
}

// newTokenResponse is what Provider.Identity gets, without the facts of a login
// or a refresh.
func (c *Client) newTokenResponse(ep *resolvedEndpoints, token *oauth2.Token) *TokenResponse {
	// MaxAge is negative until a login sets it: a refresh signs nobody in, so
	// there is no auth_time to compare.
	conn := ep.connection()
	return &TokenResponse{
		Connection: &conn,
		Token:      token,
		MaxAge:     -1,
		// Identity need not know how tokens are bound. A RoundTripper follows
		// no redirect, which could give the token to another server.
		Do: func(r *http.Request) (*http.Response, error) {
			return c.sendWithToken(r, token)
		},
	}
}
