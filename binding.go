package authcode

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"example.com/authcode/internal/web"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// PAR says when an authorization request is pushed to the provider first (RFC 9126), so that the
// browser carries only a reference to it: see [UseIfAvailable], [Always], [OnlyIfRequired].
type PAR int

const (
	UseIfAvailable PAR = iota // wherever the provider has an endpoint for it
	Always                    // and a provider without one is an error
	OnlyIfRequired            // where the provider takes nothing else
)

func (cfg *Config) parFaults(prefix string, e Endpoints) []string {
	switch {
	case cfg.PAR < UseIfAvailable || cfg.PAR > OnlyIfRequired:
		return []string{"Config.PAR must be UseIfAvailable, Always or OnlyIfRequired"}
	case e.PARURL == "" && (e.RequirePAR || cfg.PAR == Always):
		return []string{prefix + "PARURL is empty (pushed_authorization_request_endpoint), and requests have to be pushed: is it the right provider?"}
	}
	return nil
}

// transportFaults: a request shows one certificate.
func (cfg *Config) transportFaults() []string {
	auth, one := cfg.ClientAuth.(certified)
	binding, other := cfg.Binding.(certified)
	if one && auth.Transport() == nil || other && binding.Transport() == nil {
		return []string{"Config.ClientAuth or Config.Binding has no Transport"}
	}
	if !one || !other {
		return nil
	}
	a, b := auth.Transport(), binding.Transport()
	if reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b {
		return nil
	}
	return []string{"Config.ClientAuth and Config.Binding have two transports: make one clientauth.MutualTLS and set both fields to it"}
}

// Binding binds tokens to a key of the app's, so that a stolen one is of no use: package dpop (RFC 9449), or
// mutual TLS in package clientauth (RFC 8705). Many goroutines call it. A foreign error becomes [Configuration].
type Binding interface {
	// Begin starts a login. key, of 64 bytes at most, names the key for it and its tokens, and is kept in the
	// login cookie and with the token. params join the authorization request.
	Begin(ctx context.Context) (key string, params url.Values, err error)
	// Prove adds proof of req.Key to a request to the token or PAR endpoint, after client authentication.
	Prove(ctx context.Context, req *BackChannelRequest) error
	// Answered sees every answer to such a request. What it reads of the body it puts back. It reports
	// whether to make the request again, which happens once.
	Answered(req *BackChannelRequest, resp *http.Response) (again bool)
	// TokenType is the token_type that the provider has to answer with.
	TokenType() string
	// RoundTrip sends a copy of r with the token and proof of its key, by base.
	RoundTrip(base http.RoundTripper, r *http.Request, token *oauth2.Token, key string) (*http.Response, error)
}

// Messages signs what the browser carries to the provider, and verifies what it brings back.
type Messages interface {
	// SignRequest returns the request object (JAR, RFC 9101) for params, or "" to send them plain.
	SignRequest(ctx context.Context, issuer string, params url.Values) (string, error)
	// Signed reports whether responses have to be signed (JARM). VerifyResponse returns the parameters in
	// one, after it has checked signature, iss, aud and exp.
	Signed() bool
	VerifyResponse(ctx context.Context, client *http.Client, clientID, response string) (url.Values, error)
}

// Resource asks for tokens for these services (RFC 8707): absolute URIs without fragment. A single one is
// named in the token request too.
func Resource(uris ...string) AuthOption {
	for _, uri := range uris {
		if u, err := url.Parse(uri); err != nil || !u.IsAbs() || strings.Contains(uri, "#") {
			return failing("param.resource", "Resource: want absolute URIs without fragment")
		}
	}
	return Param("resource", uris...)
}

// AuthorizationDetails asks for rights in detail (RFC 9396): each element marshals to a JSON object with
// a type. What was granted is in [Login.Token], as Extra("authorization_details").
func AuthorizationDetails(details ...any) AuthOption {
	for _, d := range details {
		text, _ := json.Marshal(d)
		obj, err := wire.ParseObject(text)
		if kind, ok := obj.Text("type"); err != nil || !ok || kind == "" {
			return failing("param.authorization_details", "AuthorizationDetails: want JSON objects, each with a type")
		}
	}
	text, err := json.Marshal(details)
	if err != nil || len(details) == 0 {
		return failing("param.authorization_details", "AuthorizationDetails: there are none")
	}
	return Param("authorization_details", string(text))
}

func failing(check, detail string) AuthOption {
	return AuthOption{func(*http.Request, *authRequest) *Error { return fail(Configuration, check, "%s", detail) }}
}

// keyMember is where a token's members keep the name of the key that it is bound to.
const keyMember = "authcode.key"

func keyOf(t *oauth2.Token) string {
	key, _ := t.Extra(keyMember).(string)
	return key
}

// reference is an authorization request that consists of a pushed or signed one.
func (c *Client) reference(name, value string) string {
	return url.Values{c.cfg.Provider.ClientIDParam: {c.cfg.ClientID}, name: {value}}.Encode()
}

// push hands an authorization request to the provider. The answer is good for one use, at once.
func (c *Client) push(ctx context.Context, ends *endpoints, query, key string) (string, *Error) {
	form, _ := url.ParseQuery(query)
	obj, err := c.request(ctx, ends, ends.PARURL, Configuration, key, form)
	if err != nil {
		own := *err // a seam's may be shared
		own.Check = strings.Replace(err.Check, "answer.", "par.", 1)
		return "", &own
	}
	uri, ok := obj.Text("request_uri")
	if !ok || uri == "" || len(uri) > 1<<10 || strings.ContainsFunc(uri, web.IsNotURLChar) {
		return "", fail(BadAnswer, "par.request_uri", "no usable request_uri in the answer")
	}
	if until, ok := expiry(obj, time.Now()); !ok || time.Until(until) < time.Second/2 {
		return "", fail(BadAnswer, "par.expires_in", "expires_in is not a number of seconds, one or more")
	}
	return c.reference("request_uri", uri), nil
}

// openResponse returns the parameters of an authorization response. What stands beside a signed one
// counts for nothing, and a signed one that was not asked for is refused.
func (c *Client) openResponse(ctx context.Context, params url.Values) (url.Values, *Error) {
	switch signed, came := c.signed(), params.Has("response"); {
	case signed && !came:
		return nil, fail(Malformed, "response", "the response is plain, and Config.Messages demands signed ones")
	case came && !signed:
		return nil, fail(Malformed, "response", "the response is signed, and Config.Messages asks for plain ones")
	case !signed:
		return params, nil
	}
	params, err := c.cfg.Messages.VerifyResponse(ctx, c.clientCopy(), c.cfg.ClientID, params.Get("response"))
	if err != nil {
		return nil, asFailure(ctx, err, Forged, "response.verify", "the signed response was refused")
	}
	return params, nil
}

func (c *Client) signed() bool { return c.cfg.Messages != nil && c.cfg.Messages.Signed() }

// withToken sends r with a token, as bearer (RFC 6750 section 2.1) or as it is bound.
func (c *Client) withToken(r *http.Request, t *oauth2.Token) (*http.Response, error) {
	if b := c.cfg.Binding; b != nil {
		return b.RoundTrip(c.http.Transport, r, t, keyOf(t))
	}
	return c.http.Transport.RoundTrip(web.Authorize(r, "Bearer "+t.AccessToken))
}
