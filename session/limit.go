package session

import (
	"context"
	"errors"
	"slices"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

// places is the list of a person's sessions, in the order of the sign-ins. Two
// instances that admit a session at once change the same record, so the second
// one sees the first one's.
type places struct {
	key     grant.Key
	version int64 // 0 if there is no record yet
	ids     []grant.ID
}

// takePlace admits a session that is stored already, so that the person has no
// more than MaxSessions. The session former is about to end.
func (s *Sessions) takePlace(ctx context.Context, own *opened, former *opened) error {
	for {
		// First the list, then the sessions: what is in the list was stored
		// before, so if it is not found, it has ended.
		p, err := s.loadPlaces(ctx, own.content)
		if err != nil {
			return err
		}
		live, err := s.livePlaces(ctx, p, own, former)
		if err != nil {
			return err
		}
		over := live[:max(0, len(live)-s.cfg.MaxSessions)]
		if len(over) > 0 && s.cfg.RefuseMore {
			return &noticeError{
				authcode.NewError(authcode.NotAdmitted, "session.limit",
					"the person has Config.MaxSessions already: one has to be ended first", nil),
				"You are signed in in too many places",
				"Please sign out in one of them. Then start again.",
			}
		}
		switch err := s.savePlaces(ctx, p, live[len(over):]); {
		case errors.Is(err, grant.ErrConflict), errors.Is(err, grant.ErrExists),
			errors.Is(err, grant.ErrNotFound):
			continue // another instance was faster
		case err != nil:
			return s.storeFailed(ctx, err)
		}
		for _, o := range over {
			if err := s.end(ctx, o, ByLimit); err != nil {
				return err
			}
		}
		return nil
	}
}

// loadPlaces reads the list.
func (s *Sessions) loadPlaces(ctx context.Context, c *content) (*places, error) {
	// While keys are rotated, instances may use two lists. The sessions that
	// are not in one of them count all the same: see livePlaces.
	sum := s.ring.Reveal().Digests("places", c.ofTenant(c.Issuer, c.Subject)...)[0]
	p := &places{key: grant.Key{Kind: "person", ID: grant.ID(sum)}}
	r, err := s.cfg.Store.Load(ctx, p.key, 0)
	switch {
	case errors.Is(err, grant.ErrNotFound):
		return p, nil
	case err != nil:
		return nil, s.storeFailed(ctx, err)
	}
	p.version = r.Version
	// A list that does not open is written anew.
	plain, _ := s.ring.Reveal().Open(sealedAs(p.key, r.Version), r.Data)
	for chunk := range slices.Chunk(plain, len(grant.ID{})) {
		if len(chunk) == len(grant.ID{}) {
			p.ids = append(p.ids, grant.ID(chunk))
		}
	}
	return p, nil
}

// livePlaces returns the person's sessions that count, the oldest first and own
// last.
func (s *Sessions) livePlaces(
	ctx context.Context, p *places, own *opened, former *opened,
) (live []*opened, err error) {
	err = s.eachOf(ctx, own.Issuer, own.Subject, own.Origin.Tenant, func(o *opened) error {
		isFormer := former != nil && o.record.ID == former.record.ID
		// One that has just been stored takes its place after this one.
		isNew := !slices.Contains(p.ids, o.record.ID) && o.signedIn() < time.Minute
		if o.record.ID != own.record.ID && !isFormer && !isNew {
			live = append(live, o)
		}
		return nil
	})
	slices.SortStableFunc(live, func(a, b *opened) int {
		return slices.Index(p.ids, a.record.ID) - slices.Index(p.ids, b.record.ID)
	})
	return append(live, own), err
}

// savePlaces writes the list, unless another instance has changed it.
func (s *Sessions) savePlaces(ctx context.Context, p *places, live []*opened) error {
	var plain []byte
	for _, o := range live {
		plain = append(plain, o.record.ID[:]...)
	}
	next := p.version + 1
	if p.version == 0 {
		next = newVersion()
	}
	c := grant.Content{
		Data: s.ring.Reveal().Seal(sealedAs(p.key, next), plain), Expires: s.cfg.Lifetime,
	}
	if p.version == 0 {
		return s.cfg.Store.Create(ctx, grant.Record{Key: p.key, Version: next, Content: c})
	}
	_, err := s.cfg.Store.Swap(ctx, p.key, grant.Swap{Version: p.version, Content: &c})
	return err
}
