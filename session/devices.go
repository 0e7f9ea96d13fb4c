package session

import (
	"context"
	"slices"
	"time"

	"example.com/authcode/grant"
)

// Info is one session of a person, for a page such as "your devices".
type Info struct {
	Handle   string    // for EndHandle: not secret, and signs nobody in
	Label    string    // the browser: see Config.Label
	SignedIn time.Time // by this machine's clock
	LastSeen time.Time // by this machine's clock; up to a minute old
	Current  bool      // it is the session of this request
}

// Sessions returns the sessions of a person, the newest first. With the context
// of a request, it says which one is the request's. They are those of one
// tenant: see [OfTenant].
func (s *Sessions) Sessions(
	ctx context.Context, issuer, subject string, opts ...Option,
) (list []Info, err error) {
	current := ""
	if session := FromContext(ctx); session != nil {
		current = session.Handle()
	}
	err = s.eachOf(ctx, issuer, subject, s.tenantFor(ctx, opts), func(o *opened) error {
		// Without the monotonic clock, which makes equal times differ.
		now := time.Now().Round(0)
		list = append(list, Info{
			Handle: o.Handle, Label: o.Label, Current: o.Handle == current,
			SignedIn: now.Add(-o.signedIn()),
			LastSeen: o.asked.Round(0).Add(-o.record.Seen),
		})
		return nil
	})
	slices.SortFunc(list, func(a, b Info) int { return b.SignedIn.Compare(a.SignedIn) })
	return list, err
}

// EndHandle ends the session of this person that has this handle, if there is
// one. It is one of one tenant: see [OfTenant].
func (s *Sessions) EndHandle(
	ctx context.Context, issuer, subject, handle string, opts ...Option,
) error {
	return s.eachOf(ctx, issuer, subject, s.tenantFor(ctx, opts), func(o *opened) error {
		// Only among the person's own: a handle of somebody else's is not found.
		if o.Handle != handle {
			return nil
		}
		return s.end(ctx, o, ByEnd)
	})
}

// eachOf calls do with each session of a person of a tenant.
func (s *Sessions) eachOf(
	ctx context.Context, issuer, subject, tenant string, do func(*opened) error,
) error {
	about := []string{"person", issuer, subject}
	return s.each(ctx, pageSize, grant.ByPerson, about, func(o *opened) error {
		if o.Origin.Tenant != tenant {
			return nil
		}
		return do(o)
	})
}
