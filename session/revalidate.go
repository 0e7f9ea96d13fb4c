package session

import (
	"context"
	"errors"

	"example.com/authcode"
)

// Revalidate makes the sessions of a person prove themselves: the next request
// of each one renews its grant first, and needs a new ID token from that. Where
// the provider refuses, or sends no ID token, the person signs in again. It is
// for signals that something about an account has changed. It is about the
// sessions of one tenant: see [OfTenant].
func (s *Sessions) Revalidate(
	ctx context.Context, issuer, subject string, opts ...Option,
) error {
	return s.eachOf(ctx, issuer, subject, s.tenantFor(ctx, opts), func(o *opened) error {
		_, err := s.change(ctx, o.record.Key, func(c *opened) bool {
			c.Asked++
			return true
		})
		return err
	})
}

// revalidate renews the grant of a session. It returns nil if the session has
// ended.
func (s *Sessions) revalidate(ctx context.Context, o *opened) (*opened, error) {
	g := s.grants.Handle(o.Grant)
	before, err := g.Info(ctx)
	if err != nil {
		return s.notConfirmed(ctx, o, err)
	}
	if _, err := g.Renew(ctx, nil); err != nil {
		return s.notConfirmed(ctx, o, err)
	}
	after, err := g.Info(ctx)
	// A renewal without an ID token keeps the old one. What is new has been
	// checked, also whose it is. If Info failed, there is none.
	if after.IDToken == "" || after.IDToken == before.IDToken {
		return s.notConfirmed(ctx, o, err)
	}
	return s.change(ctx, o.record.Key, func(c *opened) bool {
		isNews := c.Confirmed < o.Asked
		c.Confirmed = max(c.Confirmed, o.Asked)
		return isNews
	})
}

// notConfirmed ends the session, unless a later try can tell more.
func (s *Sessions) notConfirmed(ctx context.Context, o *opened, err error) (*opened, error) {
	for _, passing := range []authcode.Reason{
		authcode.Overloaded, authcode.Timeout, authcode.Unreachable, authcode.BadAnswer,
		authcode.Canceled,
	} {
		if errors.Is(err, passing) {
			return nil, err
		}
	}
	if isSealed(err) {
		return nil, nil // here the person has to sign in again, as with a session that no key opens
	}
	return nil, s.end(ctx, o, ByRevalidate)
}
