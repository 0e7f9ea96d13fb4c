package session

import (
	"context"
	"errors"
	"time"

	"example.com/authcode/grant"
)

// end ends a session, and its grant unless that is kept or another session has
// it. If it returns an error, the session is still there, so that calling it
// again ends both.
func (s *Sessions) end(ctx context.Context, o *opened, why Why) error {
	if err := s.remove(ctx, o, why == BySignOut && s.cfg.RevokeAtSignOut); err != nil {
		return err
	}
	s.observe(ctx, Event{Kind: Ended, Why: why, Provider: o.Provider})
	return nil
}

// remove is end without an event. It goes on when the caller goes away.
func (s *Sessions) remove(ctx context.Context, o *opened, revoke bool) error {
	// The grant first: without the session, nothing would lead to it.
	ended, err := s.endGrant(ctx, o, revoke)
	if err != nil {
		return err
	}
	err = s.detached(ctx, func(ctx context.Context) error {
		err := s.cfg.Store.Delete(ctx, o.record.Key, 0)
		s.cache.Drop(o.record.Key)
		if err != nil {
			return s.storeFailed(ctx, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	// Two sessions of one grant that end at once have each seen the other one.
	// The session has ended by now, whatever becomes of the grant.
	for tries := 0; tries < 3 && !ended && !o.Keep; tries++ {
		if _, err := s.endGrant(ctx, o, revoke); err == nil {
			break
		}
	}
	return nil
}

// endGrant ends the grant of a session, unless it is kept or another session has
// it.
func (s *Sessions) endGrant(ctx context.Context, o *opened, revoke bool) (ended bool, err error) {
	if o.Keep {
		return false, nil
	}
	isShared := false
	err = s.detached(ctx, func(ctx context.Context) (err error) {
		isShared, err = s.isShared(ctx, o)
		return err
	})
	if err != nil || isShared {
		return false, err
	}
	ctx = context.WithValue(ctx, endingKey{}, true)
	g := s.grants.Handle(o.Grant)
	if revoke {
		s.detached(ctx, g.Revoke) // if the provider does not answer, the tokens expire there
	}
	return true, s.detached(ctx, g.Delete)
}

// errShared ends a search for sessions.
var errShared = errors.New("another session has the grant")

// isShared reports whether another session has the grant of o.
func (s *Sessions) isShared(ctx context.Context, o *opened) (bool, error) {
	// Two records tell enough: at most one of them is that of o. There may be
	// thousands, because a person can sign in again and again. If the end of each
	// session read all the others, an End of a thousand would read a million
	// records.
	const limit = 2
	err := s.each(ctx, limit, grant.ByGrant, []string{"grant", o.Grant}, func(other *opened) error {
		if other.record.Key == o.record.Key {
			return nil
		}
		return errShared
	})
	if errors.Is(err, errShared) {
		return true, nil
	}
	return false, err
}

// endingKey marks the context in which a session ends its grant.
type endingKey struct{}

// grantEnded ends the sessions of a grant that has ended by itself, so that the
// next request finds none. If the store fails here, they end with the next use of
// a token.
func (s *Sessions) grantEnded(ctx context.Context, id string) {
	if ctx.Value(endingKey{}) != nil {
		return
	}
	s.detached(ctx, func(ctx context.Context) error {
		about := []string{"grant", id}
		return s.each(ctx, pageSize, grant.ByGrant, about, func(o *opened) error {
			// Where logins share a grant, one may have saved it again by now.
			if _, err := s.grants.Open(ctx, id); !isEnded(err) {
				return nil
			}
			return s.end(ctx, o, ByGrant)
		})
	})
}

// isEnded reports whether err says that a grant has ended. That no key opens it
// is no reason to end anything: after a rollback of Config.Keys, other instances
// can open it.
func isEnded(err error) bool {
	return grant.HasEnded(err) && !isSealed(err)
}

// detached calls do with a context that does not end with the caller: who has
// gone away must not leave half a sign-out behind.
func (s *Sessions) detached(ctx context.Context, do func(context.Context) error) error {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	err := do(own)
	if err != nil && own.Err() != nil {
		return s.storeFailed(ctx, own.Err()) // do takes it for the caller's end
	}
	return err
}
