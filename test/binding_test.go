package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// keyBinding makes a Binding that marks what it sees.
type keyBinding struct {
	key       string
	begin     error
	unknown   string // a key whose transport fails
	again     int    // how often the provider answers that it wants a nonce
	tokenType string
	signs     []string // Binding.Algorithms
	proofs    []string
}

func (b *keyBinding) seam() authcode.Binding {
	return authcode.Binding{TokenType: b.tokenType, Algorithms: b.signs, Begin: b.start, Transport: b.transport}
}

func (b *keyBinding) start(context.Context) (string, url.Values, error) {
	return b.key, url.Values{"dpop_jkt": {"jkt of " + b.key}}, b.begin
}

func (b *keyBinding) transport(
	_ *authcode.Connection, base http.RoundTripper, key string,
) (http.RoundTripper, error) {
	if key == b.unknown && key != "" {
		return nil, &authcode.Error{Reason: authcode.Configuration, Check: "dpop.key"}
	}
	return world.RoundTrip(func(r *http.Request) (*http.Response, error) {
		b.proofs = append(b.proofs, key+" "+r.URL.String())
		r = r.Clone(r.Context())
		r.Header.Set("DPoP", world.Proof(len(b.proofs)))
		return base.RoundTrip(r)
	}), nil
}

// bound is a provider that answers pushes and token requests, and a Client of
// it with b.
func bound(t *testing.T, b *keyBinding, changes ...func(*config)) (
	*world.Provider, *authcode.Client) {
	t.Helper()
	p := &world.Provider{}
	p.Answer = func(r *world.Request) (*http.Response, error) {
		switch b.again--; {
		case b.again >= 0:
			return world.Reply(400, `{"error":"use_dpop_nonce"}`, "DPoP-Nonce", "n"), nil
		case r.URL.String() == world.PARURL:
			return world.Reply(201, world.Pushed), nil
		}
		return world.Reply(200, fmt.Sprintf(`{"access_token":"at-1","refresh_token":"rt-1",`+
			`"token_type":%q,"authcode.key":"the server's"}`, b.tokenType)), nil
	}
	return p, world.Client(t, p, append(changes, func(c *config) { c.Binding = b.seam() })...)
}

// stored takes a token through an app's storage.
func stored(t *testing.T, token *oauth2.Token) *oauth2.Token {
	t.Helper()
	text, err := authcode.MarshalToken(token)
	if err != nil {
		t.Fatal(err)
	}
	token, err = authcode.UnmarshalToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestBinding follows a key through a login: named at the start, proven at
// push, code and refresh, kept with the token through storage, used at the API,
// and unknown to the revocation endpoint.
func TestBinding(t *testing.T) {
	b := &keyBinding{key: "key-1", tokenType: "DPoP"}
	p, c := bound(t, b, world.Pushing)
	l := world.Begin(t, c, nil)
	if got := p.Requests()[0].Form.Get("dpop_jkt"); got != "jkt of key-1" {
		t.Errorf("dpop_jkt is %q", got)
	}
	b.key = "key-2" // a rotation between start and callback
	l.Query.Set("state", p.Requests()[0].Form.Get("state"))
	token, err := c.Refresh(t.Context(), stored(t, l.Finish(t, c).Token))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	want := "key-1 " + world.PARURL + " key-1 " + world.TokenURL + " key-1 " + world.TokenURL
	if got := strings.Join(b.proofs, " "); got != want {
		t.Errorf("proofs for %s, want %s", got, want)
	}
	if got := p.Requests()[3].Header.Get("DPoP"); got != "" {
		t.Errorf("the revocation endpoint got %q", got)
	}
	if _, err := apiClient(t, c, token, apiURL).Get(apiURL + "/me"); err != nil {
		t.Fatal(err)
	}
	got := p.Requests()[4].Header
	if got.Get("Authorization") != "DPoP at-1" || got.Get("DPoP") != world.Proof(4) ||
		!strings.HasPrefix(b.proofs[3], "key-1 ") {
		t.Errorf("the API got %v, proven by %q", got, b.proofs[3])
	}
}

// numbered is the nth assertion of TestBindingAsksAgain.
func numbered(n int) string { return world.JWT(fmt.Sprintf(`{"alg":"ES256","n":%d}`, n), `{}`) }

// TestBindingAsksAgain: one more try, with authentication and proof made anew,
// and never a third.
func TestBindingAsksAgain(t *testing.T) {
	for asked, tries := range map[int]int{0: 1, 1: 2, 9: 2} {
		b := &keyBinding{key: "k", tokenType: "Bearer", again: asked}
		made := 0
		p, c := bound(t, b, func(c *config) {
			c.ClientAuth = world.Authenticate(func(req *authcode.TokenRequest) error {
				made++
				req.Form.Add("client_assertion", numbered(made))
				return nil
			})
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		world.WantOutcome(t, err, authcode.BadAnswer,
			map[bool]string{true: "answer.dpop_nonce"}[asked > 1])
		p.WantRequests(t, tries)
		if len(b.proofs) != tries {
			t.Errorf("asked again %d times: proofs %q", asked, b.proofs)
		}
		for n, r := range p.Requests() {
			got := r.Form["client_assertion"]
			if len(got) != 1 || got[0] != numbered(n+1) ||
				r.Header.Get("DPoP") != world.Proof(n+1) {
				t.Errorf("try %d had the assertion %q and %q", n+1, got, r.Header.Get("DPoP"))
			}
		}
	}
}

// tokenTypes are what a Binding asks for, and what a token answer brings.
var tokenTypes = []struct {
	want, got string
	ok        bool
}{
	{"DPoP", "DPoP", true}, {"DPoP", "dpop", true}, {"DPoP", "Bearer", false},
	{"DPoP", "", false}, {"Bearer", "bEARER", true}, {"Bearer", "", true},
	{"Bearer", "DPoP", false}, {"Bearer", "N_A", false}, {"", "Bearer", true}, {"", "DPoP", false},
}

// TestTokenType: what was not asked for is not accepted (RFC 6749 section 7.1,
// RFC 9449 section 5).
func TestTokenType(t *testing.T) {
	for _, row := range tokenTypes {
		p := world.Answering(200, fmt.Sprintf(`{"access_token":"a","token_type":%q}`, row.got))
		c := world.Client(t, p, func(c *config) {
			if row.want != "" {
				c.Binding = (&keyBinding{tokenType: row.want}).seam()
			}
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		if row.ok && err != nil {
			t.Errorf("%q for %q: %v", row.got, row.want, err)
		} else if !row.ok {
			world.WantError(t, err, authcode.BadAnswer, "token.token_type")
		}
	}
}

// TestBindingFails: no request leaves without its proof.
func TestBindingFails(t *testing.T) {
	b := &keyBinding{tokenType: "DPoP", begin: errors.New("canary")}
	p, c := bound(t, b)
	_, cookies, err := world.Start(c)
	world.WantError(t, err, authcode.Configuration, "binding")
	if len(cookies) > 0 {
		t.Error("a login that did not begin left a cookie")
	}
	b.begin, b.key = nil, strings.Repeat("k", 65)
	_, _, err = world.Start(c)
	world.WantError(t, err, authcode.Configuration, "binding")
	b.key, b.unknown = "k", "k"
	_, err = world.Begin(t, c, nil).Exchange(c)
	world.WantError(t, err, authcode.Configuration, "dpop.key")
	b.begin = errors.New("canary")
	for name, key := range map[string]string{"a key that is gone": "k", "no key": ""} {
		token, err := authcode.UnmarshalToken([]byte(
			`{"access_token":"a","refresh_token":"r","answer":{"authcode.key":"` + key + `"}}`))
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = c.Refresh(t.Context(), token)
		world.WantError(t, err, authcode.Configuration, "binding")
	}
	p.WantRequests(t, 0)
}

// TestOddBindingTransport: a transport that comes with an error is not used,
// and without an error there must be one.
func TestOddBindingTransport(t *testing.T) {
	p := &world.Provider{}
	for _, row := range []struct {
		bound http.RoundTripper
		err   error
	}{{p, errors.New("canary")}, {nil, errors.New("canary")}, {nil, nil}} {
		c := world.Client(t, p, func(c *config) {
			c.Binding.Transport = func(*authcode.Connection, http.RoundTripper, string) (http.RoundTripper, error) {
				return row.bound, row.err
			}
		})
		_, err := world.Begin(t, c, nil).Exchange(c)
		world.WantError(t, err, authcode.Configuration, "binding")
	}
	p.WantRequests(t, 0)
}

// TestServerNamesNoKey: the app decides which key a token is bound to, never
// the server.
func TestServerNamesNoKey(t *testing.T) {
	p := world.Answering(200,
		`{"access_token":"at-1","token_type":"Bearer","authcode.key":"the server's"}`)
	for claim, change := range map[string]func(*config){
		"without a Binding":        func(*config) {},
		"with one that has no key": func(c *config) { c.Binding.TokenType = "Bearer" },
	} {
		c := world.Client(t, p, change)
		if got := world.Begin(t, c, nil).Finish(t, c).Token.Extra("authcode.key"); got != nil {
			t.Errorf("%s: the token has the key %v", claim, got)
		}
	}
}

// TestRefreshUnderANewKey: a refresh token whose key is gone, or that had none,
// is proven with a new key, whose name goes with the new token. A code whose
// key is gone is not sent.
func TestRefreshUnderANewKey(t *testing.T) {
	b := &keyBinding{key: "key-2", unknown: "key-1", tokenType: "DPoP"}
	p, c := bound(t, b)
	for claim, answer := range map[string]string{
		"a key that is gone": `{"authcode.key":"key-1"}`, "no key": `{}`,
	} {
		token, err := authcode.UnmarshalToken([]byte(
			`{"access_token":"a","refresh_token":"r","answer":` + answer + `}`))
		if err != nil {
			t.Fatal(err)
		}
		if token, err = c.Refresh(t.Context(), token); err != nil {
			t.Fatalf("%s: %v", claim, err)
		}
		got := token.Extra("authcode.key")
		if got != "key-2" || !strings.HasPrefix(b.proofs[len(b.proofs)-1], "key-2 ") {
			t.Errorf("%s: the new token has the key %v, proofs %q", claim, got, b.proofs)
		}
	}
	p.WantRequests(t, 2)
}
