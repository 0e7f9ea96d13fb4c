package session

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

const (
	// markTime is longer than any login takes.
	markTime = 15 * time.Minute

	// skew is how far the clocks of two instances may be apart.
	skew = time.Minute
)

// End ends sessions, in all instances, with their next request: those of a
// person if sid is empty, the one with this sid (of an ID token) if subject is
// empty, or the one with this sid of this person. A login that began before is
// refused when it comes back. So is one that begins within the next minute,
// because the clocks of instances differ. Their grants are deleted, except those
// that [Session.Keep] was called for: the app deletes these itself. Only sessions
// of one tenant end: see [OfTenant].
//
// It is made for the handlers of package oidc:
//
//	oidc.BackChannelLogoutHandler(client, func(ctx context.Context, t oidc.LogoutToken) error {
//		return sessions.End(ctx, t.Issuer, t.Subject, t.SessionID)
//	})
//
// If it returns an error, some sessions may not have ended: call it again.
func (s *Sessions) End(
	ctx context.Context, issuer, subject, sid string, opts ...Option,
) error {
	// An empty one would mean everybody.
	if issuer == "" || subject == "" && sid == "" {
		return authcode.NewError(authcode.Configuration, "session.end",
			"End needs an issuer, and a subject or a sid: see EndAll", nil)
	}
	tenant := s.tenantFor(ctx, opts)
	if sid == "" {
		isMeant := func(c *content) bool { return c.Origin.Tenant == tenant }
		person := []string{"person", issuer, subject}
		return s.endMarked(ctx, withTenant(tenant, person...), grant.ByPerson, person, isMeant)
	}
	isMeant := func(c *content) bool {
		return c.Origin.Tenant == tenant && (subject == "" || c.Subject == subject)
	}
	about := []string{"sid", issuer, sid}
	return s.endMarked(ctx, withTenant(tenant, about...), grant.BySession, about, isMeant)
}

// EndAll is [Sessions.End] for everybody whom a provider has signed in, over all
// tenants.
func (s *Sessions) EndAll(ctx context.Context, issuer string) error {
	if issuer == "" {
		return authcode.NewError(authcode.Configuration, "session.end", "EndAll needs an issuer", nil)
	}
	about := []string{"issuer", issuer}
	return s.endMarked(ctx, about, grant.ByIssuer, about, nil)
}

// endMarked leaves a mark and then ends the sessions that are there: those about
// something that are meant, or all of them if isMeant is nil. A sign-in stores its
// session and then looks for marks, so in each order one of the two notices the
// other.
func (s *Sessions) endMarked(
	ctx context.Context, mark []string, index grant.Index, about []string,
	isMeant func(*content) bool,
) error {
	end := func() error {
		return s.each(ctx, pageSize, index, about, func(o *opened) error {
			if isMeant != nil && !isMeant(o.content) {
				return nil
			}
			return s.end(ctx, o, ByEnd)
		})
	}
	if s.mark(ctx, mark[0], mark[1:]...) != nil {
		// A store that is full takes no mark, but it deletes. That makes room.
		if err := end(); err != nil {
			return err
		}
		if err := s.mark(ctx, mark[0], mark[1:]...); err != nil {
			return err
		}
	}
	return end()
}

// pageSize is how many sessions are read at a time where all are needed.
const pageSize = 100

// each calls do with each session that is about this, a purpose and its parts,
// until do returns an error. It reads limit of them at a time.
func (s *Sessions) each(
	ctx context.Context, limit int, index grant.Index, about []string, do func(*opened) error,
) error {
	// The newest key comes last: a session that is changed meanwhile moves
	// there.
	for _, d := range slices.Backward(s.digests(about[0], about[1:]...)) {
		var after grant.ID
		for {
			asked := time.Now()
			found, err := s.cfg.Store.Find(ctx, kind, index, d, after, limit)
			if err != nil {
				return s.storeFailed(ctx, err)
			}
			before := after
			for _, r := range found {
				after = r.ID
				o := s.open(ctx, r.Key, r, asked)
				// What does not open, no request can open either. What is about
				// something else, the store has mixed up.
				if o == nil || !slices.Equal(o.about(index), about) {
					continue
				}
				if err := do(o); err != nil {
					return err
				}
			}
			// A store that answers with the same page again would hold this up.
			if len(found) < limit || bytes.Compare(after[:], before[:]) <= 0 {
				break
			}
		}
	}
	return nil
}

// markKeys returns the keys that a mark may have, the newest first.
func (s *Sessions) markKeys(purpose string, parts ...string) (keys []grant.Key) {
	for _, sum := range s.ring.Reveal().Digests("mark "+purpose, parts...) {
		keys = append(keys, grant.Key{Kind: "mark", ID: grant.ID(sum)})
	}
	return keys
}

// mark notes in the store that sessions were ended now.
func (s *Sessions) mark(ctx context.Context, purpose string, parts ...string) error {
	key := s.markKeys(purpose, parts...)[0]
	c := grant.Content{Data: []byte{1}, Expires: markTime}
	for {
		err := s.cfg.Store.Create(ctx, grant.Record{Key: key, Version: newVersion(), Content: c})
		if !errors.Is(err, grant.ErrExists) {
			return s.marked(ctx, err)
		}
		r, err := s.loadMark(ctx, key)
		if err == nil {
			_, err = s.cfg.Store.Swap(ctx, key, grant.Swap{Version: r.Version, Content: &c})
		}
		switch {
		case errors.Is(err, grant.ErrNotFound):
			continue // it has expired in between
		case errors.Is(err, grant.ErrConflict):
			return nil // somebody else has marked it in this moment
		}
		return s.marked(ctx, err)
	}
}

// errMixedUp is the error of a store that answers with another record.
var errMixedUp = errors.New("the store has answered with another record than was asked for")

// loadMark reads a mark. Nothing in it is sealed, so its key alone says whether a
// store or a connection has mixed up answers. An older mark in the place of a
// newer one would let a login through that End has refused.
func (s *Sessions) loadMark(ctx context.Context, key grant.Key) (grant.Record, error) {
	r, err := s.cfg.Store.Load(ctx, key, 0)
	if err == nil && r.Key != key {
		err = errMixedUp
	}
	return r, err
}

func (s *Sessions) marked(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	return s.storeFailed(ctx, err)
}

// isMarked reports whether the sessions of c's person were ended since began, an
// instant of this process's monotonic clock.
func (s *Sessions) isMarked(ctx context.Context, c *content, began time.Time) (bool, error) {
	var keys []grant.Key
	if c.Issuer != "" {
		keys = append(keys, s.markKeys("issuer", c.Issuer)...)
	}
	if c.Subject != "" {
		keys = append(keys, s.markKeys("person", c.ofTenant(c.Issuer, c.Subject)...)...)
	}
	if c.SID != "" {
		keys = append(keys, s.markKeys("sid", c.ofTenant(c.Issuer, c.SID)...)...)
	}
	if c.Origin.Tenant != "" {
		keys = append(keys, s.markKeys("tenant", c.Origin.Tenant)...)
	}
	for _, key := range keys {
		r, err := s.loadMark(ctx, key)
		switch {
		case errors.Is(err, grant.ErrNotFound):
		case err != nil:
			return false, s.storeFailed(ctx, err)
		// Looked up after the mark was: while it is on its way, it gets older.
		case r.Age <= time.Since(began):
			return true, nil
		}
	}
	return false, nil
}
