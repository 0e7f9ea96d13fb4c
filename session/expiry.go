package session

import (
	"context"
	"errors"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

// renewed applies the session_expiry of a renewed ID token (IPSIE) to the
// sessions of the grant: that is how a provider shortens a session, or lengthens
// it up to Config.Lifetime. If the store fails here, the next renewal does it.
func (s *Sessions) renewed(ctx context.Context, id string, identity *authcode.Identity) {
	if _, present := identity.Claims["session_expiry"]; !present {
		return
	}
	s.detached(ctx, func(ctx context.Context) error {
		var found []*opened
		about := []string{"grant", id}
		err := s.each(ctx, pageSize, grant.ByGrant, about, func(o *opened) error {
			found = append(found, o)
			return nil
		})
		// If the search ended early, there may be others that have the grant. And one
		// session that cannot be moved must not keep the others from ending earlier.
		isShared := err != nil || len(found) > 1
		for _, o := range found {
			err = errors.Join(err, s.moveEnd(ctx, o, isShared))
		}
		return err
	})
}

// moveEnd moves the end of a session to what its grant says. isShared says that
// others have the same grant.
func (s *Sessions) moveEnd(ctx context.Context, o *opened, isShared bool) error {
	client, err := s.clientOf(ctx, o.Origin)
	if err != nil {
		return err
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return err
	}
	isOver, key := false, o.record.Key
	o, err = s.change(ctx, key, func(o *opened) bool {
		// The grant is read after the session. If a later renewal has changed the
		// session in between, this change is in conflict and begins again.
		info, _ := s.grants.Handle(o.Grant).Info(ctx) // empty if that fails
		if info.Identity == nil {
			return false // without its grant, the session ends anyway
		}
		life, ok := s.newLife(ctx, o, info.Identity.Claims, conn.Config.Clock.Now(), isShared)
		// A write for each renewal would be wasted: clocks differ by more.
		if !ok || (life-o.life()).Abs() < time.Second {
			return false
		}
		if isOver = life <= o.signedIn(); isOver {
			return false
		}
		o.Life = life.Milliseconds()
		return true
	})
	if err == nil && o != nil && isOver {
		return s.remove(ctx, o, false) // without an event, as when it expires
	}
	return err
}

// newLife returns how long the session can last from the sign-in on, by these
// claims, and whether they are about this session.
func (s *Sessions) newLife(
	ctx context.Context, o *opened, claims map[string]any, now time.Time, isShared bool,
) (life time.Duration, ok bool) {
	// Sessions that share a grant may be different ones at the provider.
	sid, _ := claims["sid"].(string)
	if sid != "" && o.SID != "" && sid != o.SID {
		return 0, false
	}
	at, ok := claimTime(claims["session_expiry"])
	if !ok {
		s.observe(ctx, Event{Kind: Failed, Provider: o.Provider, Err: errExpiry()})
		return 0, false
	}
	// The inner bound keeps the sum in range: no year is too far for a claim.
	life = min(s.cfg.Lifetime, min(s.cfg.Lifetime, at.Sub(now))+o.signedIn())
	if isShared && sid == "" {
		// Nothing says whose it is. What is later may be another session's.
		life = min(life, o.life())
	}
	return life, true
}
