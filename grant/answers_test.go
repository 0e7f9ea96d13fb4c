package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// answers makes the provider answer in this order, the last one for ever.
func answers(list ...world.Answer) world.Answer {
	var mu sync.Mutex
	return func(r *world.Request) (*http.Response, error) {
		mu.Lock()
		next := list[0]
		if len(list) > 1 {
			list = list[1:]
		}
		mu.Unlock()
		return next(r)
	}
}

// hanging never answers.
func hanging(r *world.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// wantToken checks the check of the error of a call of Token, "" for none.
func wantToken(t *testing.T, g *grant.Grants, id, check string, opts ...grant.Option) *authcode.Error {
	t.Helper()
	_, err := g.Handle(id).Token(t.Context(), opts...)
	var e *authcode.Error
	if check == "" && err != nil || check != "" && (!errors.As(err, &e) || e.Check != check) {
		t.Errorf("Token: %v, want the check %q", err, check)
	}
	return e
}

// failures are answers that say nothing against the refresh token.
var failures = map[string]struct {
	answer  world.Answer
	outcome grant.Outcome
}{
	"invalid_client":      {world.Always(400, `{"error":"invalid_client"}`), grant.Failed},
	"401":                 {world.Always(401, `{"error":"invalid_client"}`), grant.Failed},
	"403":                 {world.Always(403, ``), grant.Failed},
	"404":                 {world.Always(404, ``), grant.InDoubt},
	"429":                 {world.Always(429, ``, "Retry-After", "1"), grant.InDoubt},
	"500":                 {world.Always(500, ``), grant.InDoubt},
	"503":                 {world.Always(503, ``, "Retry-After", "1"), grant.InDoubt},
	"no connection":       {world.Down, grant.InDoubt},
	"time-out":            {hanging, grant.InDoubt},
	"HTML with 200":       {world.Always(200, `<html>`, "Content-Type", "text/html"), grant.InDoubt},
	"empty 200":           {world.Always(200, ``), grant.InDoubt},
	"a redirect":          {world.Always(302, ``, "Location", "https://x.example/"), grant.InDoubt},
	"no access token":     {world.Always(200, `{"refresh_token":"rt-9"}`), grant.InDoubt},
	"blank access token":  {world.Always(200, `{"access_token":" "}`), grant.InDoubt},
	"another type":        {world.Always(200, `{"access_token":"a","token_type":"mac"}`), grant.InDoubt},
	"an unknown code":     {world.Always(400, `{"error":"odd"}`), grant.Failed},
	"unauthorized_client": {world.Always(400, `{"error":"unauthorized_client"}`), grant.Failed},
	"invalid_scope":       {world.Always(400, `{"error":"invalid_scope"}`), grant.Failed},
}

// TestNoFailureEndsAGrant: what is not a refusal of the refresh token keeps the
// grant. Everybody waits a second for the next try.
func TestNoFailureEndsAGrant(t *testing.T) {
	for name, c := range failures {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				a.provider.Answer = answers(c.answer, world.Always(200, world.TokenJSON))
				g, other := a.instance(t), a.instance(t)
				id := a.save(t, g, login())
				time.Sleep(2 * time.Minute)
				if _, err := g.Handle(id).Token(t.Context()); err == nil {
					t.Error("Token succeeds")
				}
				if e := wantToken(t, other, id, "grant.wait"); e != nil &&
					(e.RetryAfter <= 0 || e.RetryAfter > time.Second || e.Final) {
					t.Errorf("RetryAfter %v, Final %v", e.RetryAfter, e.Final)
				}
				time.Sleep(time.Second)
				token(t, other, id, "at-1")
				a.wantOutcomes(t, c.outcome, grant.Retried, grant.Renewed)
				a.provider.WantRequests(t, 2)
			})
		})
	}
}

// backoffs are failures with the time until each next try.
var backoffs = map[string]struct {
	answer world.Answer
	waits  []time.Duration // in seconds
}{
	"doubling": {world.Always(500, ``), []time.Duration{1, 2, 4, 8, 16, 32, 60, 60}},
	"Retry-After": {world.Always(429, ``, "Retry-After", "20"),
		[]time.Duration{20, 20, 20, 20, 20, 32}},
	"503 without Retry-After": {world.Always(503, ``), []time.Duration{5, 5, 5, 8}},
	"a Retry-After of a day":  {world.Always(429, ``, "Retry-After", "86400"), []time.Duration{3600, 3600}},
}

// TestBackoff: a thousand requests at three instances make one try. The time
// until the next one doubles up to a minute, and follows Retry-After.
func TestBackoff(t *testing.T) {
	for name, c := range backoffs {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				a.provider.Answer = c.answer
				instances := []*grant.Grants{a.instance(t), a.instance(t), a.instance(t)}
				id := a.save(t, instances[0], login())
				time.Sleep(2 * time.Minute)
				for i, wait := range c.waits {
					most := 20
					if name == "doubling" && i == 0 {
						most = 1000
					}
					var wg sync.WaitGroup
					for n := range most {
						wg.Go(func() {
							if _, err := instances[n%3].Handle(id).Token(t.Context()); err == nil {
								t.Error("Token succeeds")
							}
						})
					}
					wg.Wait()
					a.provider.WantRequests(t, i+1)
					e := wantToken(t, instances[i%3], id, "grant.wait")
					if left := wait*time.Second - e.RetryAfter; left < 0 || left > time.Second/2 {
						t.Errorf("RetryAfter %v of %d s", e.RetryAfter, wait)
					}
					time.Sleep(e.RetryAfter - time.Millisecond)
					wantToken(t, instances[i%3], id, "grant.wait")
					time.Sleep(time.Millisecond)
				}
			})
		})
	}
}

// refusals are answers with a refusal, or with what may be one.
var refusals = map[string]struct {
	body   string
	change func(*authcode.Config)
	lives  bool
}{
	"invalid_grant":     {`{"error":"invalid_grant"}`, func(*authcode.Config) {}, false},
	"of the preset":     {`{"error":"bad_refresh_token"}`, endsWith("bad_refresh_token"), false},
	"of another preset": {`{"error":"bad_refresh_token"}`, endsWith("other"), true},
	"somebody else's": {world.TokenJSON, identified(func(*authcode.TokenResponse) error {
		e := authcode.NewError(authcode.IdentityRefused, "app.sub", "another person", nil)
		e.Final = true
		return e
	}), false},
	"keys out of reach": {world.TokenJSON, identified(func(*authcode.TokenResponse) error {
		return authcode.NewError(authcode.Unreachable, "app.keys", "down", nil)
	}), true},
}

// TestRefusals: what ends a grant, and what the provider's preset adds.
func TestRefusals(t *testing.T) {
	for name, c := range refusals {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t, c.change)
				status := 400
				if c.body == world.TokenJSON {
					status = 200
				}
				a.provider.On("/token", world.Always(status, c.body))
				g := a.instance(t)
				id := a.save(t, g, login())
				time.Sleep(2 * time.Minute)
				_, err := g.Handle(id).Token(t.Context())
				if err == nil {
					t.Error("Token succeeds")
				}
				_, err = g.Handle(id).Info(t.Context())
				wantLife(t, "the grant", err, c.lives)
				// Whose token this is nobody knows, so nobody keeps it.
				if name == "somebody else's" {
					a.provider.WantRequests(t, 1, "/revoke")
				}
			})
		})
	}
}

// endsWith makes a code end a grant.
func endsWith(code string) func(*authcode.Config) {
	return func(c *authcode.Config) { c.Provider.EndsGrant = []string{code} }
}

// identified checks the answers.
func identified(check func(*authcode.TokenResponse) error) func(*authcode.Config) {
	return func(c *authcode.Config) {
		c.Provider.Identity = func(_ context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
			return nil, check(r)
		}
	}
}

// TestAnswers: a grant keeps what an answer lacks.
func TestAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		refresh string // that the second renewal sends
	}{
		"a new refresh token":     {`"refresh_token":"rt-1"`, "rt-1"},
		"the same refresh token":  {`"refresh_token":"rt-0"`, "rt-0"},
		"no refresh token":        {`"x":1`, "rt-0"},
		"a blank refresh token":   {`"refresh_token":" "`, "rt-0"},
		"a refresh token of null": {`"refresh_token":null`, "rt-0"},
		"fewer scopes":            {`"scope":""`, "rt-0"},
		"no expiry":               {`"expires_in":0`, "rt-0"},
		"an expiry of a century":  {`"expires_in":9999999999`, "rt-0"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				a.provider.Answer = func(*world.Request) (*http.Response, error) {
					return world.Reply(200, fmt.Sprintf(`{"access_token":"at-%d",%s}`,
						len(a.provider.Requests()), c.body)), nil
				}
				g := a.instance(t)
				id := a.save(t, g, login())
				time.Sleep(2 * time.Minute)
				token(t, g, id, "at-1")
				token(t, a.instance(t), id, "at-1")
				if _, err := g.Handle(id).Renew(t.Context(), nil); err != nil {
					t.Error(err)
				}
				if got := a.provider.Requests()[1].Form.Get("refresh_token"); got != c.refresh {
					t.Errorf("the second renewal sends %s, want %s", got, c.refresh)
				}
			})
		})
	}
}

// idToken is t with an ID token.
func idToken(t oauth2.Token) *oauth2.Token {
	return t.WithExtra(map[string]any{"id_token": "e30.e30.c2ln"})
}

// TestLoginsWithoutToken: a login without refresh token, access token or expiry
// has a grant.
func TestLoginsWithoutToken(t *testing.T) {
	for name, c := range map[string]struct {
		token  *oauth2.Token
		reason authcode.Reason // of Token after two minutes, "" for none
	}{
		"no refresh token": {&oauth2.Token{AccessToken: "at-0", Expiry: time.Now().Add(time.Minute)},
			authcode.InteractionRequired},
		"no expiry":             {&oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0"}, ""},
		"an access token alone": {&oauth2.Token{AccessToken: "at-0"}, ""},
		"an ID token alone":     {idToken(oauth2.Token{}), authcode.Configuration},
		"no access token":       {idToken(oauth2.Token{RefreshToken: "rt-0"}), authcode.Configuration},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				g, l := a.instance(t), login()
				l.Token = c.token
				if !c.token.Expiry.IsZero() {
					l.Token.Expiry = time.Now().Add(time.Minute)
				}
				id := a.save(t, g, l)
				time.Sleep(2 * time.Minute)
				if c.reason == "" {
					token(t, g, id, "at-0")
				} else if _, err := g.Handle(id).Token(t.Context()); !errors.Is(err, c.reason) {
					t.Errorf("got %v, want %v", err, c.reason)
				}
				info, err := g.Handle(id).Info(t.Context())
				if want, _ := l.Token.Extra("id_token").(string); err != nil || info.IDToken != want {
					t.Errorf("Info: %v, ID token %q", err, info.IDToken)
				}
				a.provider.WantRequests(t, 0)
				// The refresh token may bring a token for an API.
				if strings.HasPrefix(name, "no access") {
					token(t, g, id, "at-1", grant.Resource("https://api.example"))
				}
			})
		})
	}
}
