package dpop_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"golang.org/x/oauth2"
)

// TestStoredToken: the key's name survives, so another process with the keys can use the token.
func TestStoredToken(t *testing.T) {
	secret := randomBytes(32)
	key, other := newKey(t), newKey(t)
	rows := map[string][2]authcode.Binding{
		"per session": {dpop.PerSession(secret), dpop.PerSession(secret)},
		"rotated":     {dpop.New(key), dpop.New(other, key)},
	}
	for claim, row := range rows {
		t.Run(claim, func(t *testing.T) {
			w := newWorld(t)
			stored, err := authcode.MarshalToken(w.mustLogin(t, w.client(t, row[0])))
			if err != nil {
				t.Fatal(err)
			}
			token, err := authcode.UnmarshalToken(stored)
			if err != nil {
				t.Fatal(err)
			}
			c := w.client(t, row[1])
			resp, err := w.api(t, c, token).Get(w.URL + "/api/")
			wantAnswer(t, resp, err, 200, "hello ")
		})
	}
}

// TestLoginMovesOn: a login that one instance began another finishes, with the key of the beginning.
func TestLoginMovesOn(t *testing.T) {
	secret, oldSecret := randomBytes(32), randomBytes(32)
	key, oldKey := newKey(t), newKey(t)
	rows := []struct {
		claim  string
		first  authcode.Binding
		second authcode.Binding
		check  string
	}{
		{"the same key", dpop.New(key), dpop.New(key), ""},
		{"a key that is rotated and known", dpop.New(oldKey), dpop.New(key, oldKey), ""},
		{"a key that is gone", dpop.New(oldKey), dpop.New(key), "dpop.key"},
		{"the same secret", dpop.PerSession(secret), dpop.PerSession(secret), ""},
		{"a secret that is rotated and known", dpop.PerSession(oldSecret), dpop.PerSession(secret, oldSecret), ""},
		{"a secret that is gone", dpop.PerSession(oldSecret), dpop.PerSession(secret), "dpop.key"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			w := newWorld(t)
			keys := randomBytes(32)
			same := func(cfg *authcode.Config) { cfg.CookieKeys = [][]byte{keys} }
			r, err := w.begin(t, w.client(t, row.first, same))
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.client(t, row.second, same).Exchange(&discard{http.Header{}}, r)
			if row.check != "" {
				wantError(t, err, authcode.Configuration, row.check)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// TestRefreshWithKeyGone: a refresh token that is bound to no key gets a token with the current one.
func TestRefreshWithKeyGone(t *testing.T) {
	rows := map[string][2]authcode.Binding{
		"stable":           {dpop.New(newKey(t)), dpop.New(newKey(t))},
		"per session":      {dpop.PerSession(randomBytes(32)), dpop.PerSession(randomBytes(32))},
		"from one to many": {dpop.New(newKey(t)), dpop.PerSession(randomBytes(32))},
		"from many to one": {dpop.PerSession(randomBytes(32)), dpop.New(newKey(t))},
	}
	for claim, row := range rows {
		for _, demand := range []string{"", "n"} {
			t.Run(claim, func(t *testing.T) {
				w := newWorld(t)
				token := w.mustLogin(t, w.client(t, row[0]))
				c := w.client(t, row[1])
				_, err := w.api(t, c, token).Get(w.URL + "/api/")
				wantError(t, err, authcode.Configuration, "dpop.key")
				w.as.demand = demand
				fresh, err := c.Refresh(t.Context(), token)
				if err != nil {
					t.Fatal(err)
				}
				if fresh.Extra("authcode.key") == token.Extra("authcode.key") {
					t.Error("the new token has the name of the old key")
				}
				resp, err := w.api(t, c, fresh).Get(w.URL + "/api/")
				wantAnswer(t, resp, err, 200, "hello ")
			})
		}
	}
}

// TestNamelessToken: one that was stored without its members, or before this package was in use.
func TestNamelessToken(t *testing.T) {
	w := newWorld(t)
	key := newKey(t)
	c := w.client(t, dpop.New(key, newKey(t)))
	full := w.mustLogin(t, c)
	bare := &oauth2.Token{AccessToken: full.AccessToken, RefreshToken: full.RefreshToken, Expiry: time.Now().Add(time.Hour)}
	resp, err := w.api(t, c, bare).Get(w.URL + "/api/")
	wantAnswer(t, resp, err, 200, "hello ")

	c = w.client(t, dpop.PerSession(randomBytes(32)))
	_, err = w.api(t, c, bare).Get(w.URL + "/api/")
	wantError(t, err, authcode.Configuration, "dpop.key")
	fresh, err := c.Refresh(t.Context(), bare)
	if err != nil {
		t.Fatal(err)
	}
	resp, err = w.api(t, c, fresh).Get(w.URL + "/api/")
	wantAnswer(t, resp, err, 200, "hello ")
}

// TestNamelessLogin: one that began before this package was in use gets a bound token, since its code is bound
// to no key.
func TestNamelessLogin(t *testing.T) {
	for _, b := range []authcode.Binding{dpop.New(newKey(t)), dpop.PerSession(randomBytes(32))} {
		w := newWorld(t)
		keys := randomBytes(32)
		same := func(cfg *authcode.Config) { cfg.CookieKeys = [][]byte{keys} }
		r, err := w.begin(t, w.client(t, authcode.Binding{}, same))
		if err != nil {
			t.Fatal(err)
		}
		c := w.client(t, b, same)
		login, err := c.Exchange(&discard{http.Header{}}, r)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := login.Token.Extra("authcode.key").(string)
		if got, err := thumbprintOf(t, b, name); got != w.as.proofs[0].thumbprint || name == "" || err != nil {
			t.Errorf("the key named %q has the thumbprint %s, %v", name, got, err)
		}
		resp, err := w.api(t, c, login.Token).Get(w.URL + "/api/")
		wantAnswer(t, resp, err, 200, "hello ")
	}
}

// TestFailingKey: what a device says stays out of errors.
func TestFailingKey(t *testing.T) {
	w := newWorld(t)
	c := w.client(t, dpop.New(half{newKey(t).Public()}))
	_, err := w.login(t, c)
	wantError(t, err, authcode.Configuration, "dpop.sign")
	_, apiErr := w.api(t, c, bearer("at")).Get(w.URL + "/api/")
	wantError(t, apiErr, authcode.Configuration, "dpop.sign")
	if text := err.Error() + apiErr.(*url.Error).Error(); strings.Contains(text, "s3cret") {
		t.Error(text)
	}
}
