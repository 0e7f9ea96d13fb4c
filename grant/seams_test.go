package grant_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// withKeys are other keys.
func withKeys(keys ...byte) func(*grant.Config) {
	return func(c *grant.Config) {
		c.Keys = nil
		for _, k := range keys {
			c.Keys = append(c.Keys, world.Key(k))
		}
	}
}

// TestStoreFails: each call says that the store has failed, and ends nothing.
func TestStoreFails(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		n, other := a.node(t), login()
		id := a.save(t, n.Grants, login())
		g := n.Handle(id)
		other.Token.RefreshToken = "rt-other"
		for name, call := range map[string]func() error{
			"Open":      func() error { _, err := n.Open(t.Context(), id); return err },
			"Token":     func() error { _, err := g.Token(t.Context()); return err },
			"Renew":     func() error { _, err := g.Renew(t.Context(), nil); return err },
			"Info":      func() error { _, err := g.Info(t.Context()); return err },
			"APIClient": func() error { _, err := g.APIClient(t.Context(), world.Issuer); return err },
			"Delete":    func() error { return g.Delete(t.Context()) },
			"Revoke":    func() error { return g.Revoke(t.Context()) },
			"Save":      func() error { _, err := n.Save(t.Context(), a.client, other); return err },
			"Save again": func() error {
				rotated := a.node(t, withKeys('n', 'g'))
				rotated.outage(time.Second)
				_, err := rotated.Save(t.Context(), a.client, login())
				return err
			},
		} {
			n.outage(time.Second)
			if e := world.WantError(t, call(), authcode.Overloaded, "grant.store"); e.Final {
				t.Errorf("%s: the error is final", name)
			}
			time.Sleep(time.Second)
		}
		token(t, n.Grants, id, "at-0")
		a.provider.WantRequests(t, 0)
	})
}

// TestBadLogins: what cannot be kept is refused.
func TestBadLogins(t *testing.T) {
	down := func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "app.down", "down", nil)
	}
	a := newApp(t)
	g := a.instance(t)
	blank, odd := login(), login()
	blank.Token.AccessToken, blank.Token.RefreshToken = " ", ""
	odd.Identity.Claims = map[string]any{"x": make(chan int)}
	for check, c := range map[string]struct {
		client *authcode.Client
		login  *authcode.Login
	}{
		"app.down":     {world.Client(t, a.provider, world.LookedUp(down)), login()},
		"token.none":   {a.client, blank},
		"grant.claims": {a.client, odd},
	} {
		_, err := g.Save(t.Context(), c.client, c.login)
		var e *authcode.Error
		if !asError(err, &e) || e.Check != check {
			t.Errorf("Save: %v, want %s", err, check)
		}
	}
	// The grant of an earlier login, under a former key, stays as it is.
	id := a.save(t, g, login())
	_, err := a.instance(t, withKeys('n', 'g')).Save(t.Context(), a.client, odd)
	world.WantError(t, err, authcode.Configuration, "grant.claims")
	token(t, g, id, "at-0")
}

// TestLoginsWithoutRefreshToken: they never share a grant.
func TestLoginsWithoutRefreshToken(t *testing.T) {
	a := newApp(t)
	g, l := a.instance(t), login()
	l.Token.RefreshToken = ""
	if one, two := a.save(t, g, l), a.save(t, g, l); one == two {
		t.Error("two logins share a grant")
	}
}

// TestRevokeTokens: what Revoke sends, and that the grant ends whatever comes
// of it.
func TestRevokeTokens(t *testing.T) {
	for name, c := range map[string]struct {
		refresh string
		stop    string // a step whose answer is lost
		want    []string
	}{
		"the refresh token": {"rt-1", "", []string{"rt-1"}},
		"all access tokens": {"", "", []string{"at-0"}},
		"nothing":           {"rt-1", "after load", nil},
		"nothing, where the record may be there still": {"rt-1", "after delete", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := newApp(t)
			a.provider.On("/revoke", world.Always(503, ``))
			n, l := a.node(t), login()
			l.Token.RefreshToken = c.refresh
			id := a.save(t, n.Grants, l)
			n.stop(c.stop, 0, errLost)
			if err := n.Handle(id).Revoke(t.Context()); err == nil {
				t.Error("Revoke succeeds")
			}
			wantToken(t, n.Grants, id, "grant.ended")
			requests := a.provider.Requests("/revoke")
			if len(requests) != len(c.want) || len(c.want) > 0 && requests[0].Form.Get("token") != c.want[0] {
				t.Errorf("%d requests, want those for %q", len(requests), c.want)
			}
			if err := n.Handle(id).Revoke(t.Context()); err != nil {
				t.Errorf("a second Revoke: %v", err)
			}
		})
	}
}

// TestRevokeIDTokenAlone: there is nothing to revoke.
func TestRevokeIDTokenAlone(t *testing.T) {
	a := newApp(t)
	g, l := a.instance(t), login()
	l.Token = idToken(oauth2.Token{})
	if err := g.Handle(a.save(t, g, l)).Revoke(t.Context()); err != nil {
		t.Error(err)
	}
	a.provider.WantRequests(t, 0)
}

// TestRefusedWhileOthersRenew: a refusal ends nothing while another instance
// renews, or has changed the record.
func TestRefusedWhileOthersRenew(t *testing.T) {
	refuse := world.Always(400, `{"error":"invalid_grant"}`)
	slow := func(*world.Request) (*http.Response, error) {
		time.Sleep(2 * time.Second)
		return world.Reply(200, world.TokenJSON), nil
	}
	for step, freeze := range map[string]time.Duration{"after send": 4 * time.Second, "before delete": time.Second} {
		t.Run(step, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, _ := newWorld(t, 0)
				a.provider.Answer = answers(refuse, slow)
				first, second := a.node(t), a.node(t)
				id := a.save(t, first.Grants, login())
				time.Sleep(2 * time.Minute)
				first.stop(step, freeze, nil)
				go func() {
					time.Sleep(500 * time.Millisecond)
					if step == "before delete" {
						a.save(t, second.Grants, login()) // the same refresh token again
					}
					second.Handle(id).Token(t.Context())
				}()
				if _, err := first.Handle(id).Token(t.Context()); err != nil {
					t.Errorf("Token: %v", err)
				}
				wantToken(t, second.Grants, id, "")
			})
		})
	}
}

// TestDeletedBeforeTheLease: the grant was deleted after it was read.
func TestDeletedBeforeTheLease(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		n := a.node(t)
		id := a.save(t, n.Grants, login())
		time.Sleep(2 * time.Minute)
		key := n.created[0]
		n.stop("before take", time.Second, nil)
		time.AfterFunc(time.Second/2, func() { a.store.Delete(t.Context(), key, 0) })
		wantToken(t, n.Grants, id, "grant.ended")
		// A login that finds the grant of an earlier one, which is then deleted.
		a.save(t, n.Grants, login())
		n.stop("before load", time.Second, nil)
		time.AfterFunc(time.Second/2, func() { a.store.Delete(t.Context(), key, 0) })
		token(t, n.Grants, a.save(t, n.Grants, login()), "at-0")
	})
}

// TestUnknownKey: an instance that lacks the newest key ends the renewal with
// that error, before and after it has sent.
func TestUnknownKey(t *testing.T) {
	for _, step := range []string{"before take", "after send"} {
		t.Run(step, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, _ := newWorld(t, 0)
				first, second := a.node(t), a.node(t, withKeys('n', 'g'))
				id := a.save(t, first.Grants, login())
				time.Sleep(2 * time.Minute)
				first.stop(step, 2*time.Second, nil)
				time.AfterFunc(1500*time.Millisecond, func() { a.save(t, second.Grants, login()) })
				wantToken(t, first.Grants, id, "grant.sealed")
				if err := first.Close(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestNoResult: callers do not wait for ever for a holder that never ends, or
// for a store that hangs.
func TestNoResult(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		n := a.node(t)
		id := a.save(t, n.Grants, login())
		time.Sleep(2 * time.Minute)
		extend := func() {
			a.store.Swap(t.Context(), n.created[0], grant.Swap{Owner: "other", Lease: 5 * time.Second})
		}
		extend()
		// The first Load passes.
		time.AfterFunc(10*time.Millisecond, func() { n.stop("before load", 4*time.Second, nil) })
		e := wantToken(t, n.Grants, id, "grant.store")
		if e == nil || !errors.Is(e, authcode.Overloaded) {
			t.Errorf("got %v", e)
		}
		go func() {
			for range 40 {
				extend()
				time.Sleep(time.Second)
			}
		}()
		time.Sleep(time.Millisecond)
		began := time.Now()
		wantToken(t, n.Grants, id, "grant.wait")
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second {
			t.Errorf("the caller waited for %v", took)
		}
		time.Sleep(time.Minute)
	})
}

// TestRefusedLongAgo: a token that was refused before the last renewal costs
// none. An option that the provider does not like ends nothing.
func TestRefusedLongAgo(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, endsWith("bad_refresh_token"))
		g := a.instance(t)
		id := a.save(t, g, login())
		if _, err := g.Handle(id).Renew(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		got, err := g.Handle(id).Renew(t.Context(), &oauth2.Token{AccessToken: "at-0"})
		world.WantToken(t, got, err, "at-1")
		a.provider.WantRequests(t, 1)
		a.provider.Answer = world.Always(400, `{"error":"bad_refresh_token"}`)
		if _, err := g.Handle(id).Token(t.Context(), grant.Resource("https://api.example")); err == nil {
			t.Error("Token succeeds")
		}
		token(t, g, id, "at-1")
	})
}
