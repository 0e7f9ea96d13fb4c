package oidc_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

func TestCheckRefresh(t *testing.T) {
	p := newMemOP("RS256")
	first := p.token(nil)
	expired := p.token(members{"exp": in(-1000)})
	noNonce := p.token(members{"nonce": nil})
	rows := []struct {
		claim  string
		old    *oauth2.Token
		answer string
		check  string // empty: accepted
	}{
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
		{"an expired one is refused", tokenWith(first), p.token(members{"nonce": nil, "exp": in(-100)}), "id_token.exp"},
		{"an unsigned one is refused", tokenWith(first), cut(noNonce, 2) + ".", "id_token.signature"},
		{"what is no token is refused", tokenWith(first), "x", "id_token.form"},
		{"an old token of another issuer is refused", tokenWith(p.token(members{"iss": "https://old.example"})), noNonce, "refresh.iss"},
		{"an old token that is none is refused", tokenWith("x"), noNonce, "refresh.iss"},
		{"without the old one a good one is accepted", tokenWith(""), noNonce, ""},
		{"without the old one a nonce cannot be compared", new(oauth2.Token), p.token(nil), ""},
		{"without the old one a bad one is refused", new(oauth2.Token), p.token(members{"iss": "https://evil.example"}), "id_token.iss"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			a := p.login(row.answer)
			a.Nonce = ""
			a.Previous = row.old
			id, err := identify(t.Context(), oidc.Provider(memIssuer), a)
			if row.check != "" {
				wantError(t, err, authcode.IdentityRefused, row.check)
				// No later refresh brings the token of the person who signed in. A key or a clock may fit later.
				var e *authcode.Error
				if errors.As(err, &e); e.Final != strings.HasPrefix(row.check, "refresh.") {
					t.Errorf("final is %t", e.Final)
				}
			} else if err != nil {
				t.Error(err)
			}
			if id != nil {
				t.Errorf("somebody signed in: %+v", id)
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
