package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// living is at-0, valid for an hour, with the refresh token rt-0.
func living() *oauth2.Token {
	return &oauth2.Token{
		AccessToken: "at-0", RefreshToken: "rt-0", Expiry: time.Now().Add(time.Hour),
	}
}

const invalidToken = `Basic realm="x", Bearer realm="x", error="invalid_token"`

// refusing is a rotating provider whose API refuses the tokens in dead.
func refusing(challenge string, dead ...string) *world.Provider {
	p := world.Rotating()
	refresh := p.Answer
	var mu sync.Mutex
	refreshes := 0
	p.Answer = func(r *world.Request) (*http.Response, error) {
		if r.URL.Host != "api.example" {
			mu.Lock()
			refreshes++
			n := refreshes
			mu.Unlock()
			if _, err := refresh(r); err != nil {
				return nil, err
			}
			return world.Reply(200, fmt.Sprintf(
				`{"access_token":"at-%d","refresh_token":"rt-%d","expires_in":3600}`, n, n)), nil
		}
		_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		for _, d := range dead {
			if token == d || d == "all" {
				return world.Reply(401, "", "WWW-Authenticate", challenge), nil
			}
		}
		return world.Reply(200, token+r.Form.Encode()), nil
	}
	return p
}

// TestRenew: one refresh replaces a token that was refused before its time.
func TestRenew(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p, store := world.Rotating(), &world.Store{}
		source := world.Client(t, p).TokenSource(living(), store.Save)
		old, err := source.Token(t.Context())
		world.WantToken(t, old, err, "at-0")
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				token, err := source.Renew(t.Context(), old)
				world.WantToken(t, token, err, "at-1")
			})
		}
		wg.Wait()
		token, err := source.Renew(t.Context(), old) // it was replaced meanwhile
		world.WantToken(t, token, err, "at-1")
		p.WantRequests(t, 1)
		token, err = source.Renew(t.Context(), nil)
		world.WantToken(t, token, err, "at-2")
		token, err = source.Token(t.Context())
		world.WantToken(t, token, err, "at-2")
		time.Sleep(time.Hour) // what replaced old has expired, too
		token, err = source.Renew(t.Context(), old)
		world.WantToken(t, token, err, "at-3")
		store.WantSaved(t, "at-1", "at-2", "at-3")
	})
}

// TestRenewFails: the old token stays in use, since its expiry has not come. A
// dead grant is not tried again.
func TestRenewFails(t *testing.T) {
	p := world.Answering(400, `{"error":"invalid_grant"}`)
	source := world.Client(t, p).TokenSource(living(), nil)
	for range 2 {
		_, err := source.Renew(t.Context(), nil)
		world.WantError(t, err, authcode.GrantRejected, "answer.error")
		token, err := source.Token(t.Context())
		world.WantToken(t, token, err, "at-0")
	}
	p.WantRequests(t, 1)
}

// TestRenewStoresFirst: a new token that could not be stored is not given out,
// and not refreshed again.
func TestRenewStoresFirst(t *testing.T) {
	down := errors.New("the store is down")
	fail := down
	p := &world.Provider{}
	source := world.Client(t, p).TokenSource(living(),
		func(context.Context, *oauth2.Token) error { return fail })
	for range 2 {
		if _, err := source.Renew(t.Context(), living()); err != down {
			t.Errorf("got %v", err)
		}
	}
	fail = nil
	token, err := source.Renew(t.Context(), living())
	world.WantToken(t, token, err, "at-1")
	p.WantRequests(t, 1)
}

type renewal struct {
	claim     string
	challenge string
	dead      []string // refused by the API
	body      func() io.Reader
	token     *oauth2.Token
	status    int
	seen      string // by the API: the token, and the body of its form
	refreshes int
}

func theForm() io.Reader { return strings.NewReader("a=b") }

func noForm() io.Reader { return nil }

var renewals = []renewal{
	{"a refused token is renewed", invalidToken, []string{"at-0"}, noForm, living(), 200, "at-1", 1},
	{"in any case of the scheme", `bearer error=invalid_token`, []string{"at-0"}, noForm, living(),
		200, "at-1", 1},
	{"the body is sent again", invalidToken, []string{"at-0"}, theForm, living(),
		200, "at-1a=b", 1},
	{"a body that cannot be sent again", invalidToken, []string{"at-0"},
		func() io.Reader { return io.NopCloser(theForm()) }, living(), 401, "", 0},
	{"once only", invalidToken, []string{"all"}, noForm, living(), 401, "", 1},
	{"not for another error", `Bearer error="insufficient_scope"`, []string{"at-0"}, noForm, living(),
		401, "", 0},
	{"not without an error", `Bearer realm="x"`, []string{"at-0"}, noForm, living(), 401, "", 0},
	{"not for another scheme", `DPoP error="invalid_token"`, []string{"at-0"}, noForm, living(),
		401, "", 0},
	{"not without a refresh token", invalidToken, []string{"at-0"}, noForm,
		&oauth2.Token{AccessToken: "at-0"}, 401, "", 0},
}

// TestAPIClientRenews: when a refused request is sent again with a new token.
func TestAPIClientRenews(t *testing.T) {
	for _, row := range renewals {
		t.Run(row.claim, func(t *testing.T) { bubble.Test(t, row.run) })
	}
}

// run is for a bubble: world.Rotating takes a second for each answer.
func (row renewal) run(t *testing.T) {
	p := refusing(row.challenge, row.dead...)
	api := apiClient(t, world.Client(t, p), row.token, apiURL)
	resp, err := api.Post(apiURL+"/x", formType, row.body())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != row.status || string(body) != row.seen {
		t.Errorf("got %d %q, %v", resp.StatusCode, body, err)
	}
	p.WantRequests(t, row.refreshes, "/token")
	p.WantRequests(t, 1+row.refreshes, "/x")
}
