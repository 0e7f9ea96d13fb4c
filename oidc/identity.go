package oidc

import (
	"context"
	"encoding/base64"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// Identify implements [authcode.Identifier]: it checks the ID token of a login in full, asks the
// userinfo endpoint if [UserInfo] says so, and returns who signed in. Its error is an
// [*authcode.Error] with the Check of the first rule that was broken.
func (i *Issuer) Identify(ctx context.Context, answer *authcode.Answer) (*authcode.Identity, error) {
	id, err := i.identify(ctx, answer)
	if err != nil {
		return nil, err // not a nil *authcode.Error inside a non-nil error
	}
	return id, nil
}

func (i *Issuer) identify(ctx context.Context, a *authcode.Answer) (*authcode.Identity, *authcode.Error) {
	m, err := i.metadata(ctx, a.HTTP, &i.logins)
	if err != nil {
		return nil, err
	}
	token, err := i.verifyIDToken(ctx, m, a)
	if err != nil {
		return nil, err
	}
	claims := token.Object
	// RFC 9207 section 2.4, which the root package cannot check for a template.
	if sent := a.Callback["iss"]; i.isTemplate() && len(sent) > 0 && sent[0] != text(claims, "iss") {
		return nil, failed(authcode.WrongIssuer, "callback.iss", nil)
	}
	if i.userInfo {
		info, err := i.fetchUserInfo(ctx, m, a, claims)
		if err != nil {
			return nil, err
		}
		claims = merge(claims, info)
	}
	return i.identity(claims), nil
}

// verifyIDToken returns the checked ID token of a token answer.
func (i *Issuer) verifyIDToken(ctx context.Context, m *metadata, a *authcode.Answer) (*jwt, *authcode.Error) {
	raw := idTokenOf(a.Token)
	if raw == "" {
		return nil, refused("id_token.missing")
	}
	v := &verifier{"id_token", m.tokenAlgs, m, a.HTTP, &i.logins}
	token, err := v.verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	return token, i.checkIDToken(token, a)
}

func idTokenOf(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	raw, _ := t.Extra("id_token").(string)
	return raw
}

// CheckRefresh implements [authcode.RefreshChecker]: a new ID token passes the checks of a login's,
// and has the iss and sub of the old one (OpenID Connect Core section 12.2). No new ID token is
// fine. Where the old one was not kept (see [authcode.MarshalToken]) there is nothing to compare.
func (i *Issuer) CheckRefresh(ctx context.Context, old *oauth2.Token, answer *authcode.Answer) error {
	if err := i.checkRefresh(ctx, old, answer); err != nil {
		return err
	}
	return nil
}

func (i *Issuer) checkRefresh(ctx context.Context, old *oauth2.Token, answer *authcode.Answer) *authcode.Error {
	fresh, before := idTokenOf(answer.Token), idTokenOf(old)
	if fresh == "" || fresh == before { // the root package keeps the old one where the answer has none
		return nil
	}
	known := unverified(before)
	a := *answer
	a.Nonce = ""
	if nonce := text(unverified(fresh), "nonce"); nonce != "" {
		// Section 12.2: there should be none, and if there is, it is the first login's.
		a.Nonce = text(known, "nonce")
		if before == "" {
			a.Nonce = nonce
		}
	}
	m, err := i.metadata(ctx, a.HTTP, &i.logins)
	if err != nil {
		return err
	}
	token, err := i.verifyIDToken(ctx, m, &a)
	switch {
	case err != nil:
		return err
	case before == "":
		return nil
	case text(token.Object, "iss") != text(known, "iss"):
		return refused("refresh.iss")
	case text(token.Object, "sub") != text(known, "sub"):
		return refused("refresh.sub")
	}
	return nil
}

// unverified returns the claims of a token that was verified before, or will be.
func unverified(raw string) wire.Object {
	_, rest, _ := strings.Cut(raw, ".")
	payload, _, _ := strings.Cut(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		return nil
	}
	obj, _ := wire.ParseObject(b)
	return obj
}

// text returns a text claim, "" if it is none.
func text(claims wire.Object, name string) string {
	s, _ := claims.Text(name)
	return s
}

// identity makes an Identity of checked claims.
func (i *Issuer) identity(claims wire.Object) *authcode.Identity {
	id := &authcode.Identity{Claims: make(map[string]any, len(claims))}
	for name, raw := range claims {
		switch raw {
		case "true", "false": // as most flags are: no need for a decoder
			id.Claims[name] = raw == "true"
		default:
			if v, ok := wire.Any(raw); ok {
				id.Claims[name] = v
			}
		}
	}
	id.Issuer, _ = id.Claims["iss"].(string)
	id.Subject, _ = id.Claims["sub"].(string)
	id.Email, _ = id.Claims["email"].(string)
	id.Name, _ = id.Claims["name"].(string)
	id.Picture, _ = id.Claims["picture"].(string)
	verified, said := claims["email_verified"]
	if !said {
		id.Email = "" // it comes with what the provider says of it, or not at all; Claims has it
	}
	id.EmailVerified = id.Email != "" && (verified == "true" || i.textVerified && verified == `"true"`)
	return id
}
