package grant_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/seal"
	"example.com/authcode/test/world"
)

// rewrite replaces text in what the record of n's first grant holds, and seals
// it again, as another version of the app could.
func (a *app) rewrite(t *testing.T, n *node, old, replacement string) {
	t.Helper()
	ring, _ := seal.NewRing([][]byte{world.Key('g')})
	r, err := a.store.Load(t.Context(), n.created[0], 0)
	if err != nil {
		t.Fatal(err)
	}
	at := seal.Record{Kind: r.Kind, ID: r.ID, Version: r.Version}
	plain, ok := ring.Open(at, r.Data)
	if !ok || !strings.Contains(string(plain), old) {
		t.Fatalf("the record does not have %s", old)
	}
	at.Version++
	r.Content.Data = ring.Seal(at, []byte(strings.ReplaceAll(string(plain), old, replacement)))
	if _, err := a.store.Swap(t.Context(), r.Key, grant.Swap{Version: r.Version, Content: &r.Content}); err != nil {
		t.Fatal(err)
	}
}

// TestUnreadableToken: a stored token that cannot be read is not sent, neither
// for a renewal nor to revoke it.
func TestUnreadableToken(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		n := a.node(t)
		id := a.save(t, n.Grants, login())
		a.rewrite(t, n, `"access_token":"at-0"`, `"access_token":" "`)
		wantToken(t, n.Grants, id, "token.stored", grant.Resource("https://api.example"))
		err := n.Handle(id).Revoke(t.Context())
		world.WantError(t, err, authcode.Malformed, "token.stored")
		a.provider.WantRequests(t, 0)
	})
}

// TestUnstorableClaims: an answer whose claims cannot be stored does not replace
// what the grant has.
func TestUnstorableClaims(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t, func(c *authcode.Config) {
			c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				return &authcode.Identity{Issuer: world.Issuer, Subject: "alice",
					Claims: map[string]any{"x": make(chan int)}}, nil
			}
		})
		g := a.instance(t)
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		wantToken(t, g, id, "grant.claims")
		info, err := g.Handle(id).Info(t.Context())
		if err != nil || info.Identity.Email != "alice@example.com" {
			t.Errorf("Info: %v, %v", info.Identity, err)
		}
	})
}

// TestLostLoads: a record that could not be read decides nothing: no second one
// is made for the same refresh token, and no grant ends.
func TestLostLoads(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, p := newWorld(t, 0)
		n, rotated := a.node(t), a.node(t, withKeys('n', 'g'))
		id := a.save(t, n.Grants, login())
		rotated.stop("after load", 0, errLost)
		_, err := rotated.Save(t.Context(), a.client, login())
		if !errors.Is(err, errLost) || len(rotated.created) > 0 {
			t.Errorf("Save: %v, and %d records", err, len(rotated.created))
		}
		time.Sleep(2 * time.Minute)
		p.ended = true
		time.AfterFunc(700*time.Millisecond, func() { n.stop("after load", 0, errLost) })
		wantToken(t, n.Grants, id, "grant.store")
		_, err = n.Handle(id).Info(t.Context())
		wantLife(t, "the grant", err, true)
	})
}
