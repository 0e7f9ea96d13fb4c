package authcode_test

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var refreshRequest = []struct {
	claim  string
	change func(*config)
	basic  bool
	form   map[string][]string // beside the grant
}{
	{"Basic by default", func(*config) {}, true, nil},
	{"the body by AuthStyle",
		func(c *config) { c.Provider.AuthStyle = oauth2.AuthStyleInParams }, false,
		map[string][]string{"client_id": {"client"}, "client_secret": {world.ClientSecret}}},
	{"a public client sends its id", func(c *config) { c.ClientAuth = authcode.Public() },
		false,
		map[string][]string{"client_id": {"client"}}},
	{"the provider's name for the client id", func(c *config) {
		c.ClientAuth, c.Provider.ClientIDParam = authcode.Public(), "appid"
	}, false, map[string][]string{"appid": {"client"}}},
}

// TestRefreshRequest: one POST with the grant, the refresh token and one client
// authentication.
func TestRefreshRequest(t *testing.T) {
	for _, row := range refreshRequest {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			old := &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0", TokenType: "Bearer"}
			before := *old
			if _, err := world.Client(t, p, row.change).Refresh(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*old, before) {
				t.Error("the old token was changed")
			}
			p.WantRequests(t, 1)
			r := p.Requests()[0]
			id, secret, basic := r.BasicAuth()
			if basic != row.basic || basic && (id != "client" || secret != world.ClientSecret) {
				t.Errorf("Authorization is %q", r.Header.Get("Authorization"))
			}
			want := map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {"rt-0"}}
			for name, values := range row.form {
				want[name] = values
			}
			if !reflect.DeepEqual(map[string][]string(r.Form), want) {
				t.Errorf("the form is %v, want %v", r.Form, want)
			}
			if r.Method != "POST" || r.URL.String() != world.TokenURL || r.URL.RawQuery != "" ||
				r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
				r.Header.Get("Accept") != "application/json" {
				t.Errorf("sent %s %s %v", r.Method, r.URL, r.Header)
			}
		})
	}
}

var refreshAnswer = []struct {
	claim, answer string
	refresh       string
	members       map[string]any // of Token.Extra
}{
	{"without a refresh token the old one is kept", `{"access_token":"at-1"}`, "rt-0",
		map[string]any{"id_token": "id-0", "scope": "a b"}},
	{"with null the old one is kept", `{"access_token":"at-1","refresh_token":null}`, "rt-0",
		nil},
	{"with an empty one the old one is kept", `{"access_token":"at-1","refresh_token":""}`,
		"rt-0", nil},
	{"a new refresh token replaces the old one",
		`{"access_token":"at-1","refresh_token":"rt-1"}`, "rt-1",
		map[string]any{"refresh_token": "rt-1"}},
	{"a new member wins", `{"access_token":"at-1","id_token":"id-1"}`, "rt-0",
		map[string]any{"id_token": "id-1", "scope": "a b"}},
	{"times and types of the old answer are not carried over", `{"access_token":"at-1"}`,
		"rt-0",
		map[string]any{"expires_in": nil, "token_type": nil, "access_token": "at-1"}},
}

// TestRefreshAnswer: what the new token is made of.
func TestRefreshAnswer(t *testing.T) {
	const first = `{"access_token":"at-0","refresh_token":"rt-0","token_type":"Bearer",` +
		`"expires_in":60,"scope":"a b","id_token":"id-0","tenant":{"n":12345678901234567890}}`
	for _, row := range refreshAnswer {
		t.Run(row.claim, func(t *testing.T) {
			p := world.Answering(200, first)
			c := world.Client(t, p)
			old := world.Begin(t, c, nil).Finish(t, c).Token
			p.Answer = world.Always(200, row.answer)
			fresh, err := c.Refresh(t.Context(), old)
			if err != nil {
				t.Fatal(err)
			}
			if fresh.AccessToken != "at-1" || fresh.RefreshToken != row.refresh ||
				!fresh.Expiry.IsZero() {
				t.Errorf("got %q, %q, expiry %v", fresh.AccessToken, fresh.RefreshToken,
					fresh.Expiry)
			}
			for name, want := range row.members {
				if got := fresh.Extra(name); got != want {
					t.Errorf("Extra(%q) is %v, want %v", name, got, want)
				}
			}
			if old.AccessToken != "at-0" || old.RefreshToken != "rt-0" ||
				old.Extra("id_token") != "id-0" {
				t.Error("the old token was changed")
			}
			again, err := c.Refresh(t.Context(), fresh)
			if err != nil || again.RefreshToken != row.refresh {
				t.Errorf("the next refresh: %v, %v", again, err)
			}
			if got := p.Requests()[2].Form.Get("refresh_token"); got != row.refresh {
				t.Errorf("the next refresh sent %q, want %q", got, row.refresh)
			}
		})
	}
}

// TestRefreshNeedsANewAccessToken: the old answer's does not stand in for a
// missing one.
func TestRefreshNeedsANewAccessToken(t *testing.T) {
	token, err := authcode.UnmarshalToken([]byte(`{"access_token":"at-0","refresh_token":"rt-0",` +
		`"answer":{"access_token":"at-0","refresh_token":"rt-0"}}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = world.Client(t, world.Answering(200, `{"expires_in":60}`)).Refresh(t.Context(), token)
	world.WantError(t, err, authcode.BadAnswer, "token.access_token")
}

func TestRefreshNeedsAToken(t *testing.T) {
	for claim, token := range map[string]*oauth2.Token{"nil": nil,
		"no refresh token": {AccessToken: "at"}} {
		t.Run(claim+" is refused", func(t *testing.T) {
			p := &world.Provider{}
			_, err := world.Client(t, p).Refresh(t.Context(), token)
			world.WantError(t, err, authcode.GrantRejected, "refresh.none")
			p.WantRequests(t, 0)
		})
	}
}

// hang is the answer of a provider that never answers.
func hang(r *world.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// hangInBody answers with a body that ends with the request's context.
func hangInBody(r *world.Request) (*http.Response, error) {
	resp := world.Reply(200, "")
	resp.Body = io.NopCloser(hangingBody{r.Context()})
	return resp, nil
}

// hangingBody ends in a clean EOF, as net/http's body may.
type hangingBody struct{ ctx context.Context }

func (b hangingBody) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, io.EOF
}

var refreshEnds = []struct {
	claim   string
	answer  world.Answer
	caller  time.Duration // the caller's deadline
	cancel  bool
	reason  authcode.Reason
	check   string
	elapsed time.Duration
}{
	{"a silent provider ends after ten seconds", hang, time.Hour, false, authcode.Timeout,
		"provider.timeout", 10 * time.Second},
	{"a body without an end, too", hangInBody, time.Hour, false, authcode.Timeout,
		"provider.timeout", 10 * time.Second},
	{"the caller's deadline counts", hang, 3 * time.Second, false, authcode.Timeout,
		"provider.timeout", 3 * time.Second},
	{"the caller may leave", hang, 3 * time.Second, true, authcode.Canceled,
		"provider.canceled", 3 * time.Second},
	{"a transport's text is not kept",
		func(*world.Request) (*http.Response, error) { return nil, errors.New("canary rt-0") },
		time.Hour, false, authcode.Unreachable, "provider.unreachable", 0},
	{"a transport without an answer",
		func(*world.Request) (*http.Response, error) { return nil, nil },
		time.Hour, false, authcode.Configuration, "transport.nil", 0},
	{"an answer without a body",
		func(*world.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil },
		time.Hour, false, authcode.Configuration, "transport.nil", 0},
}

// TestRefreshEnds: the budget, the caller's context, and a transport's failure.
func TestRefreshEnds(t *testing.T) {
	for _, row := range refreshEnds {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), row.caller)
				if row.cancel {
					ctx, cancel = context.WithCancel(t.Context())
					time.AfterFunc(row.caller, cancel)
				}
				defer cancel()
				began := time.Now()
				c := world.Client(t, &world.Provider{Answer: row.answer})
				_, err := c.Refresh(ctx, &oauth2.Token{RefreshToken: "rt-0"})
				world.WantError(t, err, row.reason, row.check)
				if took := time.Since(began); took != row.elapsed {
					t.Errorf("it took %v, want %v", took, row.elapsed)
				}
				if errors.Is(err, context.DeadlineExceeded) != (row.reason == authcode.Timeout) ||
					errors.Is(err, context.Canceled) != (row.reason == authcode.Canceled) {
					t.Errorf("%v hides or invents its cause", err)
				}
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("a foreign text got out: %v", err)
				}
			})
		})
	}
}

// TestSharedSecret: a Secret that several Clients share sends each one's own
// credentials.
func TestSharedSecret(t *testing.T) {
	secret := authcode.Secret("p%")
	for range 2 {
		for id, want := range map[string]map[bool]string{
			"one": {false: "one:p%25", true: "one:p%"}, "t wo": {false: "t+wo:p%25", true: "t wo:p%"},
		} {
			for raw, credentials := range want {
				conn := &authcode.Connection{Config: authcode.Config{
					ClientID: id, Provider: authcode.Provider{RawBasic: raw},
				}}
				req := &authcode.TokenRequest{Connection: conn, Header: http.Header{}}
				if err := secret.Authenticate(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				got, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Basic ")
				text, err := base64.StdEncoding.DecodeString(got)
				if !ok || err != nil || string(text) != credentials {
					t.Errorf("%s, raw %v: %q, want %q", id, raw, text, credentials)
				}
			}
		}
	}
}
