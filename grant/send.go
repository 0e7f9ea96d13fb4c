package grant

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// send redeems the refresh token of the record that the lease came with, once,
// and stores what it gets.
func (f *flight) send(
	ctx, patient context.Context, client *authcode.Client, conn *authcode.Connection,
) (*oauth2.Token, error) {
	sent := f.last
	t, got, err := sent.spend(f.want)
	if err != nil {
		return nil, f.giveUp(ctx, sent, err)
	}
	save := func(_ context.Context, unchecked *oauth2.Token) error {
		got.token, got.came = unchecked, conn.Config.Clock.Now()
		return f.save(ctx, sent.Refresh, pendingChange(conn, got))
	}
	fresh, identity, err := client.Renew(patient, t, save, got.options()...)
	if err == nil {
		if got.token, got.identity = fresh, identity; got.came.IsZero() {
			got.came = conn.Config.Clock.Now()
		}
		err = f.save(ctx, sent.Refresh, checkedChange(conn, got, sent))
	}
	switch {
	case errors.Is(err, errOvertaken):
		// The answer is dropped and not revoked: many servers (Keycloak,
		// oidc-provider, Hydra) end the whole grant when one of its refresh
		// tokens is revoked, also the token that has replaced this one.
		f.observe(ctx, Overtaken, nil)
		return nil, err
	case errors.Is(err, errDeleted):
		revoke(ctx, client, got.token)
		return nil, errEnded(f.provider)
	case err != nil && ends(conn, err):
		return nil, f.end(ctx, client, sent, got.token, err)
	case err != nil:
		return nil, f.giveUp(ctx, sent, err)
	}
	return f.renewed(ctx, got.want, identity)
}

// renewed tells the app about a renewal, and returns the token for f.want.
func (f *flight) renewed(
	ctx context.Context, w want, identity *authcode.Identity,
) (*oauth2.Token, error) {
	f.observe(ctx, Renewed, nil)
	if identity != nil && f.g.cfg.Renewed != nil {
		f.g.cfg.Renewed(ctx, f.last.ID, copyIdentity(identity))
	}
	// The token that another instance had left unchecked may be for another API.
	// Nobody else may see it. So look at the record again.
	if w != f.want {
		return nil, errOvertaken
	}
	return f.last.find(w).token(f.last.age())
}

// spend returns the token to renew, and what is known of the answer: it is for
// w, or an unchecked one that is there.
func (o *opened) spend(w want) (*oauth2.Token, answer, error) {
	if p := o.Pending; p != nil {
		t, err := authcode.UnmarshalToken(p.Token)
		return t, answer{want: p.For, token: t, came: p.Came}, err
	}
	t, err := o.Login.renewable(o.Refresh)
	return t, answer{want: w, token: t}, err
}

// ends reports whether a renewal failed in a way that ends the grant: the
// provider has refused the refresh token, or answered with another person's
// tokens. Many codes mean a dead grant at one provider and a mistake of the app
// at another, so the preset says which.
func ends(conn *authcode.Connection, err error) bool {
	e, ok := errors.AsType[*authcode.Error](err)
	if !ok || !e.Final {
		return false
	}
	return e.Reason == authcode.IdentityRefused || e.ServerError == "invalid_grant" ||
		slices.Contains(conn.Config.Provider.EndsGrant, e.ServerError)
}

// end deletes a grant whose refresh token was refused. It returns err, or
// errOvertaken if another instance has a newer refresh token.
func (f *flight) end(
	ctx context.Context, client *authcode.Client, sent *opened, got *oauth2.Token, err error,
) error {
	f.kept.stop()
	// Nothing but a refusal of the current token ends a grant. Another instance
	// may have replaced it in the meantime, or be about to.
	current := f.last.Refresh
	if err := f.reload(ctx); err != nil {
		return err
	}
	isOthers := f.last.isHeld() && f.last.record.Lease.Owner != f.owner
	if f.last.Refresh != current || isOthers {
		return errOvertaken
	}
	once, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	switch failed := f.g.cfg.Store.Delete(once, f.key, f.last.record.Version); {
	case errors.Is(failed, ErrConflict):
		return errOvertaken
	case failed != nil:
		return storeError(ctx, failed)
	}
	f.g.cache.Drop(f.key)
	f.g.cfg.Ended(ctx, f.last.ID)
	// The provider gave somebody else's token.
	if got.RefreshToken != sent.Refresh {
		revoke(ctx, client, got)
	}
	if sent.record.Lease.Tries > 1 {
		f.observe(ctx, Lost, err)
	} else {
		f.observe(ctx, Refused, err)
	}
	return err
}

// giveUp gives the lease up after a failure that may pass, and keeps everybody
// from trying again for a while, in all instances together. It returns err.
func (f *flight) giveUp(ctx context.Context, sent *opened, err error) error {
	f.kept.stop()
	wait := time.Second << min(max(sent.record.Lease.Tries-1, 0), 6)
	wait = min(wait, maxWait)
	if e, ok := errors.AsType[*authcode.Error](err); ok {
		wait = max(wait, min(e.RetryAfter, maxRetryAfter))
		// A wrong option must not keep the renewals of the login waiting.
		if e.Reason == authcode.Configuration && f.want != (want{}) {
			wait = time.Second
		}
	}
	f.observe(ctx, outcomeOf(err), err)
	// If the store is away, the lease runs out, and the next one takes it.
	f.swap(ctx, Swap{Lease: 0, Wait: wait})
	return err
}

// outcomeOf says what a failure that may pass means for the refresh token.
func outcomeOf(err error) Outcome {
	for _, reason := range []authcode.Reason{
		authcode.Timeout, authcode.Unreachable, authcode.BadAnswer, authcode.Overloaded,
	} {
		if errors.Is(err, reason) {
			return InDoubt
		}
	}
	return Failed
}

// revoke revokes a token that nobody will use. If that fails, nobody has the
// token.
func revoke(ctx context.Context, client *authcode.Client, t *oauth2.Token) {
	if t != nil {
		client.Revoke(ctx, t)
	}
}
