package authcode_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const hPARURL = "https://provider.example/par"

// hBinding is a Binding that marks what it sees.
type hBinding struct {
	key       string
	begin     error
	prove     error
	again     int // how often an answer asks for another try
	tokenType string
	proofs    []string
	answers   []string
}

func (b *hBinding) Begin(context.Context) (string, url.Values, error) {
	return b.key, url.Values{"dpop_jkt": {"jkt of " + b.key}}, b.begin
}

func (b *hBinding) Prove(_ context.Context, req *authcode.BackChannelRequest) error {
	b.proofs = append(b.proofs, req.Key+" "+req.Endpoint)
	req.Header.Set("DPoP", fmt.Sprintf("proof-%d", len(b.proofs)))
	return b.prove
}

func (b *hBinding) Answered(_ *authcode.BackChannelRequest, resp *http.Response) bool {
	b.answers = append(b.answers, fmt.Sprint(resp.StatusCode))
	b.again--
	return b.again >= 0
}

func (b *hBinding) TokenType() string { return b.tokenType }

func (b *hBinding) RoundTrip(base http.RoundTripper, r *http.Request, t *oauth2.Token, key string) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "DPoP "+t.AccessToken+" by "+key)
	return base.RoundTrip(r)
}

// hBound is a provider that answers pushes and token requests, for clients with b.
func hBound(t *testing.T, b *hBinding, changes ...func(*authcode.Config)) (*hProvider, *authcode.Client) {
	p := &hProvider{}
	p.answer = func(r *hRequest) (*http.Response, error) {
		if r.URL.String() == hPARURL {
			return hReply(201, `{"request_uri":"urn:x:1","expires_in":60}`), nil
		}
		return hReply(200, fmt.Sprintf(`{"access_token":"at-1","refresh_token":"rt-1","token_type":%q,"authcode.key":"the server's"}`, b.tokenType)), nil
	}
	return p, hNew(t, p, append([]func(*authcode.Config){func(c *authcode.Config) { c.Binding = b }}, changes...)...)
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
	if got := p.seen()[4].Header.Get("Authorization"); got != "DPoP at-1 by key-1" {
		t.Errorf("the API got %q", got)
	}
}

// TestBindingAsksAgain: one more try, with authentication and proof made anew, and never a third.
func TestBindingAsksAgain(t *testing.T) {
	for asked, tries := range map[int]int{0: 1, 1: 2, 9: 2} {
		b := &hBinding{key: "k", tokenType: "Bearer", again: asked}
		made := 0
		p, c := hBound(t, b, func(c *authcode.Config) {
			c.ClientAuth = hAuth(func(req *authcode.BackChannelRequest) error {
				made++
				req.Form.Add("client_assertion", fmt.Sprintf("assertion-%d", made))
				return nil
			})
		})
		hStart(t, c, nil).finish(t, c)
		p.wantRequests(t, tries)
		if len(b.proofs) != tries || len(b.answers) != tries {
			t.Errorf("asked again %d times: proofs %q, answers %q", asked, b.proofs, b.answers)
		}
		for n, r := range p.seen() {
			if got := r.form["client_assertion"]; len(got) != 1 || got[0] != fmt.Sprintf("assertion-%d", n+1) ||
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
				c.Binding = &hBinding{tokenType: row.want}
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
	b.key, b.prove = "k", &authcode.Error{Reason: authcode.Configuration, Check: "dpop.key"}
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
	if _, err := (&authcode.Answer{Token: &oauth2.Token{AccessToken: "at-2"}, HTTP: &http.Client{Transport: p}}).Do(&http.Request{Method: "GET", URL: r.URL}); err != nil {
		t.Fatal(err)
	}
	if got := p.seen()[1].Header.Get("Authorization"); got != "Bearer at-2" {
		t.Errorf("an Answer of a test's own making sent %q", got)
	}
}

// TestServerNamesNoKey: what key a token is bound to is the app's word, never the server's.
func TestServerNamesNoKey(t *testing.T) {
	p := hAnswering(200, `{"access_token":"at-1","token_type":"Bearer","authcode.key":"the server's"}`)
	for claim, change := range map[string]func(*authcode.Config){
		"without a Binding":  func(*authcode.Config) {},
		"with one of no key": func(c *authcode.Config) { c.Binding = &hBinding{tokenType: "Bearer"} },
	} {
		c := hNew(t, p, change)
		if got := hStart(t, c, nil).finish(t, c).Token.Extra("authcode.key"); got != nil {
			t.Errorf("%s: the token has the key %v", claim, got)
		}
	}
}
