package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
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

// TestTokensForAPIs: a grant has tokens for several APIs and with fewer scopes,
// which are renewed one after another, each with the newest refresh token. It
// keeps eight.
func TestTokensForAPIs(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, p := newWorld(t, 0)
		g := a.instance(t)
		id := a.save(t, g, login())
		api := func(n int) grant.Option { return grant.Resource(fmt.Sprintf("https://api-%d.example", n)) }
		var wg sync.WaitGroup
		for n := range 3 {
			wg.Go(func() {
				if _, err := g.Handle(id).Token(t.Context(), api(n)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if p.overlapped() || p.isEnded() || a.asked() != 3 {
			t.Errorf("%d requests, at the same time: %v, ended: %v", a.asked(), p.overlapped(), p.isEnded())
		}
		token(t, g, id, "at-0")
		token(t, g, id, "at-4", grant.Scopes("b", "a", "b"))
		token(t, g, id, "at-4", grant.Scopes("a", "b"))
		token(t, g, id, "at-5", grant.Scopes("a"), api(0))
		if form := a.provider.Requests()[4].Form; form.Get("scope") != "a" || form.Get("resource") != "https://api-0.example" {
			t.Errorf("the request asks for %v", form)
		}
	})
}

// TestEightTokens: the token that was renewed longest ago makes room.
func TestEightTokens(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = func(*world.Request) (*http.Response, error) {
			return world.Reply(200, fmt.Sprintf(`{"access_token":"at-%d"}`, len(a.provider.Requests()))), nil
		}
		g := a.instance(t)
		l := login()
		l.Token.Expiry = time.Time{}
		id := a.save(t, g, l)
		api := func(n int) grant.Option { return grant.Resource(fmt.Sprintf("https://api-%d.example", n)) }
		for n := 1; n <= 8; n++ {
			token(t, g, id, fmt.Sprintf("at-%d", n), api(n))
		}
		token(t, g, id, "at-0")
		for n := 2; n <= 8; n++ {
			token(t, g, id, fmt.Sprintf("at-%d", n), api(n))
		}
		token(t, g, id, "at-9", api(1))
	})
}

// TestRenew: callers with the same refused token cause one renewal, also at two
// instances.
func TestRenew(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		instances := []*grant.Grants{a.instance(t), a.instance(t)}
		id := a.save(t, instances[0], login())
		for round := 1; round <= 3; round++ {
			var wg sync.WaitGroup
			for n := range 20 {
				wg.Go(func() {
					refused := &oauth2.Token{AccessToken: fmt.Sprintf("at-%d", round-1)}
					got, err := instances[n%2].Handle(id).Renew(t.Context(), refused)
					if err != nil || got.AccessToken != fmt.Sprintf("at-%d", round) {
						t.Errorf("got %v, %v", got, err)
					}
				})
			}
			wg.Wait()
		}
		if got, err := instances[0].Handle(id).Renew(t.Context(), nil); err != nil || got.AccessToken != "at-4" {
			t.Errorf("Renew(nil): %v, %v", got, err)
		}
		if a.asked() != 4 {
			t.Errorf("%d requests, want 4", a.asked())
		}
	})
}

// TestRenewJoins: a renewal that began for another reason brings a new token,
// and is enough.
func TestRenewJoins(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = func(*world.Request) (*http.Response, error) {
			time.Sleep(time.Second / 2)
			return world.Reply(200, `{"access_token":"at-1"}`), nil
		}
		n := a.node(t)
		id := a.save(t, n.Grants, login())
		time.Sleep(2 * time.Minute)
		go n.Handle(id).Token(t.Context())
		synctest.Wait()
		got, err := n.Handle(id).Renew(t.Context(), &oauth2.Token{AccessToken: "at-0"})
		world.WantToken(t, got, err, "at-1")
		loads := slices.DeleteFunc(n.passed, func(step string) bool { return step != "before load" })
		if len(loads) != 2 {
			t.Errorf("the store was read %d times, want once for each caller", len(loads))
		}
	})
}

// TestOptions: a wrong option is refused, and costs nothing.
func TestOptions(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		g := a.instance(t)
		id := a.save(t, g, login())
		for _, o := range []grant.Option{grant.Resource(""), grant.Scopes(), grant.Scopes(""), grant.Scopes(" ")} {
			wantToken(t, g, id, "grant.option", o)
			if _, err := g.Handle(id).Renew(t.Context(), nil, o); !errors.Is(err, authcode.Configuration) {
				t.Errorf("Renew: %v", err)
			}
		}
		wantToken(t, g, id, "", nil)
		a.provider.WantRequests(t, 0)
	})
}

// api is an API that refuses a token once.
func (a *app) api(refused ...string) {
	a.provider.On("/api", func(r *world.Request) (*http.Response, error) {
		if slices.Contains(refused, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")) {
			return world.Reply(401, ``, "WWW-Authenticate", `Bearer error="invalid_token"`), nil
		}
		return world.Reply(200, r.Header.Get("Authorization")), nil
	})
}

// TestAPIClient: an API refuses a token before its time.
func TestAPIClient(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		a.api("at-0")
		g := a.instance(t)
		id := a.save(t, g, login())
		client, err := g.Handle(id).APIClient(t.Context(), world.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			resp, err := client.Get(world.Issuer + "/api")
			if err != nil || resp.StatusCode != 200 {
				t.Fatalf("got %v, %v", resp, err)
			}
		}
		a.api("at-1", "at-2")
		if _, err := client.Get(world.Issuer + "/api"); err != nil {
			t.Error(err)
		}
		if n := a.asked(); n != 2 {
			t.Errorf("%d renewals, want 2", n)
		}
	})
}

// TestAPIClientWithoutRefresh: without refresh token the caller gets the
// refusal.
func TestAPIClientWithoutRefresh(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.api("at-0")
		g, l := a.instance(t), login()
		l.Token.RefreshToken = ""
		id := a.save(t, g, l)
		client, err := g.Handle(id).APIClient(t.Context(), world.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Get(world.Issuer + "/api")
		if err != nil || resp.StatusCode != 401 {
			t.Errorf("got %v, %v", resp, err)
		}
		source := g.Handle(id).OAuth2(t.Context())
		if got, err := source.Token(); err != nil || got.AccessToken != "at-0" {
			t.Errorf("OAuth2: %v, %v", got, err)
		}
	})
}

// TestRenewedHook: what an answer says about the person is merged, and the app
// hears about it. What the app changes is its own.
func TestRenewedHook(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *authcode.Config) {
			c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				return &authcode.Identity{Issuer: world.Issuer, Subject: "alice", Name: "Alice",
					Claims: map[string]any{"new": "1"}}, nil
			}
		})
		var told []string
		g := a.instance(t, func(c *grant.Config) {
			c.CacheFor = time.Minute
			c.Renewed = func(_ context.Context, id string, i *authcode.Identity) {
				told = append(told, id, i.Name)
				clear(i.Claims)
			}
		})
		l := login()
		l.Identity.Claims = map[string]any{"old": "1"}
		id := a.save(t, g, l)
		time.Sleep(2 * time.Minute)
		token(t, g, id, "at-1")
		for range 2 {
			info, err := g.Handle(id).Info(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			i := info.Identity
			if i.Name != "Alice" || i.Email != "alice@example.com" || fmt.Sprint(i.Claims) != "map[new:1 old:1]" {
				t.Errorf("the identity is %+v", *i)
			}
			clear(i.Claims)
			i.Name = "Mallory"
			info.Scopes[0] = "everything"
		}
		if !slices.Equal(told, []string{id, "Alice"}) {
			t.Errorf("the hook was told %q", told)
		}
	})
}

// TestCache: a valid token costs no operation of the store. Own deletions act at
// once, those of others when the time is over.
func TestCache(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		cached := func(c *grant.Config) { c.CacheFor = 10 * time.Second }
		first, second := a.node(t, cached), a.node(t, cached)
		id := a.save(t, first.Grants, login())
		token(t, first.Grants, id, "at-0")
		token(t, second.Grants, id, "at-0")
		first.outage(time.Second)
		token(t, first.Grants, id, "at-0")
		time.Sleep(time.Second)
		if err := first.Handle(id).Delete(t.Context()); err != nil {
			t.Error(err)
		}
		wantToken(t, first.Grants, id, "grant.ended")
		token(t, second.Grants, id, "at-0")
		time.Sleep(10 * time.Second)
		wantToken(t, second.Grants, id, "grant.ended")
	})
}

// TestJitter: a hundred grants of one minute are not renewed in one second.
func TestJitter(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = world.Always(200, `{"access_token":"at","expires_in":3600}`)
		g := a.instance(t)
		var ids []string
		for n := range 100 {
			l := login()
			l.Token.RefreshToken, l.Token.Expiry = fmt.Sprint("rt", n), time.Now().Add(time.Hour)
			ids = append(ids, a.save(t, g, l))
		}
		began := time.Now()
		most, last := 0, 0
		for time.Since(began) < 59*time.Minute {
			time.Sleep(20 * time.Second)
			for _, id := range ids {
				if time.Since(began) > 50*time.Minute {
					wantToken(t, g, id, "")
				}
			}
			synctest.Wait()
			n := len(a.provider.Requests())
			most, last = max(most, n-last), n
		}
		if last != 100 || most > 20 {
			t.Errorf("%d renewals, up to %d in twenty seconds", last, most)
		}
	})
}
