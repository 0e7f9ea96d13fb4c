package authcode_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hExpired is a token that has to be refreshed.
func hExpired() *oauth2.Token {
	return &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0", Expiry: time.Now().Add(-time.Minute)}
}

// hRotating answers the n-th refresh with the tokens at-n and rt-n, after a second.
func hRotating() *hProvider {
	p := &hProvider{}
	p.answer = func(r *hRequest) (*http.Response, error) {
		time.Sleep(time.Second) // of the bubble's clock
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		n := len(p.seen())
		return hReply(200, fmt.Sprintf(`{"access_token":"at-%d","refresh_token":"rt-%d","expires_in":60}`, n, n)), nil
	}
	return p
}

// hStore is an app's store of tokens: it keeps what changed was called with.
type hStore struct {
	mu    sync.Mutex
	saved []string
	fail  func(ctx context.Context) error // nil: never
}

func (s *hStore) changed(ctx context.Context, t *oauth2.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.saved = append(s.saved, t.AccessToken)
	t.AccessToken = "changed by the store" // the copy is the store's
	if s.fail != nil {
		return s.fail(ctx)
	}
	return nil
}

func (s *hStore) want(t *testing.T, saved ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fmt.Sprint(s.saved) != fmt.Sprint(saved) {
		t.Errorf("the store saw %q, want %q", s.saved, saved)
	}
}

func hWantToken(t *testing.T, token *oauth2.Token, err error, access string) {
	t.Helper()
	if err != nil || token == nil || token.AccessToken != access {
		t.Errorf("got %v, %v, want %s", token, err, access)
	}
}

// TestTokenSourceRefreshes: when a token is given out as it is, and when it is refreshed first.
func TestTokenSourceRefreshes(t *testing.T) {
	rows := []struct {
		claim string
		lives time.Duration // 0: unknown expiry
		want  string
	}{
		{"a token of unknown expiry is given out", 0, "at-0"},
		{"a token with eleven seconds left is given out", 11 * time.Second, "at-0"},
		{"a token with nine seconds left is refreshed", 9 * time.Second, "at-1"},
		{"an expired token is refreshed", -time.Minute, "at-1"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store := hRotating(), &hStore{}
				token := &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0"}
				if row.lives != 0 {
					token.Expiry = time.Now().Add(row.lives)
				}
				source := hNew(t, p).TokenSource(token, store.changed)
				token.AccessToken, token.Expiry = "changed by the caller", time.Now().Add(time.Hour)
				for range 2 {
					got, err := source.Token(t.Context())
					hWantToken(t, got, err, row.want)
					got.AccessToken = "changed by the caller"
				}
				if row.want == "at-0" {
					store.want(t)
					return
				}
				store.want(t, "at-1")
				time.Sleep(51 * time.Second)
				got, err := source.Token(t.Context())
				hWantToken(t, got, err, "at-2")
				if sent := p.seen()[1].form.Get("refresh_token"); sent != "rt-1" {
					t.Errorf("the second refresh sent %q", sent)
				}
			})
		})
	}
}

// TestTokenSourceRefreshesOnce: a hundred callers wait for one refresh and one call of changed.
func TestTokenSourceRefreshesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := hRotating(), &hStore{}
		source := hNew(t, p).TokenSource(hExpired(), store.changed)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				token, err := source.Token(t.Context())
				hWantToken(t, token, err, "at-1")
			})
		}
		wg.Wait()
		p.wantRequests(t, 1)
		store.want(t, "at-1")
	})
}

// TestTokenSourceSurvivesItsFirstCaller: who began the refresh may leave; the rotated token is not lost.
func TestTokenSourceSurvivesItsFirstCaller(t *testing.T) {
	rows := []struct {
		claim  string
		ctx    func(context.Context) (context.Context, context.CancelFunc)
		reason authcode.Reason
		check  string
	}{
		{"by cancelling", func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second/2, cancel)
			return ctx, cancel
		}, authcode.Canceled, "provider.canceled"},
		{"by a deadline", func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, time.Second/2)
		}, authcode.Timeout, "provider.timeout"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store := hRotating(), &hStore{}
				source := hNew(t, p).TokenSource(hExpired(), store.changed)
				ctx, cancel := row.ctx(t.Context())
				defer cancel()
				began := time.Now()
				_, err := source.Token(ctx)
				if e := hWantError(t, err, row.reason, row.check); time.Since(began) != time.Second/2 || e.Provider != "x" {
					t.Errorf("left after %v as %q", time.Since(began), e.Provider)
				}
				token, err := source.Token(t.Context())
				hWantToken(t, token, err, "at-1")
				p.wantRequests(t, 1)
				store.want(t, "at-1")
			})
		})
	}
}

// TestTokenSourceDead: a refused refresh token is not sent again; any other failure is tried again.
func TestTokenSourceDead(t *testing.T) {
	rows := []struct {
		claim    string
		status   int
		body     string
		reason   authcode.Reason
		check    string
		requests int // of three calls
	}{
		{"a dead refresh token is not asked for again", 400, `{"error":"invalid_grant"}`, authcode.GrantRejected, "answer.error", 1},
		{"a dead refresh token without words is not either", 400, ``, authcode.GrantRejected, "answer.error", 1},
		{"nor one that is refused with 403 and a code", 403, `{"error":"access_denied"}`, authcode.GrantRejected, "answer.error", 1},
		{"a firewall's 403 is asked again", 403, `<html>`, authcode.GrantRejected, "answer.error", 3},
		{"an overloaded provider is asked again", 503, ``, authcode.Overloaded, "answer.error", 3},
		{"a broken answer is asked for again", 200, `{`, authcode.BadAnswer, "answer.form", 3},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store := hAnswering(row.status, row.body), &hStore{}
				source := hNew(t, p).TokenSource(hExpired(), store.changed)
				for range 3 {
					token, err := source.Token(t.Context())
					e := hWantError(t, err, row.reason, row.check)
					if token != nil || e.Provider != "x" || e.LoginURL != "/auth/x" {
						t.Errorf("got %v, Provider %q, LoginURL %q", token, e.Provider, e.LoginURL)
					}
				}
				p.wantRequests(t, row.requests)
				store.want(t)
			})
		})
	}
	for claim, token := range map[string]*oauth2.Token{
		"nil": nil, "no refresh token": {AccessToken: "at", Expiry: time.Now().Add(-time.Hour)},
	} {
		t.Run(claim+" has to sign in again", func(t *testing.T) {
			p := &hProvider{}
			_, err := hNew(t, p).TokenSource(token, nil).Token(t.Context())
			hWantError(t, err, authcode.GrantRejected, "refresh.none")
			p.wantRequests(t, 0)
		})
	}
}

// TestTokenSourceOAuth2: the adapter uses the source, and the context it was made with.
func TestTokenSourceOAuth2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hRotating()
		source := hNew(t, p).TokenSource(hExpired(), nil)
		token, err := source.OAuth2(t.Context()).Token()
		hWantToken(t, token, err, "at-1")
		token, err = source.Token(t.Context())
		hWantToken(t, token, err, "at-1")
		p.wantRequests(t, 1)
		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = source.OAuth2(ctx).Token()
		hWantError(t, err, authcode.Canceled, "provider.canceled")
		time.Sleep(2 * time.Second) // the refresh that it began comes to its end
	})
}
