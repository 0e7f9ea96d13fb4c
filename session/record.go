package session

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/seal"
)

// opened is a record that was opened, and when it was asked for.
type opened struct {
	*content
	record grant.Record // without Data
	asked  time.Time
	old    bool // a key other than the newest has sealed it
	active bool // loading it counted as activity
}

// signedIn is how long ago the person signed in.
func (o *opened) signedIn() time.Duration {
	return o.life() - o.record.Expires + time.Since(o.asked)
}

// sealedAs says what the content of a record is bound to.
func sealedAs(key grant.Key, version int64) seal.Record {
	return seal.Record{Kind: key.Kind, ID: key.ID, Version: version}
}

// open opens the record with this key, which was asked for at a time. It returns
// nil if that fails.
func (s *Sessions) open(
	ctx context.Context, key grant.Key, r grant.Record, asked time.Time,
) *opened {
	ring := s.ring.Reveal()
	// The key is the one that was asked for. A store or a connection that mixes
	// up answers must not sign one person in as another.
	plain, ok := ring.Open(sealedAs(key, r.Version), r.Data)
	if ok {
		if c, ok := decode(plain); ok {
			old := ring.IsOld(r.Data)
			r.Key, r.Data = key, nil
			return &opened{content: c, record: r, asked: asked, old: old}
		}
	}
	s.observe(ctx, Event{Kind: Undecryptable})
	return nil
}

// load returns the session with this key, or nil if there is none.
func (s *Sessions) load(ctx context.Context, key grant.Key, touch time.Duration) (*opened, error) {
	// For activity, one is needed whose loading was activity. Otherwise a page
	// that polls could keep the person's own requests from the store, and the
	// session would end as idle.
	if o := s.cache.Get(key); o != nil && (o.active || touch <= 0) &&
		time.Since(o.asked) < o.record.Left {
		return o, nil
	}
	asked := time.Now()
	r, err := s.cfg.Store.Load(ctx, key, touch)
	if touch > 0 && isRefusal(ctx, err) {
		// A store that is full, or read-only for a while, cannot note when the person
		// was seen. Who is signed in can go on until IdleTimeout is over.
		touch = 0
		var again error
		if r, again = s.cfg.Store.Load(ctx, key, 0); again == nil {
			s.storeFailed(ctx, err) // tells Observe
		}
		err = again
	}
	switch {
	case errors.Is(err, grant.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, s.storeFailed(ctx, err)
	}
	o := s.open(ctx, key, r, asked)
	if o != nil {
		o.active = touch > 0
		s.cache.Put(key, o, len(r.Data), asked)
	}
	return o, nil
}

// isRefusal reports whether err comes from a store that has answered and failed. One
// that hangs is not asked again: the request has waited for long enough.
func isRefusal(ctx context.Context, err error) bool {
	return err != nil && !errors.Is(err, grant.ErrNotFound) && ctx.Err() == nil &&
		!errors.Is(err, context.DeadlineExceeded)
}

// sealed returns the content of a record that ends after expires.
func (s *Sessions) sealed(
	key grant.Key, version int64, c *content, expires time.Duration,
) grant.Content {
	out := grant.Content{
		Data:    s.ring.Reveal().Seal(sealedAs(key, version), c.encode()),
		Expires: expires, Idle: s.cfg.IdleTimeout,
	}
	for i := range out.Digests {
		if about := c.about(grant.Index(i)); about != nil {
			out.Digests[i] = s.digests(about[0], about[1:]...)[0]
		}
	}
	return out
}

// about says what the digest of an index is made of: a purpose and its parts. It
// is nil if c has none.
func (c *content) about(index grant.Index) []string {
	switch {
	case index == grant.ByGrant:
		return []string{"grant", c.Grant}
	case index == grant.ByIssuer && c.Issuer != "":
		return []string{"issuer", c.Issuer}
	case index == grant.ByPerson && c.Subject != "":
		return []string{"person", c.Issuer, c.Subject}
	case index == grant.BySession && c.SID != "":
		return []string{"sid", c.Issuer, c.SID}
	}
	return nil
}

// digests returns what records may have for purpose and parts, by each key, the
// newest first. Those of persons are the same as in package grant.
func (s *Sessions) digests(purpose string, parts ...string) (all []grant.Digest) {
	for _, sum := range s.ring.Reveal().Digests(purpose, parts...) {
		all = append(all, grant.Digest(sum[:len(grant.Digest{})]))
	}
	return all
}

// newVersion returns the first version of a record: see [grant.Record].
func newVersion() int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:])>>2) + 1
}

// change changes the content of a session, and returns it as it is then; nil if
// it has ended. If edit returns false, nothing is changed. If it changes Life, the
// end of the session moves by as much.
func (s *Sessions) change(
	ctx context.Context, key grant.Key, edit func(*opened) bool,
) (*opened, error) {
	asked := time.Now()
	r, err := s.cfg.Store.Load(ctx, key, 0)
	for err == nil || errors.Is(err, grant.ErrConflict) {
		o := s.open(ctx, key, r, asked)
		if o == nil {
			return nil, nil
		}
		before := o.life()
		if !edit(o) {
			return o, nil
		}
		// What has passed since the question must not lengthen the session. And what
		// passes from here on counts, or the session would look younger than it is:
		// see changed.
		now := time.Now()
		left := max(r.Expires-now.Sub(asked)+o.life()-before, time.Millisecond)
		next := s.sealed(key, r.Version+1, o.content, left)
		asked = now
		r, err = s.cfg.Store.Swap(ctx, key, grant.Swap{Version: r.Version, Content: &next})
		if err == nil {
			return s.changed(ctx, key, r, asked, o.old)
		}
	}
	if errors.Is(err, grant.ErrNotFound) {
		return nil, nil
	}
	return nil, s.storeFailed(ctx, err)
}

// changed is the end of change.
func (s *Sessions) changed(
	ctx context.Context, key grant.Key, r grant.Record, asked time.Time, moved bool,
) (*opened, error) {
	o := s.open(ctx, key, r, asked)
	s.cache.Drop(key)
	if o == nil || !moved {
		return o, nil
	}
	// The record has the digests of another key now, so End may have looked for
	// the old ones after the change and for the new ones before it.
	marked, err := s.isMarked(ctx, o.content, time.Now().Add(-o.signedIn()))
	if !marked { // false after an error, too
		return o, err
	}
	return nil, s.end(ctx, o, ByEnd)
}
