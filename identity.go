package authcode

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// TokenResponse is what [Provider.Identity] may look at: a successful answer to a token request (RFC 6749
// section 5.1), and the login or the refresh that it belongs to. It prints and marshals as REDACTED.
type TokenResponse struct {
	redacted
	*Connection

	// Token is the new token; every member of the answer is in Token.Extra.
	Token *oauth2.Token

	// Previous is the token that was refreshed. At a login it is nil.
	Previous *oauth2.Token

	// Nonce is the nonce that was sent with this login. If empty, none was sent.
	Nonce string

	// MaxAge is the max_age that was sent with this login. If negative, none was sent.
	MaxAge time.Duration

	// Callback holds the parameters of the callback. At a refresh it is nil.
	Callback url.Values

	// Do sends a request with the token, as bearer or according to Config.Binding. It follows no redirect.
	Do func(*http.Request) (*http.Response, error)
}

// Identity says who signed in. The key of a user is (Issuer, Subject), never the e-mail
// address.
type Identity struct {
	Issuer  string
	Subject string

	// Email is present only together with what the provider says of it.
	Email         string
	EmailVerified bool

	Name    string
	Picture string

	// Claims holds all that the provider said, numbers as json.Number.
	Claims map[string]any
}

// identify asks Provider.Identity who signed in. A provider that has one never yields a login without
// an identity.
func (c *Client) identify(ctx context.Context, ends *resolved, a *attempt, token *oauth2.Token, params url.Values) (*Identity, error) {
	if err := c.checkIDToken(token); err != nil {
		return nil, err
	}
	if c.cfg.Provider.Identity == nil {
		return nil, nil
	}
	resp := c.newTokenResponse(ends, token)
	resp.MaxAge, resp.Callback = time.Duration(a.maxAge)*time.Second, params
	if asksOpenID(a.scopes) {
		resp.Nonce = a.verifier.nonce()
	}
	id, err := c.cfg.Provider.Identity(ctx, resp)
	if err != nil {
		return nil, asFailure(ctx, err, IdentityRefused, "identity", "who signed in could not be established")
	}
	if id == nil || id.Issuer == "" || id.Subject == "" {
		return nil, fail(IdentityRefused, "identity.subject", "the identity has no issuer or no subject")
	}
	return id, nil
}

// checkRefresh asks Provider.Identity whether fresh belongs to the same person as old.
func (c *Client) checkRefresh(ctx context.Context, old, fresh *oauth2.Token) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	ends, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	if err := c.checkIDToken(fresh); err != nil {
		return err
	}
	if c.cfg.Provider.Identity == nil {
		return nil
	}
	resp := c.newTokenResponse(ends, fresh)
	resp.Previous = old
	if _, err := c.cfg.Provider.Identity(ctx, resp); err != nil {
		return asFailure(ctx, err, IdentityRefused, "refresh.identity", "the new token could not be shown to belong to the same person")
	}
	return nil
}

// checkIDToken looks at the algorithm of an ID token, if one came with the token.
func (c *Client) checkIDToken(token *oauth2.Token) error {
	text, _ := token.Extra("id_token").(string)
	if text == "" || c.cfg.Provider.Algorithms == nil {
		return nil
	}
	return c.checkAlgorithm(IdentityRefused, "id_token", text)
}

func (c *Client) newTokenResponse(ends *resolved, token *oauth2.Token) *TokenResponse {
	conn := *ends.conn // what a seam changes in it changes nobody else's
	return &TokenResponse{
		Connection: &conn,
		Token:      token,
		MaxAge:     -1,
		Do:         func(r *http.Request) (*http.Response, error) { return c.withToken(r, token) },
	}
}
