package oidc

import (
	"context"
	"encoding/base64"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// identify is [authcode.Provider.Identity]: it checks the ID token of a login in full, asks the
// userinfo endpoint if [UserInfo] says so, and returns who signed in. After a refresh it checks the
// new ID token and returns nobody.
func (i *issuer) identify(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
	switch {
	case i.err != nil:
		return nil, i.err
	case resp.Previous != nil:
		return nil, i.checkRefresh(ctx, resp)
	}
	token, err := i.verifyIDToken(ctx, resp, resp.Nonce)
	if err != nil {
		return nil, err
	}
	claims := token.Object
	// RFC 9207 section 2.4: the root package knows a template's issuers, and not which one signed.
	if sent := resp.Callback["iss"]; i.isTemplate() && len(sent) > 0 && sent[0] != text(claims, "iss") {
		return nil, failed(authcode.Forged, "callback.iss", nil)
	}
	if i.userInfo {
		info, err := i.fetchUserInfo(ctx, resp, claims)
		if err != nil {
			return nil, err
		}
		claims = merge(claims, info)
	}
	return i.identity(claims), nil
}

// verifyIDToken returns the checked ID token of a token response.
func (i *issuer) verifyIDToken(ctx context.Context, resp *authcode.TokenResponse, nonce string) (*jwt, error) {
	raw := idTokenOf(resp.Token)
	if raw == "" {
		return nil, idToken.refuse(".missing")
	}
	token, err := i.open(ctx, resp.Connection, idToken, raw)
	if err != nil {
		return nil, err
	}
	return token, i.checkIDToken(token, resp, nonce)
}

func idTokenOf(t *oauth2.Token) string {
	if t == nil {
		return ""
	}
	raw, _ := t.Extra("id_token").(string)
	return raw
}

// checkRefresh checks the response of a refresh: a new ID token passes the checks of a login's, and
// has the iss and sub of the old one (OpenID Connect Core section 12.2). It is fine if there is no
// new ID token. If the old one was not kept (see [authcode.MarshalToken]), there is nothing to compare
// with.
func (i *issuer) checkRefresh(ctx context.Context, resp *authcode.TokenResponse) error {
	fresh, before := idTokenOf(resp.Token), idTokenOf(resp.Previous)
	if fresh == "" || fresh == before { // the root package keeps the old one if the response has none
		return nil
	}
	known := unverified(before)
	want := ""
	if nonce := text(unverified(fresh), "nonce"); nonce != "" {
		// Section 12.2: there should be none, and if there is one, it is the first login's.
		want = text(known, "nonce")
		if before == "" {
			want = nonce
		}
	}
	token, err := i.verifyIDToken(ctx, resp, want)
	switch {
	case err != nil:
		return err
	case before == "":
		return nil
	case text(token.Object, "iss") != text(known, "iss"):
		return final("refresh.iss")
	case text(token.Object, "sub") != text(known, "sub"):
		return final("refresh.sub")
	}
	return nil
}

// final is a refusal that no later refresh with the same token can change: the grant belongs to
// somebody else.
func final(check string) error {
	err := refused(check)
	err.Final = true
	return err
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

// text returns a claim that is a text, and "" for anything else.
func text(claims wire.Object, name string) string {
	s, _ := claims.Text(name)
	return s
}

// identity makes an Identity of checked claims.
func (i *issuer) identity(claims wire.Object) *authcode.Identity {
	id := &authcode.Identity{Claims: decode(claims)}
	id.Issuer, _ = id.Claims["iss"].(string)
	id.Subject, _ = id.Claims["sub"].(string)
	id.Email, _ = id.Claims["email"].(string)
	id.Name, _ = id.Claims["name"].(string)
	id.Picture, _ = id.Claims["picture"].(string)
	verified, said := claims["email_verified"]
	if !said {
		id.Email = "" // it comes with what the provider says of it, or not at all; Claims still has it
	}
	id.EmailVerified = id.Email != "" && (verified == "true" || i.textVerified && verified == `"true"`)
	return id
}

// decode returns claims as Go values, numbers as json.Number.
func decode(claims wire.Object) map[string]any {
	values := make(map[string]any, len(claims))
	for name, raw := range claims {
		switch raw {
		case "true", "false": // most flags: no decoder is needed
			values[name] = raw == "true"
		default:
			if v, ok := wire.Any(raw); ok {
				values[name] = v
			}
		}
	}
	return values
}
