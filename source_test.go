package authcode_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var tokenSourceRefreshes = []struct {
	claim string
	lives time.Duration // 0: unknown expiry
	want  string
}{
	{"a token of unknown expiry is given out", 0, "at-0"},
	{"a token with eleven seconds left is given out", 11 * time.Second, "at-0"},
	{"a token with nine seconds left is refreshed", 9 * time.Second, "at-1"},
	{"an expired token is refreshed", -time.Minute, "at-1"},
}

// TestTokenSourceRefreshes: when a token is given out as it is, and when it is
// refreshed first.
func TestTokenSourceRefreshes(t *testing.T) {
	for _, row := range tokenSourceRefreshes {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p, store := world.Rotating(), &world.Store{}
				token := &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0"}
				if row.lives != 0 {
					token.Expiry = time.Now().Add(row.lives)
				}
				source := world.Client(t, p).TokenSource(token, store.Save)
				token.AccessToken, token.Expiry = "changed by the caller", time.Now().Add(time.Hour)
				for range 2 {
					got, err := source.Token(t.Context())
					world.WantToken(t, got, err, row.want)
					got.AccessToken = "changed by the caller"
				}
				if row.want == "at-0" {
					store.WantSaved(t)
					return
				}
				store.WantSaved(t, "at-1")
				time.Sleep(51 * time.Second)
				got, err := source.Token(t.Context())
				world.WantToken(t, got, err, "at-2")
				if sent := p.Requests()[1].Form.Get("refresh_token"); sent != "rt-1" {
					t.Errorf("the second refresh sent %q", sent)
				}
			})
		})
	}
}

// TestTokenSourceRefreshesOnce: a hundred callers wait for one refresh and one
// call of changed.
func TestTokenSourceRefreshesOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p, store := world.Rotating(), &world.Store{}
		source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				token, err := source.Token(t.Context())
				world.WantToken(t, token, err, "at-1")
			})
		}
		wg.Wait()
		p.WantRequests(t, 1)
		store.WantSaved(t, "at-1")
	})
}

// TestTokenSourceSurvivesItsFirstCaller: who began the refresh may leave; the
// rotated token is not lost.
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
			bubble.Test(t, func(t *testing.T) {
				p, store := world.Rotating(), &world.Store{}
				source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
				ctx, cancel := row.ctx(t.Context())
				defer cancel()
				began := time.Now()
				_, err := source.Token(ctx)
				e := world.WantError(t, err, row.reason, row.check)
				if time.Since(began) != time.Second/2 || e.Provider != "x" {
					t.Errorf("left after %v as %q", time.Since(began), e.Provider)
				}
				token, err := source.Token(t.Context())
				world.WantToken(t, token, err, "at-1")
				p.WantRequests(t, 1)
				store.WantSaved(t, "at-1")
			})
		})
	}
}

var tokenSourceDead = []struct {
	claim    string
	status   int
	body     string
	reason   authcode.Reason
	check    string
	requests int // of three calls
}{
	{"a dead refresh token is not asked for again", 400, `{"error":"invalid_grant"}`,
		authcode.GrantRejected, "answer.error", 1},
	{"a dead refresh token without words is not either", 400, ``, authcode.GrantRejected,
		"answer.error", 1},
	{"nor one that is refused with 403 and a code", 403, `{"error":"access_denied"}`,
		authcode.GrantRejected, "answer.error", 1},
	{"a firewall's 403 is asked again", 403, `<html>`, authcode.GrantRejected, "answer.error",
		3},
	{"an overloaded provider is asked again", 503, ``, authcode.Overloaded, "answer.error", 3},
	{"a broken answer is asked for again", 200, `{`, authcode.BadAnswer, "answer.form", 3},
}

// TestTokenSourceDead: a refused refresh token is not sent again; any other
// failure is tried again.
func TestTokenSourceDead(t *testing.T) {
	for _, row := range tokenSourceDead {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				p, store := world.Answering(row.status, row.body), &world.Store{}
				source := world.Client(t, p).TokenSource(world.Expired(), store.Save)
				for range 3 {
					token, err := source.Token(t.Context())
					e := world.WantError(t, err, row.reason, row.check)
					if token != nil || e.Provider != "x" || e.LoginURL != "/auth/x" {
						t.Errorf("got %v, Provider %q, LoginURL %q", token, e.Provider, e.LoginURL)
					}
				}
				p.WantRequests(t, row.requests)
				store.WantSaved(t)
			})
		})
	}
	for claim, token := range map[string]*oauth2.Token{
		"nil": nil, "no refresh token": {AccessToken: "at", Expiry: time.Now().Add(-time.Hour)},
	} {
		t.Run(claim+" has to sign in again", func(t *testing.T) {
			p := &world.Provider{}
			_, err := world.Client(t, p).TokenSource(token, nil).Token(t.Context())
			world.WantError(t, err, authcode.GrantRejected, "refresh.none")
			p.WantRequests(t, 0)
		})
	}
}

// TestTokenSourceOAuth2: the adapter uses the source, and the context it was
// made with.
func TestTokenSourceOAuth2(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := world.Rotating()
		source := world.Client(t, p).TokenSource(world.Expired(), nil)
		token, err := source.OAuth2(t.Context()).Token()
		world.WantToken(t, token, err, "at-1")
		token, err = source.Token(t.Context())
		world.WantToken(t, token, err, "at-1")
		p.WantRequests(t, 1)
		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = source.OAuth2(ctx).Token()
		world.WantError(t, err, authcode.Canceled, "provider.canceled")
		time.Sleep(2 * time.Second) // the refresh that it began comes to its end
	})
}
