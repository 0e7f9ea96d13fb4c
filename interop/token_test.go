package interop

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// signedIn finishes a login that brings a refresh token.
func signedIn(t *testing.T, p peer) (*oidcProvider, *app, *oauth2.Token) {
	t.Helper()
	o := plainProvider(t)
	a := newApp(t, o, p, offline)
	me := newPerson(t)
	me.press(me.signIn(a.url+"/login"), "approve")
	got := a.outcome()
	if got.login == nil || got.login.Token.RefreshToken == "" {
		t.Fatalf("no refresh token: %v", got.err)
	}
	return o, a, got.login.Token
}

// isGone reports whether err says that the provider has ended the grant, so that the person has to
// sign in again.
func isGone(err error) bool {
	e, ok := errors.AsType[*authcode.Error](err)
	return ok && e.Reason == authcode.GrantRejected && e.Final
}

func TestRefreshRotates(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			o, a, first := signedIn(t, p)
			second, err := a.client.Refresh(t.Context(), first)
			if err != nil {
				t.Fatal(err)
			}
			if second.RefreshToken == first.RefreshToken || second.AccessToken == first.AccessToken {
				t.Error("the tokens were not rotated")
			}
			if got := userinfo(t, o, second.AccessToken); got != http.StatusOK {
				t.Errorf("userinfo answers %d to the new token, want 200", got)
			}
			// Reuse of a rotated token gives a thief away: the server drops the whole grant.
			if _, err := a.client.Refresh(t.Context(), first); !isGone(err) {
				t.Errorf("the old refresh token gives %v, want grant rejected, for good", err)
			}
			if _, err := a.client.Refresh(t.Context(), second); !isGone(err) {
				t.Errorf("after reuse the new refresh token gives %v, want grant rejected, for good", err)
			}
		})
	}
}

func TestTokenSourceKeepsUpWithRotation(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			o, a, stored := signedIn(t, p)
			for round := range 3 {
				expired := *stored
				expired.Expiry = time.Now().Add(-time.Minute)
				changes := 0
				source := a.client.TokenSource(&expired, func(_ context.Context, n *oauth2.Token) error {
					stored = n
					if n.AccessToken != "" { // it was called before the check, too
						changes++
					}
					return nil
				})
				before := o.requests(t, tokenRequest)
				for range 2 {
					got, err := source.Token(t.Context())
					if err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
					if got.AccessToken != stored.AccessToken || got.RefreshToken == expired.RefreshToken {
						t.Fatalf("round %d: the token given out is not the one that was stored", round)
					}
				}
				if got := o.requests(t, tokenRequest) - before; got != 1 || changes != 1 {
					t.Errorf("round %d: %d token requests and %d changes, want 1 and 1", round, got, changes)
				}
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			o, a, token := signedIn(t, p)
			if got := userinfo(t, o, token.AccessToken); got != http.StatusOK {
				t.Fatalf("userinfo answers %d before revocation, want 200", got)
			}
			if err := a.client.Revoke(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			// RFC 7009 section 2.1: with the refresh token go the access tokens of its grant.
			if got := userinfo(t, o, token.AccessToken); got != http.StatusUnauthorized {
				t.Errorf("userinfo answers %d after revocation, want 401", got)
			}
			if _, err := a.client.Refresh(t.Context(), token); !isGone(err) {
				t.Errorf("refresh after revocation gives %v, want grant rejected, for good", err)
			}
			if err := a.client.Revoke(t.Context(), token); err != nil {
				t.Errorf("revoking twice: %v, want no error (RFC 7009 section 2.2)", err)
			}
		})
	}
}

// Without a refresh token the access token itself is revoked.
func TestRevokeAccessToken(t *testing.T) {
	o := plainProvider(t)
	a := newApp(t, o, peers[0], unchanged)
	me := newPerson(t)
	me.press(me.signIn(a.url+"/login"), "approve")
	got := a.outcome()
	if got.login == nil || got.login.Token.RefreshToken != "" {
		t.Fatalf("want a login without refresh token: %v", got.err)
	}
	if err := a.client.Revoke(t.Context(), got.login.Token); err != nil {
		t.Fatal(err)
	}
	if got := userinfo(t, o, got.login.Token.AccessToken); got != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d after revocation, want 401", got)
	}
}

// A token that was stored and read back still refreshes and still has every member.
func TestStoredTokenRefreshes(t *testing.T) {
	_, a, first := signedIn(t, peers[0])
	data, err := authcode.MarshalToken(first)
	if err != nil {
		t.Fatal(err)
	}
	token, err := authcode.UnmarshalToken(data)
	if err != nil {
		t.Fatal(err)
	}
	if token.Extra("id_token") != first.Extra("id_token") || token.Extra("id_token") == nil {
		t.Error("the ID token was lost in storage")
	}
	if _, err := a.client.Refresh(t.Context(), token); err != nil {
		t.Error(err)
	}
}
