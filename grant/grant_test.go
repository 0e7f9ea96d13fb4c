package grant_test

import (
	"context"
	"errors"
	"fmt"

	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// app is an app with any number of instances over one store.
type app struct {
	store    grant.Store
	provider *world.Provider
	client   *authcode.Client

	mu       sync.Mutex
	outcomes []grant.Outcome
}

// newApp is an app whose provider rotates refresh tokens.
func newApp(t *testing.T, changes ...func(*authcode.Config)) *app {
	a := &app{store: grant.NewMemory(0), provider: world.Rotating()}
	a.client = world.Client(t, a.provider, changes...)
	return a
}

// instance is one instance of the app.
func (a *app) instance(t *testing.T, changes ...func(*grant.Config)) *grant.Grants {
	t.Helper()
	cfg := grant.Config{
		Store: a.store, Keys: [][]byte{world.Key('g')}, Clients: grant.Clients(a.client),
		Observe: func(_ context.Context, e grant.Event) {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.outcomes = append(a.outcomes, e.Outcome)
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	g, err := grant.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// wantOutcomes checks what the instances have observed since the last call.
func (a *app) wantOutcomes(t *testing.T, want ...grant.Outcome) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !slices.Equal(a.outcomes, want) {
		t.Errorf("outcomes are %q, want %q", a.outcomes, want)
	}
	a.outcomes = nil
}

// login is a login whose access token at-0 lives for a minute.
func login() *authcode.Login {
	t := &oauth2.Token{
		AccessToken: "at-0", RefreshToken: "rt-0", TokenType: "Bearer",
		Expiry: time.Now().Add(time.Minute),
	}
	return &authcode.Login{Provider: "x", Token: t, Scopes: []string{"a"}, Identity: &authcode.Identity{
		Issuer: world.Issuer, Subject: "alice", Email: "alice@example.com",
	}}
}

// save saves a login and returns the ID of its grant.
func (a *app) save(t *testing.T, g *grant.Grants, l *authcode.Login) string {
	t.Helper()
	id, err := g.Save(t.Context(), a.client, l)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// token asks for a token and wants this one.
func token(t *testing.T, g *grant.Grants, id, want string, opts ...grant.Option) {
	t.Helper()
	got, err := g.Handle(id).Token(t.Context(), opts...)
	if err != nil {
		t.Errorf("Token: %v", err)
		return
	}
	if got.AccessToken != want || got.RefreshToken != "" {
		t.Errorf("got the tokens %q and %q, want %q", got.AccessToken, got.RefreshToken, want)
	}
}

// TestInstancesRenewOnce: when a token expires, one of many callers at three
// instances renews it, and all of them get the result.
func TestInstancesRenewOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		instances := []*grant.Grants{a.instance(t), a.instance(t), a.instance(t)}
		id := a.save(t, instances[0], login())
		token(t, instances[1], id, "at-0")
		for round := 1; round <= 3; round++ {
			time.Sleep(2 * time.Minute)
			var wg sync.WaitGroup
			for i := range 30 {
				wg.Go(func() { token(t, instances[i%3], id, fmt.Sprintf("at-%d", round)) })
			}
			wg.Wait()
			a.provider.WantRequests(t, round)
			a.wantOutcomes(t, grant.Renewed)
		}
	})
}

// TestRenewAhead: a token that is about to expire is handed out, and renewed in
// the background.
func TestRenewAhead(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		g := a.instance(t)
		id := a.save(t, g, login())
		time.Sleep(52 * time.Second) // 6 s is the margin, 3 to 9 s the lead
		token(t, g, id, "at-0")
		synctest.Wait()
		time.Sleep(2 * time.Second)
		token(t, g, id, "at-1")
		a.provider.WantRequests(t, 1)
	})
}

// TestRefusedGrantEnds: invalid_grant ends the grant, in all instances.
func TestRefusedGrantEnds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = world.Always(400, `{"error":"invalid_grant"}`)
		g, other := a.instance(t), a.instance(t)
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		for _, g := range []*grant.Grants{g, other} {
			_, err := g.Handle(id).Token(t.Context())
			wantError(t, err, authcode.GrantRejected, true)
		}
		a.provider.WantRequests(t, 1)
		a.wantOutcomes(t, grant.Refused)
	})
}

// wantError checks an error of this package.
func wantError(t *testing.T, err error, reason authcode.Reason, final bool) {
	t.Helper()
	var e *authcode.Error
	if !asError(err, &e) || e.Reason != reason || e.Final != final {
		t.Errorf("got %v, want %v, Final %v", err, reason, final)
	}
}

func asError(err error, e **authcode.Error) bool { return errors.As(err, e) }
