package grant_test

import (
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

func oneGrant(c *authcode.Config) { c.Provider.OneGrant = true }

// TestOneGrant: at a provider that counts grants, the logins of one person share
// one. A later login without refresh token keeps the former one.
func TestOneGrant(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, oneGrant)
		g := a.instance(t)
		first, second, other := login(), login(), login()
		second.Token.AccessToken, second.Token.RefreshToken = "at-second", ""
		other.Identity.Subject, other.Token.AccessToken = "bob", "at-bob"
		id := a.save(t, g, first)
		if again := a.save(t, g, second); again != id {
			t.Error("the second login has a grant of its own")
		}
		if bobs := a.save(t, g, other); bobs == id {
			t.Error("two people share a grant")
		}
		token(t, g, id, "at-second")
		time.Sleep(2 * time.Minute)
		token(t, g, id, "at-1")
		if got := a.provider.Requests()[0].Form.Get("refresh_token"); got != "rt-0" {
			t.Errorf("the renewal sends %q", got)
		}
		third := login()
		third.Token.AccessToken, third.Token.RefreshToken = "at-third", "rt-third"
		a.save(t, a.instance(t), third)
		time.Sleep(2 * time.Minute)
		token(t, g, id, "at-2")
		if got := a.provider.Requests()[1].Form.Get("refresh_token"); got != "rt-third" {
			t.Errorf("the renewal sends %q", got)
		}
	})
}

// TestConcurrentSaves: logins that are saved at the same time share one record,
// and so do those with the same refresh token.
func TestConcurrentSaves(t *testing.T) {
	for name, change := range map[string]func(*authcode.Config){
		"one grant": oneGrant, "the same refresh token": func(*authcode.Config) {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t, change)
				instances := []*grant.Grants{a.instance(t), a.instance(t)}
				ids := make([]string, 8)
				var wg sync.WaitGroup
				for n := range ids {
					wg.Go(func() { ids[n] = a.save(t, instances[n%2], login()) })
				}
				wg.Wait()
				for _, id := range ids {
					if id != ids[0] {
						t.Error("one token is in two records")
					}
				}
				token(t, instances[0], ids[0], "at-0")
			})
		})
	}
}

// TestSeparateGrants: elsewhere each sign-in has its own, whose end the others
// do not notice.
func TestSeparateGrants(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		g := a.instance(t)
		phone, laptop := login(), login()
		laptop.Token.RefreshToken = "rt-laptop"
		one, two := a.save(t, g, phone), a.save(t, g, laptop)
		if err := g.Handle(one).Revoke(t.Context()); err != nil {
			t.Error(err)
		}
		wantToken(t, g, one, "grant.ended")
		wantToken(t, g, two, "")
	})
}

// TestRotationOfKeys: the former key may have named the grant of a login.
func TestRotationOfKeys(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, oneGrant)
		withKeys := func(keys ...byte) *grant.Grants {
			return a.instance(t, func(c *grant.Config) {
				c.Keys = nil
				for _, k := range keys {
					c.Keys = append(c.Keys, world.Key(k))
				}
			})
		}
		id := a.save(t, withKeys('o'), login())
		token(t, withKeys('o', 'n'), id, "at-0")
		rotated := withKeys('n', 'o')
		if again := a.save(t, rotated, login()); again != id {
			t.Error("the login has a second grant")
		}
		token(t, withKeys('n'), id, "at-0") // it was sealed again
		fresh := login()
		fresh.Identity.Subject, fresh.Token.RefreshToken = "bob", "rt-bob"
		unused := a.save(t, withKeys('o'), fresh)
		wantToken(t, withKeys('n'), unused, "grant.sealed")
		token(t, rotated, unused, "at-0") // its use seals it again
		token(t, withKeys('n'), unused, "at-0")
	})
}

// TestAnotherLoginWithoutRefreshToken: between the look at the record and the
// lease, the person has signed in again, and this login has no refresh token.
func TestAnotherLoginWithoutRefreshToken(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, oneGrant)
		n, other := a.node(t), a.instance(t)
		id := a.save(t, n.Grants, login())
		time.Sleep(2 * time.Minute)
		n.stop("before take", time.Second, nil)
		time.AfterFunc(time.Second/2, func() {
			other.Handle(id).Delete(t.Context())
			l := login()
			l.Token.RefreshToken, l.Token.Expiry = "", time.Now().Add(time.Millisecond)
			a.save(t, other, l)
		})
		wantToken(t, n.Grants, id, "grant.no_refresh_token")
		a.wantOutcomes(t)
		a.provider.WantRequests(t, 0)
	})
}
