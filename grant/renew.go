package grant

import (
	"context"
	"errors"
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
		isHeld, wait := f.last.isHeld(), f.last.wait()
		t, state := f.last.usable(f.want, f.refused)
		// A token that is about to expire is good enough where a new one would
		// have to be waited for.
		if state == good || state == ageing && (isHeld || wait > 0) {
			return t, nil
		}
		if err := f.last.cannotRenew(f.want); err != nil {
			return nil, err
		}
		switch {
		case wait > 0:
			return nil, later(checkWait, "the last renewal failed, and the next one may "+
				"not begin yet: RetryAfter says when, and the error of the last one says why", f.provider, wait)
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
	once, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	o, err := f.g.load(once, f.key)
	switch {
	case err == nil:
		f.last = o
	case once.Err() != nil && !errors.Is(err, authcode.GrantRejected):
		return storeError(ctx, once.Err()) // the store is slow, and no caller has left
	}
	return err
}

// swap changes the record. If another instance was faster, it returns
// ErrConflict, and f.last is the record as it is now.
func (f *flight) swap(ctx context.Context, s Swap) error {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	s.Owner = f.owner
	asked := time.Now()
	r, err := f.g.cfg.Store.Swap(ctx, f.key, s)
	if err != nil && !errors.Is(err, ErrConflict) {
		return err
	}
	o, openErr := f.g.open(f.key, r, asked)
	if openErr != nil {
		return openErr
	}
	f.last = o
	f.g.cache.Put(f.key, o, len(r.Data), o.asked)
	return err
}

// hold takes the lease and renews with the record that this returns.
func (f *flight) hold(ctx context.Context) (*oauth2.Token, error) {
	before, began := f.last.record, time.Now()
	if err := f.swap(ctx, Swap{Version: before.Version, Lease: leaseTime}); err != nil {
		return nil, f.noLease(ctx, err)
	}
	f.kept = f.keepLease(ctx)
	defer f.kept.stop()
	f.report(ctx, before.Lease)
	patient, cancel := newBudget(ctx, requestTime)
	defer cancel()
	client, err := f.g.client(patient, f.last.Origin)
	var conn *authcode.Connection
	if err == nil {
		conn, err = connectionFor(patient, client, f.last.Origin)
	}
	switch {
	// The app says that the tenant is gone, or has another provider now. Nothing
	// was sent.
	case HasEnded(err):
		return nil, f.end(ctx, client, f.last, &oauth2.Token{RefreshToken: f.last.Refresh}, err)
	case err != nil:
		return nil, f.giveUp(ctx, f.last, err)
	}
	// If the former holder has an answer that the store did not take, because it
	// was away, it saves now. Sending the old refresh token would be a reuse.
	if before.Lease.Owner != "" {
		time.Sleep(2 * maxPause)
	}
	// Before it sends, a holder makes sure of the rest of its lease: this
	// process may have been stopped since it took it.
	if time.Since(began) > leaseTime/8 {
		if err := f.swap(ctx, Swap{Version: f.last.record.Version, Lease: leaseTime}); err != nil {
			return nil, f.noLease(ctx, err)
		}
	}
	return f.send(ctx, patient, client, conn)
}

// noLease says why the lease could not be taken or extended before anything was
// sent.
func (f *flight) noLease(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, ErrConflict):
		return errOvertaken
	case errors.Is(err, ErrNotFound):
		return errEnded(f.provider)
	case errors.Is(err, authcode.GrantRejected):
		return err // it does not open
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
