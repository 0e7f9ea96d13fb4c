package world

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// Expired is a token that has to be refreshed: at-0 with rt-0.
func Expired() *oauth2.Token {
	return &oauth2.Token{
		AccessToken: "at-0", RefreshToken: "rt-0", Expiry: time.Now().Add(-time.Minute),
	}
}

// Refresh is the outcome of a refresh at p.
func Refresh(t testing.TB, p *Provider) error {
	t.Helper()
	token, err := Client(t, p).Refresh(t.Context(),
		&oauth2.Token{AccessToken: "old", RefreshToken: "rt-0"})
	if err != nil && token != nil {
		t.Error("a failed refresh returned a token")
	}
	return err
}

// Rotating is a provider that answers the nth refresh with the tokens at-n and
// rt-n, which live for a minute. It takes a second for each: run it in a
// testing/synctest bubble.
func Rotating() *Provider {
	p := &Provider{}
	p.Answer = func(r *Request) (*http.Response, error) {
		time.Sleep(time.Second)
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		n := len(p.Requests())
		return Reply(200, fmt.Sprintf(
			`{"access_token":"at-%d","refresh_token":"rt-%d","expires_in":60}`, n, n)), nil
	}
	return p
}

// Store is an app's store of tokens. It remembers what it was given.
type Store struct {
	Fail func(ctx context.Context) error // if nil, it never fails

	mu    sync.Mutex
	saved []string
}

// Save is the callback of Client.TokenSource.
func (s *Store) Save(ctx context.Context, t *oauth2.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = append(s.saved, t.AccessToken)
	t.AccessToken = "changed by the store" // the copy is the store's
	if s.Fail != nil {
		return s.Fail(ctx)
	}
	return nil
}

// WantSaved checks which access tokens the store was given, in their order.
func (s *Store) WantSaved(t testing.TB, access ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.saved, access) {
		t.Errorf("the store saw %q, want %q", s.saved, access)
	}
}

// WantToken checks the outcome of what returns a token.
func WantToken(t testing.TB, token *oauth2.Token, err error, access string) {
	t.Helper()
	if err != nil || token == nil || token.AccessToken != access {
		t.Errorf("got %v, %v, want %s", token, err, access)
	}
}
