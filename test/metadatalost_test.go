package test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// lostMetadata are requests for which the provider's metadata can no longer be
// loaded, or not when the provider has answered.
var lostMetadata = []struct {
	claim string
	after int // how many requests the provider answers before
	ask   func(t *testing.T, c *authcode.Client, l *world.Pending) error
}{
	{"a plain response is refused", 0,
		func(_ *testing.T, c *authcode.Client, l *world.Pending) error {
			_, err := l.Exchange(c)
			return err
		}},
	{"a signed response is refused", 0,
		func(_ *testing.T, c *authcode.Client, l *world.Pending) error {
			_, err := l.Exchange(c, "response", signed(l))
			return err
		}},
	{"a request of the app's own is not sent", 0,
		func(t *testing.T, c *authcode.Client, _ *world.Pending) error {
			resp, err := c.PostForm(t.Context(), world.RevocationURL, "", nil)
			if err == nil {
				resp.Body.Close()
			}
			return err
		}},
	{"it is not known whether a token comes from here", 0,
		func(t *testing.T, c *authcode.Client, _ *world.Pending) error {
			_, err := c.ClientFor(t.Context(), authcode.Origin{Issuer: world.Issuer})
			return err
		}},
	{"a token of one of several servers is not refreshed", 0,
		func(t *testing.T, c *authcode.Client, l *world.Pending) error {
			_, err := c.Refresh(t.Context(), tokenOf(t, away))
			return err
		}},
	{"a refreshed token is not given out", 1,
		func(t *testing.T, c *authcode.Client, _ *world.Pending) error {
			_, err := c.Refresh(t.Context(), bothTokens)
			return err
		}},
}

// TestMetadataIsLost between the start of a login and what comes after it.
func TestMetadataIsLost(t *testing.T) {
	for _, row := range lostMetadata {
		t.Run(row.claim, func(t *testing.T) {
			var down atomic.Bool
			p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
				down.Store(true)
				return world.Reply(200, world.TokenJSON), nil
			}}
			find := func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
				if down.Load() {
					return authcode.Endpoints{}, errors.New("canary")
				}
				return world.Endpoints(), nil
			}
			m := &messages{signed: row.claim == "a signed response is refused"}
			c := world.Client(t, p, world.LookedUp(find), twoServers, m.signing)
			l := world.Begin(t, c, nil)
			down.Store(row.after == 0)
			world.WantError(t, row.ask(t, c, l), authcode.Unreachable, "metadata")
			p.WantRequests(t, row.after)
		})
	}
}
