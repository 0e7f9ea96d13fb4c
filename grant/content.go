package grant

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// maxTokens bounds the access tokens of a grant.
const maxTokens = 8

// content is what a sealed record of a grant holds, as JSON.
type content struct {
	ID       string             `json:"id"` // the grant's, which the record has as a hash only
	Origin   Origin             `json:"origin"`
	Provider string             `json:"provider"`
	Identity *authcode.Identity `json:"identity,omitempty"`
	Scopes   []string           `json:"scopes,omitempty"` // of the login
	Shared   bool               `json:"shared,omitempty"` // several sign-ins may have it

	// Refresh is the refresh token that is valid now, or empty.
	Refresh string `json:"refresh,omitempty"`

	// Login is the access token of the login, or what has replaced it. Without
	// one, its Token holds the answer alone, or nothing.
	Login entry `json:"login"`

	// IDToken is that of a login without access token.
	IDToken string `json:"id_token,omitempty"`

	// More are access tokens for other resources or fewer scopes, the one that
	// was renewed last at the end.
	More []entry `json:"more,omitempty"`

	// Pending is a renewed token until it is known whose it is. Its refresh
	// token is Refresh. See authcode.Client.Renew.
	Pending *pending `json:"pending,omitempty"`
}

// entry is one access token.
type entry struct {
	For want `json:"for,omitzero"`

	// Token is from authcode.MarshalToken, without the refresh token: only what
	// is stored once can be replaced everywhere.
	Token json.RawMessage `json:"token,omitempty"`

	// Left is how long the access token was valid when this version of the
	// record was written, and Life how long when it was issued, in
	// milliseconds. Zero Life: it is not known to expire. Times of day would
	// depend on the clocks of the instances.
	Left int64 `json:"left,omitempty"`
	Life int64 `json:"life,omitempty"`
}

// pending is a renewed token that was not checked yet.
type pending struct {
	For   want            `json:"for,omitzero"`
	Token json.RawMessage `json:"token"`

	// Came is when the answer came, and Wrote when this version was written, by
	// the clock that also made the expiry in the token. Differences of them do
	// not depend on that clock.
	Came  time.Time `json:"came"`
	Wrote time.Time `json:"wrote"`
}

// want says which access token a caller wants. The zero want is that of the
// login.
type want struct {
	Resource string `json:"resource,omitempty"`
	Scope    string `json:"scope,omitempty"` // sorted, separated by spaces
}

// options are the options of the renewal that brings this token.
func (w want) options() (opts []authcode.RefreshOption) {
	if w.Resource != "" {
		opts = append(opts, authcode.RefreshResource(w.Resource))
	}
	if w.Scope != "" {
		opts = append(opts, authcode.RefreshScopes(strings.Fields(w.Scope)...))
	}
	return opts
}

// find returns the entry for w, or nil.
func (c *content) find(w want) *entry {
	if w == (want{}) {
		return &c.Login
	}
	i := slices.IndexFunc(c.More, func(e entry) bool { return e.For == w })
	if i < 0 {
		return nil
	}
	return &c.More[i]
}

// put stores a token for w, with the refresh token that came with it. The access
// token is valid for left, of a life when it was issued, or not known to expire
// if that is zero.
func (c *content) put(w want, t *oauth2.Token, left, life time.Duration) error {
	if t.RefreshToken != "" {
		c.Refresh = t.RefreshToken
	}
	e, err := newEntry(w, t, left, life)
	switch {
	case err != nil:
		return err
	case w == (want{}):
		c.Login = e
		return nil
	}
	c.More = slices.DeleteFunc(c.More, func(old entry) bool { return old.For == w })
	c.More = append(c.More, e)
	c.More = c.More[max(0, len(c.More)-maxTokens+1):]
	return nil
}

// slimToken is JSON of authcode.MarshalToken without the expiry.
type slimToken struct {
	AccessToken  *string                    `json:"access_token,omitempty"`
	TokenType    *string                    `json:"token_type,omitempty"`
	RefreshToken *string                    `json:"refresh_token,omitempty"`
	Answer       map[string]json.RawMessage `json:"answer,omitempty"`
}

// newEntry returns the entry for a token.
func newEntry(w want, t *oauth2.Token, left, life time.Duration) (e entry, err error) {
	e = entry{For: w, Left: left.Milliseconds(), Life: life.Milliseconds()}
	full, err := authcode.MarshalToken(t)
	if err != nil {
		return e, err
	}
	var slim slimToken
	if err := json.Unmarshal(full, &slim); err != nil {
		return e, err
	}
	slim.RefreshToken = nil
	delete(slim.Answer, "refresh_token")
	if w != (want{}) {
		delete(slim.Answer, "id_token") // Login has it
	}
	e.Token, err = wire.Marshal(slim)
	return e, err
}

// token returns the token of e, with an expiry by this machine's clock. age is
// how long ago the record was written.
func (e *entry) token(age time.Duration) (*oauth2.Token, error) {
	t, err := authcode.UnmarshalToken(e.Token)
	if err != nil {
		return nil, err
	}
	t.Expiry = time.Time{}
	if e.Life > 0 {
		t.Expiry = time.Now().Add(e.left(age))
	}
	return t, nil
}

// renewable returns the token of e with this refresh token.
func (e *entry) renewable(refresh string) (*oauth2.Token, error) {
	var slim slimToken
	if len(e.Token) > 0 {
		// What is wrong with it, UnmarshalToken says.
		json.Unmarshal(e.Token, &slim)
	}
	slim.RefreshToken = &refresh
	full, _ := wire.Marshal(slim) // cannot fail: its parts are text, or were read from JSON
	return authcode.UnmarshalToken(full)
}

// left is how long the access token is still valid.
func (e *entry) left(age time.Duration) time.Duration {
	return time.Duration(e.Left)*time.Millisecond - age
}

// life is how long it was valid when it was issued.
func (e *entry) life() time.Duration { return time.Duration(e.Life) * time.Millisecond }

// passed makes the times those of a record that is written now, when the former
// version is this old.
func (c *content) passed(by time.Duration) {
	shift := func(e *entry) {
		if e.Life > 0 {
			e.Left -= by.Milliseconds()
		}
	}
	shift(&c.Login)
	for i := range c.More {
		shift(&c.More[i])
	}
	if c.Pending != nil {
		c.Pending.Wrote = c.Pending.Wrote.Add(by)
	}
}

// clone returns a copy that can be changed.
func (c *content) clone() *content {
	own := *c
	own.More = slices.Clone(c.More)
	if c.Pending != nil {
		pending := *c.Pending
		own.Pending = &pending
	}
	return &own
}

// maxClaims bounds the claims that renewals add up to, in bytes of JSON. A single
// answer of a provider has no more.
const maxClaims = 256 << 10

// merge adds what a renewal says about the person. An ID token of a renewal may
// have fewer claims than that of the login (OpenID Connect Core section 12.2).
func (c *content) merge(id *authcode.Identity) {
	if id == nil || c.Identity == nil {
		c.Identity = copyIdentity(cmp.Or(c.Identity, id))
		return
	}
	merged := copyIdentity(c.Identity)
	if merged.Claims == nil {
		merged.Claims = make(map[string]any, len(id.Claims))
	}
	// OpenID Connect Core section 12.2: auth_time is that of the login. A renewal
	// must not make a sign-in seem newer than it was.
	signedIn, ok := merged.Claims["auth_time"]
	maps.Copy(merged.Claims, id.Claims)
	// A hostile provider could send other claims with each renewal.
	text, _ := wire.Marshal(merged.Claims) // what is not JSON cannot be stored either
	if len(text) > maxClaims && len(id.Claims) > 0 {
		clear(merged.Claims)
		maps.Copy(merged.Claims, id.Claims)
	}
	if ok {
		merged.Claims["auth_time"] = signedIn
	}
	if id.Email != "" {
		merged.Email, merged.EmailVerified = id.Email, id.EmailVerified
	}
	merged.Name, merged.Picture = cmp.Or(id.Name, merged.Name), cmp.Or(id.Picture, merged.Picture)
	c.Identity = merged
}

// copyIdentity returns a copy, since an app may change the Identity that it gets.
func copyIdentity(id *authcode.Identity) *authcode.Identity {
	if id == nil {
		return nil
	}
	own := *id
	own.Claims = maps.Clone(id.Claims)
	return &own
}

// idToken returns the newest ID token, or "".
func (c *content) idToken() string {
	if t, err := authcode.UnmarshalToken(c.Login.Token); err == nil {
		text, _ := t.Extra("id_token").(string)
		return text
	}
	return c.IDToken
}
