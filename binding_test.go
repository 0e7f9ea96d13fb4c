package authcode_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const hPARURL = "https://provider.example/par"

// hBinding makes a Binding that marks what it sees.
type hBinding struct {
	key       string
	begin     error
	unknown   string // a key whose transport fails
	again     int    // how often the provider answers that it wants a nonce
	tokenType string
	proofs    []string
}

func (b *hBinding) seam() authcode.Binding {
	return authcode.Binding{TokenType: b.tokenType, Begin: b.start, Transport: b.transport}
}

func (b *hBinding) start(context.Context) (string, url.Values, error) {
	return b.key, url.Values{"dpop_jkt": {"jkt of " + b.key}}, b.begin
}

func (b *hBinding) transport(base http.RoundTripper, key string) (http.RoundTripper, error) {
	if key == b.unknown && key != "" {
		return nil, &authcode.Error{Reason: authcode.Configuration, Check: "dpop.key"}
	}
	return hRoundTrip(func(r *http.Request) (*http.Response, error) {
		b.proofs = append(b.proofs, key+" "+r.URL.String())
		r = r.Clone(r.Context())
		r.Header.Set("DPoP", fmt.Sprintf("proof-%d", len(b.proofs)))
		return base.RoundTrip(r)
	}), nil
}

type hRoundTrip func(*http.Request) (*http.Response, error)

func (f hRoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// hBound is a provider that answers pushes and token requests, for clients with b.
func hBound(t *testing.T, b *hBinding, changes ...func(*authcode.Config)) (*hProvider, *authcode.Client) {
	p := &hProvider{}
	p.answer = func(r *hRequest) (*http.Response, error) {
		switch b.again--; {
		case b.again >= 0:
			return hReply(400, `{"error":"use_dpop_nonce"}`, "DPoP-Nonce", "n"), nil
		case r.URL.String() == hPARURL:
			return hReply(201, `{"request_uri":"urn:x:1","expires_in":60}`), nil
		}
		return hReply(200, fmt.Sprintf(`{"access_token":"at-1","refresh_token":"rt-1","token_type":%q,"authcode.key":"the server's"}`, b.tokenType)), nil
	}
	return p, hNew(t, p, append([]func(*authcode.Config){func(c *authcode.Config) { c.Binding = b.seam() }}, changes...)...)
}

// TestBinding follows a key through a login: named at the start, proven at push, code and refresh, kept with
// the token through storage, used at the API, and unknown to the revocation endpoint.
func TestBinding(t *testing.T) {
	b := &hBinding{key: "key-1", tokenType: "DPoP"}
	p, c := hBound(t, b, func(c *authcode.Config) { c.Provider.PARURL = hPARURL })
	l := hStart(t, c, nil)
	if got := p.seen()[0].form.Get("dpop_jkt"); got != "jkt of key-1" {
		t.Errorf("dpop_jkt is %q", got)
	}
	b.key = "key-2" // a rotation between start and callback
	l.query.Set("state", p.seen()[0].form.Get("state"))
	login := l.finish(t, c)
	stored, err := authcode.MarshalToken(login.Token)
	if err != nil {
		t.Fatal(err)
	}
	token, err := authcode.UnmarshalToken(stored)
	if err != nil {
		t.Fatal(err)
	}
	if token, err = c.Refresh(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	if err := c.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	want := "key-1 " + hPARURL + " key-1 " + hTokenURL + " key-1 " + hTokenURL
	if got := strings.Join(b.proofs, " "); got != want {
		t.Errorf("proofs for %s, want %s", got, want)
	}
	if got := p.seen()[3].Header.Get("DPoP"); got != "" {
		t.Errorf("the revocation endpoint got %q", got)
	}
	api, err := c.TokenSource(token, nil).APIClient("https://api.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Get("https://api.example/me"); err != nil {
		t.Fatal(err)
	}
	if got := p.seen()[4].Header; got.Get("Authorization") != "DPoP at-1" || got.Get("DPoP") != "proof-4" || !strings.HasPrefix(b.proofs[3], "key-1 ") {
		t.Errorf("the API got %v, proven by %q", got, b.proofs[3])
	}
}

// TestBindingAsksAgain: one more try, with authentication and proof made anew, and never a third.
func TestBindingAsksAgain(t *testing.T) {
	for asked, tries := range map[int]int{0: 1, 1: 2, 9: 2} {
		b := &hBinding{key: "k", tokenType: "Bearer", again: asked}
		made := 0
		p, c := hBound(t, b, func(c *authcode.Config) {
			c.ClientAuth = hAuth(func(req *authcode.TokenRequest) error {
				made++
				req.Form.Add("client_assertion", hJWT(fmt.Sprintf(`{"alg":"ES256","n":%d}`, made)))
				return nil
			}).seam()
		})
		_, err := c.Exchange(httptest.NewRecorder(), hStart(t, c, nil).callback())
		if asked > 1 {
			hWantError(t, err, authcode.BadAnswer, "answer.dpop_nonce")
		} else if err != nil {
			t.Error(err)
		}
		p.wantRequests(t, tries)
		if len(b.proofs) != tries {
			t.Errorf("asked again %d times: proofs %q", asked, b.proofs)
		}
		for n, r := range p.seen() {
			if got := r.form["client_assertion"]; len(got) != 1 || got[0] != hJWT(fmt.Sprintf(`{"alg":"ES256","n":%d}`, n+1)) ||
				r.Header.Get("DPoP") != fmt.Sprintf("proof-%d", n+1) {
				t.Errorf("try %d had the assertion %q and %q", n+1, got, r.Header.Get("DPoP"))
			}
		}
	}
}

// TestTokenType: what was not asked for is not accepted (RFC 6749 section 7.1, RFC 9449 section 5).
func TestTokenType(t *testing.T) {
	for _, row := range []struct {
		want, got string
		ok        bool
	}{
		{"DPoP", "DPoP", true}, {"DPoP", "dpop", true}, {"DPoP", "Bearer", false}, {"DPoP", "", false},
		{"Bearer", "bEARER", true}, {"Bearer", "", true}, {"Bearer", "DPoP", false}, {"Bearer", "N_A", false},
		{"", "Bearer", true}, {"", "DPoP", false},
	} {
		p := hAnswering(200, fmt.Sprintf(`{"access_token":"a","token_type":%q}`, row.got))
		c := hNew(t, p, func(c *authcode.Config) {
			if row.want != "" {
				c.Binding.TokenType = row.want
			}
		})
		_, err := c.Exchange(httptest.NewRecorder(), hStart(t, c, nil).callback())
		if row.ok && err != nil {
			t.Errorf("%q for %q: %v", row.got, row.want, err)
		} else if !row.ok {
			hWantError(t, err, authcode.BadAnswer, "token.token_type")
		}
	}
}

// TestBindingFails: no request leaves without its proof.
func TestBindingFails(t *testing.T) {
	b := &hBinding{tokenType: "DPoP", begin: errors.New("canary")}
	p, c := hBound(t, b)
	w := httptest.NewRecorder()
	_, err := c.AuthCodeURL(w, hGet("https://app.example/auth/x"))
	hWantError(t, err, authcode.Configuration, "binding")
	if len(w.Result().Cookies()) > 0 {
		t.Error("a login that did not begin left a cookie")
	}
	b.begin, b.key = nil, strings.Repeat("k", 65)
	_, err = c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/auth/x"))
	hWantError(t, err, authcode.Configuration, "binding")
	b.key, b.unknown = "k", "k"
	_, err = c.Exchange(httptest.NewRecorder(), hStart(t, c, nil).callback())
	hWantError(t, err, authcode.Configuration, "dpop.key")
	p.wantRequests(t, 0)
}

// TestOneAuthorization: what the caller left in the request, however it is spelt, does not go along.
func TestOneAuthorization(t *testing.T) {
	p := &hProvider{}
	api, err := hNew(t, p).TokenSource(&oauth2.Token{AccessToken: "at-1"}, nil).APIClient("https://api.example")
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "https://api.example/me", nil)
	r.RequestURI = ""
	r.Header = http.Header{"authorization": {"Bearer canary"}, "AUTHORIZATION": {"Basic canary"}, "Authorization": {"Bearer canary", "x"}}
	if _, err := api.Do(r); err != nil {
		t.Fatal(err)
	}
	sent := p.seen()[0].Header
	if len(sent) != 1 || len(sent["Authorization"]) != 1 || sent.Get("Authorization") != "Bearer at-1" {
		t.Errorf("sent %v", sent)
	}
	//lint:ignore SA1008 another spelling is what the test is about
	if r.Header["authorization"][0] != "Bearer canary" {
		t.Error("the caller's request was changed")
	}
}

// TestServerNamesNoKey: what key a token is bound to is the app's word, never the server's.
func TestServerNamesNoKey(t *testing.T) {
	p := hAnswering(200, `{"access_token":"at-1","token_type":"Bearer","authcode.key":"the server's"}`)
	for claim, change := range map[string]func(*authcode.Config){
		"without a Binding":  func(*authcode.Config) {},
		"with one of no key": func(c *authcode.Config) { c.Binding.TokenType = "Bearer" },
	} {
		c := hNew(t, p, change)
		if got := hStart(t, c, nil).finish(t, c).Token.Extra("authcode.key"); got != nil {
			t.Errorf("%s: the token has the key %v", claim, got)
		}
	}
}

// hJWT is a JWT with this header, no claims and no signature to speak of.
func hJWT(header string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
}

// TestRefreshUnderANewKey: a refresh token whose key is gone, or that had none, is proven with a new key, whose
// name goes with the new token. A code whose key is gone is not sent.
func TestRefreshUnderANewKey(t *testing.T) {
	b := &hBinding{key: "key-2", unknown: "key-1", tokenType: "DPoP"}
	p, c := hBound(t, b)
	for claim, stored := range map[string]string{
		"a key that is gone": `{"access_token":"a","refresh_token":"r","answer":{"authcode.key":"key-1"}}`,
		"no key":             `{"access_token":"a","refresh_token":"r","answer":{}}`,
	} {
		token, err := authcode.UnmarshalToken([]byte(stored))
		if err != nil {
			t.Fatal(err)
		}
		if token, err = c.Refresh(t.Context(), token); err != nil {
			t.Fatalf("%s: %v", claim, err)
		}
		if got := token.Extra("authcode.key"); got != "key-2" || !strings.HasPrefix(b.proofs[len(b.proofs)-1], "key-2 ") {
			t.Errorf("%s: the new token has the key %v, proofs %q", claim, got, b.proofs)
		}
	}
	p.wantRequests(t, 2)
}

// TestAPIDemandsNonce: a request to an API is sent once more with a fresh proof, if its body can be had again and
// the API names a nonce.
func TestAPIDemandsNonce(t *testing.T) {
	const challenge = `Basic realm="x", DPoP algs="ES256", error="use_dpop_nonce"`
	for claim, row := range map[string]struct {
		body   io.Reader
		status int
		header []string
		tries  int
	}{
		"without a body":                 {nil, 401, []string{"WWW-Authenticate", challenge, "DPoP-Nonce", "n"}, 2},
		"a body that can be had again":   {strings.NewReader("x"), 401, []string{"WWW-Authenticate", challenge, "DPoP-Nonce", "n"}, 2},
		"a body that cannot":             {io.NopCloser(strings.NewReader("x")), 401, []string{"WWW-Authenticate", challenge, "DPoP-Nonce", "n"}, 1},
		"no nonce":                       {nil, 401, []string{"WWW-Authenticate", challenge}, 1},
		"another status":                 {nil, 400, []string{"WWW-Authenticate", challenge, "DPoP-Nonce", "n"}, 1},
		"another error":                  {nil, 401, []string{"WWW-Authenticate", `DPoP error="invalid_token"`, "DPoP-Nonce", "n"}, 1},
		"a challenge for another scheme": {nil, 401, []string{"WWW-Authenticate", `Bearer error="use_dpop_nonce"`, "DPoP-Nonce", "n"}, 1},
		"a challenge that is not one":    {nil, 401, []string{"WWW-Authenticate", `="use_dpop_nonce"`, "DPoP-Nonce", "n"}, 1},
	} {
		t.Run(claim, func(t *testing.T) {
			b := &hBinding{key: "k", tokenType: "DPoP"}
			p := hAnswering(row.status, "", row.header...)
			c := hNew(t, p, func(c *authcode.Config) { c.Binding = b.seam() })
			api, err := c.TokenSource(&oauth2.Token{AccessToken: "at-1"}, nil).APIClient("https://api.example")
			if err != nil {
				t.Fatal(err)
			}
			resp, err := api.Post("https://api.example/x", "text/plain", row.body)
			if err != nil || resp.StatusCode != row.status {
				t.Fatalf("got %v, %v", resp, err)
			}
			p.wantRequests(t, row.tries)
			if len(b.proofs) != row.tries {
				t.Errorf("proofs %q, want %d", b.proofs, row.tries)
			}
		})
	}
}
