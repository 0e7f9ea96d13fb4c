package provider_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
	"golang.org/x/oauth2"
)

// brokenBody is a text, and then what end says.
func brokenBody(text string, end func() error) *http.Response {
	body := io.MultiReader(strings.NewReader(text), readFunc(func([]byte) (int, error) { return 0, end() }))
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(body), Header: http.Header{}}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(p []byte) (int, error) { return f(p) }

// TestProfileBreaks: an answer that is not complete, or a list of addresses that
// cannot be loaded, signs nobody in.
func TestProfileBreaks(t *testing.T) {
	down := &net.DNSError{Err: "no such host", Name: "api.example"}
	whole := func() error { return io.EOF }
	for claim, c := range map[string]struct {
		profile func(cancel func()) error // what follows the text
		emails  error                     // of the request
		want    error
	}{
		"the profile breaks off":         {func(func()) error { return down }, nil, down},
		"the caller leaves":              {func(cancel func()) error { cancel(); return io.EOF }, nil, context.Canceled},
		"the caller leaves as it breaks": {func(cancel func()) error { cancel(); return down }, nil, context.Canceled},
		"the addresses are out of reach": {func(func()) error { return io.EOF }, down, down},
		"both parts come":                {func(func()) error { return io.EOF }, nil, nil},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := provider.GitHub()
		id, err := p.Identity(ctx, &authcode.TokenResponse{
			Connection: &authcode.Connection{Endpoints: p.Endpoints}, Token: &oauth2.Token{},
			Do: func(r *http.Request) (*http.Response, error) {
				if !strings.HasSuffix(r.URL.Path, "/emails") {
					return brokenBody(`{"id":7}`, func() error { return c.profile(cancel) }), nil
				}
				return brokenBody(`[]`, whole), c.emails
			}})
		if !errors.Is(err, c.want) || c.want == nil && id == nil {
			t.Errorf("%s: got %v, %v; want %v", claim, id, err, c.want)
		}
	}
}

// TestProfileURLs: nothing is sent to what is not a URL.
func TestProfileURLs(t *testing.T) {
	for _, url := range []string{"", "%zz", "https://api.example:x/user"} {
		for _, p := range []authcode.Provider{provider.GitHub(), provider.BitbucketDataCenter("https://git.example")} {
			p.UserInfoURL = url
			_, err := p.Identity(t.Context(), &authcode.TokenResponse{
				Connection: &authcode.Connection{Endpoints: p.Endpoints}, Token: &oauth2.Token{},
				Do: func(r *http.Request) (*http.Response, error) {
					t.Errorf("%s: a request to %s", p.Name, r.URL)
					return nil, io.EOF
				}})
			wantCheck(t, err, "profile.url")
		}
	}
}

func wantCheck(t *testing.T, err error, check string) {
	t.Helper()
	if e, ok := errors.AsType[*authcode.Error](err); !ok || e.Check != check {
		t.Errorf("got %v, want %s", err, check)
	}
}

// TestTeamWithoutIDToken: a refresh that brings no ID token says nothing about
// the person.
func TestTeamWithoutIDToken(t *testing.T) {
	p := provider.Slack()
	id, err := p.Identity(t.Context(), &authcode.TokenResponse{
		Connection: &authcode.Connection{Config: authcode.Config{ClientID: clientID, Provider: p}},
		Token:      &oauth2.Token{AccessToken: accessToken}, Previous: &oauth2.Token{AccessToken: accessToken}})
	if id != nil || err != nil {
		t.Errorf("got %v, %v", id, err)
	}
}

// TestAnswerIsNotJSON: an app can put anything into a token.
func TestAnswerIsNotJSON(t *testing.T) {
	p := provider.HubSpot()
	_, err := p.Identity(t.Context(), &authcode.TokenResponse{
		Connection: &authcode.Connection{Endpoints: p.Endpoints},
		Token:      (&oauth2.Token{}).WithExtra(map[string]any{"hub_id": func() {}, "user_id": "7"})})
	wantCheck(t, err, "profile.form")
}
