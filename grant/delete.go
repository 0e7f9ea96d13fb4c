package grant

import (
	"cmp"
	"context"
	"errors"

	"example.com/authcode"
)

// Delete ends the grant here, in all instances. The provider is not told: see
// [Grant.Revoke]. A grant that has ended is deleted.
func (g *Grant) Delete(ctx context.Context) error {
	g.mu.Lock()
	g.loaded = nil
	g.mu.Unlock()
	err := g.grants.cfg.Store.Delete(ctx, g.key, 0)
	g.grants.cache.Drop(g.key)
	if err != nil {
		return storeError(ctx, err)
	}
	g.grants.cfg.Ended(ctx, g.ID())
	return nil
}

// Revoke deletes the grant and revokes its refresh token at the provider, or
// its access tokens if there is none; see [authcode.Client.Revoke]. A renewal
// under way in another instance revokes what it gets. If the error is not nil,
// the grant is deleted all the same, unless the Store failed; the provider may
// still accept its tokens.
func (g *Grant) Revoke(ctx context.Context) error {
	o, readErr := g.grants.load(ctx, g.key)
	if err := g.Delete(ctx); err != nil {
		return err
	}
	if readErr != nil {
		if errors.Is(readErr, authcode.GrantRejected) {
			return nil // it has ended, or no key opens it
		}
		return readErr
	}
	client, err := g.grants.client(ctx, o.Origin)
	if err == nil {
		_, err = connectionFor(ctx, client, o.Origin)
	}
	if err != nil {
		return err
	}
	return revokeAll(ctx, client, o)
}

// revokeAll revokes the refresh token, or without one all access tokens. It
// returns the first error.
func revokeAll(ctx context.Context, client *authcode.Client, o *opened) (first error) {
	if o.Refresh != "" {
		// Some providers revoke a grant by its access token.
		t, err := o.Login.renewable(o.Refresh)
		if err != nil {
			return err
		}
		return client.Revoke(ctx, t)
	}
	for _, e := range append([]entry{o.Login}, o.More...) {
		if len(e.Token) == 0 {
			continue
		}
		t, err := e.token(o.age())
		if err == nil {
			err = client.Revoke(ctx, t)
		}
		first = cmp.Or(first, err)
	}
	return first
}
