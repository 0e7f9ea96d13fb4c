package grant

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const (
	// leaseTime is a third of the shortest time for which providers accept a
	// refresh token again, ten seconds. If its holder dies, another instance
	// can still repeat the request in time.
	leaseTime = 3 * time.Second

	// extendEvery is how often a holder extends its lease, for extendFor at
	// most.
	extendEvery = time.Second
	extendFor   = 20 * time.Second

	// requestTime is how long a holder waits for the provider.
	requestTime = 15 * time.Second

	// waitTime is how long a flight waits for another instance.
	waitTime = 30 * time.Second

	// maxWait bounds the growing time until the next try after a failure, and
	// maxRetryAfter what a provider may ask for.
	maxWait, maxRetryAfter = time.Minute, time.Hour

	minPause, maxPause = 25 * time.Millisecond, 250 * time.Millisecond
)

// errOvertaken and errDeleted say that the record is no longer the one whose
// refresh token was sent.
var (
	errOvertaken = errors.New("another instance has replaced the refresh token")
	errDeleted   = errors.New("the grant was deleted")
)

// renew returns a good token: its own or that of another instance.
func (f *flight) renew(ctx context.Context) (*oauth2.Token, error) {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		lease := &f.last.record.Lease
		isHeld := lease.Owner != "" && lease.Left > 0
		switch t, state := f.last.usable(f.want, f.refused); {
		// A token that is about to expire is good enough where a new one would
		// have to be waited for.
		case state == good, state == ageing && (isHeld || lease.Wait > 0):
			return t, nil
		case f.last.Refresh == "":
			return nil, f.last.noRefreshToken()
		case lease.Owner == "" && lease.Wait > 0:
			return nil, later(checkWait, "the last renewal failed, and the next one may not begin yet",
				f.provider, lease.Wait)
		case time.Since(f.began) > waitTime:
			return nil, later(checkWait, "another instance has been renewing this token for too long",
				f.provider, time.Second)
		case isHeld:
			// Another instance is at it. Its result is what counts, so look at
			// the record and do not queue for the lease.
			time.Sleep(pause)
			if err := f.reload(ctx); err != nil {
				return nil, err
			}
			continue
		}
		t, err := f.hold(ctx)
		if !errors.Is(err, errOvertaken) {
			return t, err
		}
	}
}

// reload reads the record again.
func (f *flight) reload(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTime)
	defer cancel()
	o, err := f.g.load(ctx, f.key)
	if err == nil {
		f.last = o
	}
	return err
}

// swap changes the record. If another instance was faster, it returns
// ErrConflict, and f.last is the record as it is now.
func (f *flight) swap(ctx context.Context, s Swap) error {
	ctx, cancel := context.WithTimeout(ctx, leaseTime)
	defer cancel()
	s.Owner = f.owner
	asked := time.Now()
	r, err := f.g.cfg.Store.Swap(ctx, f.key, s)
	if err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	o, openErr := f.g.open(r, asked)
	if openErr != nil {
		return openErr
	}
	f.last = o
	f.g.cache.put(o)
	return err
}

// hold takes the lease and renews with the record that this returns.
func (f *flight) hold(ctx context.Context) (*oauth2.Token, error) {
	before, asked := f.last.record, time.Now()
	err := f.swap(ctx, Swap{Version: before.Version, Lease: leaseTime})
	switch {
	case errors.Is(err, ErrConflict):
		return nil, errOvertaken
	case errors.Is(err, ErrNotFound):
		return nil, errEnded(f.provider)
	case err != nil:
		return nil, storeError(ctx, err)
	}
	client, err := f.g.cfg.Clients(ctx, f.last.Origin)
	if err != nil {
		return nil, f.giveUp(ctx, f.last, foreign(err))
	}
	f.report(ctx, before.Lease)
	// If the former holder has an answer that the store did not take, because it
	// was away, it saves now. Sending the old refresh token would be a reuse.
	if before.Lease.Owner != "" {
		time.Sleep(2 * maxPause)
	}
	// Before it sends, a holder makes sure of the rest of its lease: this
	// process may have been stopped since it took it.
	if time.Since(asked) > leaseTime/8 {
		if err := f.swap(ctx, Swap{Version: f.last.record.Version, Lease: leaseTime}); err != nil {
			return nil, f.lostLease(ctx, err)
		}
	}
	f.kept = f.keepLease(ctx)
	defer f.kept.stop()
	return f.send(ctx, client)
}

// lostLease says why the lease could not be extended before anything was sent.
func (f *flight) lostLease(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrConflict):
		return errOvertaken
	case errors.Is(err, ErrNotFound):
		return errEnded(f.provider)
	}
	return storeError(ctx, err)
}

// report tells the app what the record says about attempts before this one.
func (f *flight) report(ctx context.Context, before Lease) {
	if before.Owner != "" {
		f.observe(ctx, TakenOver, nil)
	}
	if f.last.record.Lease.Tries > 1 {
		f.observe(ctx, Retried, nil)
	}
}

// send redeems the refresh token of the record that the lease came with, once,
// and stores what it gets.
func (f *flight) send(ctx context.Context, client *authcode.Client) (*oauth2.Token, error) {
	sent := f.last
	t, w, err := sent.spend(f.want)
	if err != nil {
		return nil, f.giveUp(ctx, sent, err)
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return nil, f.giveUp(ctx, sent, err)
	}
	patient, cancel := newBudget(ctx, requestTime)
	defer cancel()
	got := t // what to revoke if the grant has been deleted
	fresh, identity, err := client.Renew(patient, t, func(_ context.Context, unchecked *oauth2.Token) error {
		got = unchecked
		return f.save(ctx, sent.Refresh, pendingChange(conn, w, unchecked))
	}, w.options()...)
	if err == nil {
		got = fresh
		err = f.save(ctx, sent.Refresh, checkedChange(conn, w, fresh, identity, sent))
	}
	switch {
	case errors.Is(err, errOvertaken):
		f.observe(ctx, Overtaken, nil)
		return nil, err
	case errors.Is(err, errDeleted):
		revoke(ctx, client, got)
		return nil, errEnded(f.provider)
	case err != nil && ends(conn, err):
		return nil, f.end(ctx, client, sent, got, err)
	case err != nil:
		return nil, f.giveUp(ctx, sent, err)
	}
	f.observe(ctx, Renewed, nil)
	if identity != nil && f.g.cfg.Renewed != nil {
		f.g.cfg.Renewed(ctx, f.last.ID, identity)
	}
	return f.last.find(w).token(f.last.age())
}

// spend returns the token to renew, and for which want: that of the renewal
// whose answer was not checked yet, or w.
func (o *opened) spend(w want) (*oauth2.Token, want, error) {
	if o.Pending != nil {
		t, err := authcode.UnmarshalToken(o.Pending.Token)
		return t, o.Pending.For, err
	}
	t, err := o.Login.token(o.age())
	if err != nil {
		return nil, w, err
	}
	t.RefreshToken = o.Refresh
	return t, w, nil
}

// ends reports whether a renewal failed in a way that ends the grant: the
// provider has refused the refresh token, or answered with another person's
// tokens. Many codes mean a dead grant at one provider and a mistake of the app
// at another, so the preset says which.
func ends(conn *authcode.Connection, err error) bool {
	var e *authcode.Error
	if !errors.As(err, &e) || !e.Final {
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
	lease := f.last.record.Lease
	isOthers := lease.Owner != f.owner && lease.Owner != "" && lease.Left > 0
	if f.last.Refresh != current || isOthers {
		return errOvertaken
	}
	switch failed := f.g.cfg.Store.Delete(ctx, f.key, f.last.record.Version); {
	case errors.Is(failed, ErrConflict):
		return errOvertaken
	case failed != nil:
		return storeError(ctx, failed)
	}
	f.g.cache.drop(f.key)
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
	if f.kept != nil {
		f.kept.stop()
	}
	wait := time.Second << min(max(sent.record.Lease.Tries-1, 0), 6)
	wait = min(wait, maxWait)
	var e *authcode.Error
	if errors.As(err, &e) {
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

// foreign makes an error of Config.Clients one of this package's.
func foreign(err error) error {
	var e *authcode.Error
	if errors.As(err, &e) {
		return err
	}
	return authcode.NewError(authcode.Configuration, checkClient, "Config.Clients failed", err)
}

// revoke revokes a token that nobody will use. If that fails, nobody has the
// token.
func revoke(ctx context.Context, client *authcode.Client, t *oauth2.Token) {
	if t != nil {
		client.Revoke(ctx, t)
	}
}
