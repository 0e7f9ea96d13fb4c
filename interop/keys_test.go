package interop

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// newOIDCApp serves an app that signs in at o, with a client of its own.
func newOIDCApp(t *testing.T, o *oidcProvider, p authcode.Provider, changes ...func(*registration)) *app {
	t.Helper()
	return serveApp(t, false, func(redirectURL string) authcode.Config {
		return authcode.Config{
			Provider: admitting(p, changes), ClientID: o.register(t, peers[0], redirectURL, changes...),
			ClientAuth: peers[0].auth(), CookieKeys: [][]byte{newKey()}, RedirectURL: redirectURL,
		}
	})
}

// admitting pins the algorithms that the changes register the client for, unless p pins others. RS256
// needs no pin.
func admitting(p authcode.Provider, changes []func(*registration)) authcode.Provider {
	var r registration
	for _, change := range changes {
		change(&r)
	}
	if p.Algorithms == nil && r.IDTokenAlg+r.UserinfoAlg != "" {
		p.Algorithms = []string{cmp.Or(r.IDTokenAlg, "RS256"), cmp.Or(r.UserinfoAlg, "RS256")}
	}
	return p
}

// login signs alice in and returns the login.
func login(t *testing.T, a *app) *authcode.Login {
	t.Helper()
	me := newPerson(t)
	me.press(me.signIn(a.url+"/login"), "approve")
	got := a.outcome()
	if got.login == nil {
		t.Fatal(got.err)
	}
	if got.login.Identity.Subject != "alice" {
		t.Fatalf("signed in as %q, want alice", got.login.Identity.Subject)
	}
	return got.login
}

func TestSigningAlgorithms(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			o := plainProvider(t)
			a := newOIDCApp(t, o, oidc.Provider(o.issuer), func(r *registration) { r.IDTokenAlg = alg })
			if got := part(t, login(t, a).Token, 0)["alg"]; got != alg {
				t.Errorf("the ID token is signed with %v, want %s", got, alg)
			}
			// An algorithm that the server offers and the app did not pin is refused.
			pinned := newOIDCAppElsewhere(t, o, alg)
			me := newPerson(t)
			me.press(me.signIn(pinned.url+"/login"), "approve")
			got := pinned.outcome()
			if got.login != nil || got.err.Check != "id_token.alg" {
				t.Errorf("%v, want id_token.alg", got.err)
			}
		})
	}
}

// newOIDCAppElsewhere is an app whose client gets ID tokens signed with alg and which has pinned
// another algorithm.
func newOIDCAppElsewhere(t *testing.T, o *oidcProvider, alg string) *app {
	t.Helper()
	other := map[string]string{"RS256": "ES256", "ES256": "EdDSA", "EdDSA": "RS256"}[alg]
	p := oidc.Provider(o.issuer)
	p.Algorithms = []string{other}
	return newOIDCApp(t, o, p, func(r *registration) {
		r.ID += " pinned"
		r.IDTokenAlg = alg
	})
}

func TestSignedUserinfo(t *testing.T) {
	for _, alg := range []string{"", "RS256", "ES256", "EdDSA"} {
		t.Run("alg "+alg, func(t *testing.T) {
			o := plainProvider(t)
			p := oidc.Provider(o.issuer, oidc.UserInfo())
			a := newOIDCApp(t, o, p, func(r *registration) { r.UserinfoAlg = alg })
			who := login(t, a).Identity
			if who.Email != "alice@example.test" || !who.EmailVerified || who.Name != "Name of alice" {
				t.Errorf("%+v, want what userinfo says of alice", who)
			}
		})
	}
}

// All keys change between two logins of one client: the new ones are fetched, once.
func TestKeyRotation(t *testing.T) {
	const keys = "GET /jwks"
	o := ownProvider(t)
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			a := newOIDCApp(t, o, oidc.Provider(o.issuer), func(r *registration) { r.IDTokenAlg = alg })
			before := o.requests(t, keys)
			first := part(t, login(t, a).Token, 0)["kid"]
			login(t, a)
			if n := o.requests(t, keys) - before; n != 1 {
				t.Errorf("%d requests for keys at two logins, want 1", n)
			}
			o.rotate(t)
			second := part(t, login(t, a).Token, 0)["kid"]
			if first == second || first == nil || second == nil {
				t.Fatalf("signed by key %v, then by %v: nothing was rotated", first, second)
			}
			login(t, a)
			if n := o.requests(t, keys) - before; n != 2 {
				t.Errorf("%d requests for keys after the rotation, want 2", n)
			}
		})
	}
}

// The new ID token of a refresh is checked with keys that are newer than the login's.
func TestRefreshAfterRotation(t *testing.T) {
	o := ownProvider(t)
	a := newOIDCAppOffline(t, o)
	first := login(t, a).Token
	o.rotate(t)
	second, err := a.client.Refresh(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if was, is := part(t, first, 0)["kid"], part(t, second, 0)["kid"]; was == is {
		t.Errorf("both ID tokens are signed by key %v", is)
	}
}

func newOIDCAppOffline(t *testing.T, o *oidcProvider) *app {
	t.Helper()
	p := oidc.Provider(o.issuer)
	p.Scopes = []string{"openid", "offline_access"}
	p.AuthParams = map[string]string{"prompt": "consent"}
	return newOIDCApp(t, o, p)
}

// ownProvider is a server of this test's alone, for what would disturb others.
func ownProvider(t *testing.T) *oidcProvider {
	t.Helper()
	o := shared(t, func() (*oidcProvider, error) { return startOIDCProvider(nil) })
	t.Cleanup(func() { o.stop() })
	return o
}

// claims are those of the ID token that came with a token; part 0 is its header, 1 the claims.
func claims(t *testing.T, token *oauth2.Token) map[string]any {
	t.Helper()
	return part(t, token, 1)
}

func part(t *testing.T, token *oauth2.Token, index int) map[string]any {
	t.Helper()
	raw, _ := token.Extra("id_token").(string)
	return partOf(t, raw, index)
}

// partOf is part of any JWT.
func partOf(t *testing.T, jwt string, index int) (decoded map[string]any) {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatal("no JWT")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[index])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &decoded); err != nil {
		t.Fatal(err)
	}
	return decoded
}
