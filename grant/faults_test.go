package grant_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// TestSameAccessToken: a provider that returns the access token which the API
// has refused is asked once, and not for ever.
func TestSameAccessToken(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = func(r *world.Request) (*http.Response, error) {
			n := len(a.provider.Requests())
			return world.Reply(200, fmt.Sprintf(
				`{"access_token":"at-0","refresh_token":"rt-%d","expires_in":60}`, n)), nil
		}
		g := a.instance(t)
		id := a.save(t, g, login())
		for n := 1; n <= 3; n++ {
			if got, err := g.Handle(id).Renew(t.Context(), nil); err != nil || got.AccessToken != "at-0" {
				t.Errorf("got %v, %v", got, err)
			}
			a.provider.WantRequests(t, n)
			if want := fmt.Sprintf("rt-%d", n-1); a.provider.Requests()[n-1].Form.Get("refresh_token") != want {
				t.Errorf("the request does not have %s", want)
			}
		}
	})
}

// TestUncheckedForAnotherAPI: who takes over the unchecked token for one API
// does not give it to the caller who asked for another one.
func TestUncheckedForAnotherAPI(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		first, second := a.node(t), a.node(t)
		id := a.save(t, first.Grants, login())
		time.Sleep(2 * time.Minute)
		first.stop("before check", 0, nil)
		go first.Handle(id).Token(t.Context(), grant.Resource("https://one.example"))
		time.Sleep(4 * time.Second)
		token(t, second.Grants, id, "at-2", grant.Resource("https://two.example"))
		token(t, second.Grants, id, "at-1", grant.Resource("https://one.example"))
		if got := a.provider.Requests()[1].Form.Get("resource"); got != "https://two.example" {
			t.Errorf("the second request is for %q", got)
		}
		a.wantOutcomes(t, grant.TakenOver, grant.Renewed, grant.Renewed)
	})
}

// TestSlowHook: a lease that was given up by saving is not taken again while the
// app's hook runs. Run would renew the token once more.
func TestSlowHook(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *authcode.Config) {
			c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				return &authcode.Identity{Issuer: "i", Subject: "alice"}, nil
			}
		})
		g := a.instance(t, func(c *grant.Config) {
			c.Renewed = func(context.Context, string, *authcode.Identity) { time.Sleep(5 * time.Second) }
		})
		go g.Run(t.Context())
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		token(t, g, id, "at-1")
		time.Sleep(time.Minute)
		a.provider.WantRequests(t, 1)
	})
}

// TestCacheKeepsNoWait: the wait after a failure is over in time, also where the
// record is in the cache.
func TestCacheKeepsNoWait(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		slow := func(*world.Request) (*http.Response, error) {
			time.Sleep(time.Second / 10)
			return world.Reply(500, ``), nil
		}
		a.provider.Answer = answers(slow, world.Always(200, world.TokenJSON))
		g := a.instance(t, func(c *grant.Config) { c.CacheFor = time.Minute })
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		if _, err := g.Handle(id).Token(t.Context()); err == nil {
			t.Error("Token succeeds")
		}
		time.Sleep(time.Second)
		token(t, g, id, "at-1")
	})
}

// TestResealKeepsLeases: a record that another instance is renewing is not
// sealed again. Its lease would end, and a third one would send the same token.
func TestResealKeepsLeases(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, p := newWorld(t, 0)
		keys := func(keys ...byte) func(*grant.Config) {
			return func(c *grant.Config) {
				c.Keys = nil
				for _, k := range keys {
					c.Keys = append(c.Keys, world.Key(k))
				}
			}
		}
		first, second, third := a.node(t, keys('g', 'n')), a.node(t, keys('n', 'g')), a.node(t, keys('g', 'n'))
		id := a.save(t, first.Grants, login())
		time.Sleep(2 * time.Minute)
		second.stop("after load", 300*time.Millisecond, nil) // read before the lease was taken
		var wg sync.WaitGroup
		for i, n := range []*node{second, first, third} {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 200 * time.Millisecond)
				token(t, n.Grants, id, "at-1")
			})
		}
		wg.Wait()
		if p.overlapped() || a.asked() != 1 {
			t.Errorf("%d requests, at the same time: %v", a.asked(), p.overlapped())
		}
	})
}

// TestStoreAway: while the store does not take a new token, callers hear about
// it, Close waits, and the token's time passes.
func TestStoreAway(t *testing.T) {
	for _, away := range []time.Duration{time.Second, 10 * time.Second, 55 * time.Second, time.Minute} {
		t.Run(away.String(), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, p := newWorld(t, 0)
				n := a.node(t)
				id := a.save(t, n.Grants, login())
				time.Sleep(2 * time.Minute)
				var wg sync.WaitGroup
				wg.Go(func() { wantToken(t, n.Grants, id, "grant.unsaved") })
				time.Sleep(500 * time.Millisecond)
				n.outage(away)
				wg.Wait()
				short, cancel := context.WithTimeout(t.Context(), away/4)
				defer cancel()
				if away > time.Second {
					if err := n.Close(short); err == nil {
						t.Error("Close does not wait")
					}
				}
				if err := n.Close(t.Context()); err != nil {
					t.Error(err)
				}
				want := "at-1"
				if away > 50*time.Second {
					want = "at-2" // it lives for a minute
				}
				token(t, a.node(t).Grants, id, want)
				if p.isEnded() {
					t.Error("the grant has ended")
				}
			})
		})
	}
}

// TestDeletedWhileRenewing: the renewal revokes what it gets, and creates
// nothing.
func TestDeletedWhileRenewing(t *testing.T) {
	for name, end := range map[string]func(*grant.Grant, context.Context) error{
		"Delete": (*grant.Grant).Delete, "Revoke": (*grant.Grant).Revoke,
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, _ := newWorld(t, 0)
				first, second := a.node(t), a.node(t)
				id := a.save(t, first.Grants, login())
				time.Sleep(2 * time.Minute)
				var wg sync.WaitGroup
				wg.Go(func() { wantToken(t, first.Grants, id, "grant.ended") })
				time.Sleep(500 * time.Millisecond)
				if err := end(second.Handle(id), t.Context()); err != nil {
					t.Error(err)
				}
				wg.Wait()
				wantToken(t, second.Grants, id, "grant.ended")
				revoked := a.provider.Requests("/revoke")
				if len(revoked) == 0 || revoked[len(revoked)-1].Form.Get("token") != "rt-1" {
					t.Errorf("%d revocations, the last one not of rt-1", len(revoked))
				}
				if len(second.created) > 0 || len(first.created) != 1 {
					t.Error("a record was created")
				}
			})
		})
	}
}

// TestHolderWithoutStore: the store fails while the provider is slow, until the lease has
// run out. When it is back, the holder has its lease again before somebody takes
// it, and the refresh token is sent once.
func TestHolderWithoutStore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, p := newWorld(t, 0)
		a.provider.Answer = func(r *world.Request) (*http.Response, error) {
			time.Sleep(7 * time.Second)
			return p.answer(r)
		}
		first, second := a.node(t), a.node(t)
		id := a.save(t, first.Grants, login())
		time.Sleep(2 * time.Minute)
		go first.Handle(id).Token(t.Context())
		time.Sleep(time.Second / 2)
		first.outage(3700 * time.Millisecond)
		time.Sleep(4 * time.Second)
		token(t, second.Grants, id, "at-1")
		if p.ended || a.asked() != 1 {
			t.Errorf("%d requests; ended: %v", a.asked(), p.ended)
		}
	})
}
