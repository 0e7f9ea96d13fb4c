package grant_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// notFound is metadata that is out of reach.
func notFound(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
	return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "app.down", "down", nil)
}

// clients are functions of a Config that return no Client, or one that the
// grant does not belong to.
var clients = map[string]struct {
	change func(*authcode.Config) // nil: the function fails
	check  string
}{
	"the function fails":           {nil, "grant.client"},
	"a Client of another app":      {func(c *authcode.Config) { c.ClientID = "other" }, "grant.client"},
	"its provider is out of reach": {world.LookedUp(notFound), "app.down"},
}

// TestNoClient: without the Client of the grant, no token is sent anywhere. The
// grant stays until it is revoked.
func TestNoClient(t *testing.T) {
	for name, c := range clients {
		t.Run(name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				failed := &net.DNSError{Err: "no such host", Name: "db.example"}
				a := newApp(t)
				g := a.instance(t, func(cfg *grant.Config) {
					cfg.Clients = func(context.Context, grant.Origin) (*authcode.Client, error) {
						if c.change == nil {
							return nil, failed
						}
						return world.Client(t, a.provider, c.change), nil
					}
				})
				id := a.save(t, g, login())
				time.Sleep(2 * time.Minute)
				e := wantToken(t, g, id, c.check)
				_, err := g.Handle(id).APIClient(t.Context(), world.Issuer)
				if c.change == nil && (!errors.Is(e, failed) || !errors.Is(err, failed)) {
					t.Errorf("Token: %v, APIClient: %v; want the function's error", e, err)
				}
				_, err = g.Handle(id).Info(t.Context())
				wantLife(t, "the grant", err, true)
				if err := g.Handle(id).Revoke(t.Context()); !errors.As(err, &e) || e.Check != c.check {
					t.Errorf("Revoke: %v, want the check %s", err, c.check)
				}
				wantToken(t, g, id, "grant.ended")
				a.provider.WantRequests(t, 0)
			})
		})
	}
}

// TestClientIsFoundOnce: a provider that is out of reach is not asked again for
// the grants of another one. What that one then says about itself is the answer.
func TestClientIsFoundOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		var asked atomic.Int32
		var isGone atomic.Bool
		down := world.Client(t, a.provider, world.LookedUp(
			func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
				asked.Add(1)
				return notFound(ctx, conn)
			}))
		up := world.Client(t, a.provider, world.LookedUp(
			func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
				if isGone.Load() {
					return notFound(ctx, conn)
				}
				return world.Endpoints(), nil
			}))
		g := a.instance(t, func(c *grant.Config) { c.Clients = grant.Clients(down, up) })
		id := a.save(t, g, login())
		for _, want := range []string{"at-1", "at-2"} {
			time.Sleep(2 * time.Minute)
			token(t, g, id, want)
		}
		time.Sleep(2 * time.Minute)
		isGone.Store(true)
		wantToken(t, g, id, "app.down")
		if n := asked.Load(); n != 1 {
			t.Errorf("the provider that is out of reach was asked %d times, want once", n)
		}
	})
}

// TestAppEndsGrant: the app says that the Client of a grant is gone for good.
func TestAppEndsGrant(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		var told atomic.Int32
		g := a.instance(t, func(c *grant.Config) {
			c.Clients = func(context.Context, grant.Origin) (*authcode.Client, error) {
				e := authcode.NewError(authcode.GrantRejected, "app.gone", "the tenant is gone", nil)
				e.Final = true
				return nil, e
			}
			c.Ended = func(context.Context, string) { told.Add(1) }
		})
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		wantToken(t, g, id, "app.gone")
		wantToken(t, g, id, "grant.ended")
		if told.Load() != 1 {
			t.Errorf("the hook was told %d times, want once", told.Load())
		}
		a.provider.WantRequests(t, 0)
	})
}
