package oidc_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// notForThisLogin are the Checks of an answer to a refresh that is final.
var notForThisLogin = map[string]bool{
	"refresh.iss": true, "refresh.sub": true, "id_token.iss": true, "id_token.sub": true, "id_token.aud": true,
	"id_token.azp": true, "id_token.nonce": true, "id_token.at_hash": true,
}

// TestLoginIsNotFinal: Final is about the grant of a refresh. A login has none yet.
func TestLoginIsNotFinal(t *testing.T) {
	p := newMemOP("RS256")
	for check, claims := range map[string]members{
		"id_token.iss": {"iss": "https://evil.example"}, "id_token.aud": {"aud": "other"},
		"id_token.nonce": {"nonce": "other"}, "id_token.at_hash": {"at_hash": "x"},
	} {
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(claims)))
		wantError(t, err, authcode.IdentityRefused, check)
		var e *authcode.Error
		if errors.As(err, &e); e.Final {
			t.Errorf("%s is final", check)
		}
	}
}

// TestSourceAfterAnAnswerForAnother: the source asks the provider once, and then says that the person
// has to sign in again.
func TestSourceAfterAnAnswerForAnother(t *testing.T) {
	p := newMemOP("RS256")
	asked := 0
	fresh := p.token(members{"nonce": nil, "aud": "other"})
	body := `{"access_token":"at-1","token_type":"Bearer","refresh_token":"rt-1","id_token":"` + fresh + `"}`
	p.answer("/token", func(*http.Request) (*http.Response, error) {
		asked++
		return reply(200, "application/json", body), nil
	})
	old := tokenWith(p.token(nil))
	old.RefreshToken, old.Expiry = "rt-0", time.Now().Add(-time.Hour)
	source := newMemLogin(t, p, oidc.Provider(memIssuer)).TokenSource(old, nil)
	for range 2 {
		token, err := source.Token(t.Context())
		wantError(t, err, authcode.IdentityRefused, "id_token.aud")
		var e *authcode.Error
		if errors.As(err, &e); !e.Final || token != nil {
			t.Errorf("got %v, %v, want a final error", token, err)
		}
	}
	if asked != 1 {
		t.Errorf("the provider was asked %d times", asked)
	}
}

type refreshRow struct {
	claim  string
	old    *oauth2.Token
	answer string
	check  string // empty: accepted
}

// refreshes are answers of p and the tokens before them.
func refreshes(p *memOP) []refreshRow {
	first := p.token(nil)
	expired := p.token(members{"exp": in(-1000)})
	noNonce := p.token(members{"nonce": nil})
	return []refreshRow{
		{"no new ID token is accepted", tokenWith(first), "", ""},
		{"the old ID token, kept by the root package, is accepted", tokenWith(first), first, ""},
		{"the old ID token is accepted also when it has expired since", tokenWith(expired), expired, ""},
		{"a new ID token without nonce is accepted", tokenWith(first), noNonce, ""},
		{"a new ID token with the first nonce is accepted", tokenWith(first), p.token(members{"iat": in(-1)}), ""},
		{"a new ID token with another nonce is refused", tokenWith(first), p.token(members{"nonce": "other"}), "id_token.nonce"},
		{"a nonce where the first had none is refused", tokenWith(noNonce), p.token(nil), "id_token.nonce"},
		{"another subject is refused", tokenWith(first), p.token(members{"nonce": nil, "sub": "bob"}), "refresh.sub"},
		{"another issuer is refused", tokenWith(first), p.token(members{"nonce": nil, "iss": "https://evil.example"}), "id_token.iss"},
		{"another audience is refused", tokenWith(first), p.token(members{"nonce": nil, "aud": "other"}), "id_token.aud"},
		{"another authorized party is refused", tokenWith(first), p.token(members{"nonce": nil, "azp": "other"}), "id_token.azp"},
		{"several audiences without azp are refused", tokenWith(first),
			p.token(members{"nonce": nil, "aud": []string{memClient, "other"}}), "id_token.aud"},
		{"another access token's hash is refused", tokenWith(first), p.token(members{"nonce": nil, "at_hash": "x"}), "id_token.at_hash"},
		{"no subject is refused", tokenWith(first), p.token(members{"nonce": nil, "sub": ""}), "id_token.sub"},
		{"one of the future is refused", tokenWith(first), p.token(members{"nonce": nil, "iat": in(1000)}), "id_token.iat"},
		{"an expired one is refused", tokenWith(first), p.token(members{"nonce": nil, "exp": in(-100)}), "id_token.exp"},
		{"an unsigned one is refused", tokenWith(first), cut(noNonce, 2) + ".", "id_token.signature"},
		{"what is no token is refused", tokenWith(first), "x", "id_token.form"},
		{"an old token of another issuer is refused", tokenWith(p.token(members{"iss": "https://old.example"})), noNonce, "refresh.iss"},
		{"an old token that is none is refused", tokenWith("x"), noNonce, "refresh.iss"},
		{"without the old one a good one is accepted", tokenWith(""), noNonce, ""},
		{"without the old one a nonce cannot be compared", new(oauth2.Token), p.token(nil), ""},
		{"without the old one a bad one is refused", new(oauth2.Token), p.token(members{"iss": "https://evil.example"}), "id_token.iss"},
	}
}

func TestCheckRefresh(t *testing.T) {
	p := newMemOP("RS256")
	for _, row := range refreshes(p) {
		t.Run(row.claim, func(t *testing.T) {
			a := p.login(row.answer)
			a.Nonce = ""
			a.Previous = row.old
			id, err := identify(t.Context(), oidc.Provider(memIssuer), a)
			if row.check != "" {
				wantError(t, err, authcode.IdentityRefused, row.check)
				// What is not for this login will not be later. A key or a clock may fit later.
				var e *authcode.Error
				if errors.As(err, &e); e.Final != notForThisLogin[row.check] {
					t.Errorf("final is %t", e.Final)
				}
			} else if err != nil {
				t.Error(err)
			}
			// A new ID token of the same person tells news of that person.
			before, _ := row.old.Extra("id_token").(string)
			isNews := row.check == "" && row.answer != "" && before != "" && row.answer != before
			if (id != nil) != isNews || id != nil && (id.Subject != "alice" || id.Claims["iat"] == nil) {
				t.Errorf("the identity is %+v", id)
			}
			if a.Nonce != "" {
				t.Error("the caller's answer was changed")
			}
		})
	}
}

// TestRefreshIssuerEscapes: PHP writes slashes as \/, and that is the same issuer.
func TestRefreshIssuerEscapes(t *testing.T) {
	p := newMemOP("RS256")
	old := p.key.sign([]byte(`{"iss":"https:\/\/op.example\/realm","sub":"alic\u0065"}`), nil)
	a := p.login(p.token(members{"nonce": nil}))
	a.Nonce = ""
	a.Previous = tokenWith(old)
	if _, err := identify(t.Context(), oidc.Provider(memIssuer), a); err != nil {
		t.Error(err)
	}
}

// TestGoogleIssuer: Google's iss may lack https://, in ID tokens alone. It is the same issuer at a login and at a refresh.
func TestGoogleIssuer(t *testing.T) {
	const google, short = "https://accounts.google.com", "accounts.google.com"
	p := newMemOP("RS256")
	p.metadata["issuer"] = google
	p.answer("/.well-known/openid-configuration", always(200, "", string(must(json.Marshal(p.metadata)))))
	i := oidc.Provider(google)
	for _, iss := range []string{google, short} {
		if id := wantIdentity(t, i, p.login(p.token(members{"iss": iss}))); id.Issuer != google {
			t.Errorf("%s: the issuer is %s", iss, id.Issuer)
		}
		for _, before := range []string{google, short} {
			a := p.login(p.token(members{"iss": iss, "nonce": nil}))
			a.Previous = tokenWith(p.token(members{"iss": before}))
			if _, err := identify(t.Context(), i, a); err != nil {
				t.Errorf("%s after %s: %v", iss, before, err)
			}
		}
	}
	for _, iss := range []string{"", "http://accounts.google.com", "//accounts.google.com", short + "/", "Accounts.google.com", "mail.google.com"} {
		_, err := identify(t.Context(), i, p.login(p.token(members{"iss": iss})))
		wantError(t, err, authcode.IdentityRefused, "id_token.iss")
	}
	_, err := verify(t.Context(), i, p, "logout+jwt", p.key.sign(payload(p.logoutClaims(), members{"iss": short}), nil))
	wantError(t, err, authcode.IdentityRefused, "logout_token.iss")
	a := p.login(p.token(members{"iss": google, "nonce": nil}))
	a.Previous = tokenWith(p.token(members{"iss": "https://other.example"}))
	_, err = identify(t.Context(), i, a)
	wantError(t, err, authcode.IdentityRefused, "refresh.iss")
	// Elsewhere, an iss without its scheme is another issuer.
	p = newMemOP("RS256")
	_, err = identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(members{"iss": strings.TrimPrefix(memIssuer, "https://")})))
	wantError(t, err, authcode.IdentityRefused, "id_token.iss")
}
