package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"example.com/authcode/grant"
)

// Swap implements [grant.Store].
func (s *Store) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	for {
		r, changed, err := s.change(ctx, key, w)
		if err != nil || changed {
			return r, err
		}
		r, err = s.read(ctx, s.load, ofKey(key))
		switch {
		case err != nil:
			return grant.Record{}, err
		case !allowed(r, w):
			return r, grant.ErrConflict
		}
		// It was not allowed a moment ago, and now it is.
	}
}

// allowed reports whether w may change r. The statements have the same
// conditions.
func allowed(r grant.Record, w grant.Swap) bool {
	isOwner := r.Lease.Owner == w.Owner && w.Owner != ""
	isFree := r.Lease.Owner == "" && r.Lease.Wait <= 0 ||
		r.Lease.Owner != "" && r.Lease.Left <= 0
	switch {
	case w.Version != r.Version && (w.Version != 0 || w.Content != nil):
		return false
	case w.Content != nil:
		return true
	case w.Lease > 0:
		return isOwner || isFree
	}
	return isOwner
}

// change changes the record if w may.
func (s *Store) change(
	ctx context.Context, key grant.Key, w grant.Swap,
) (r grant.Record, changed bool, err error) {
	values := ofKey(key)
	values.version(w.Version)
	values["owner"] = w.Owner
	if w.Lease > 0 {
		values["lease"] = microseconds(w.Lease)
	}
	if w.Wait > 0 {
		values["wait"] = microseconds(w.Wait)
	}
	switch {
	case w.Content != nil:
		return s.replace(ctx, key, w, values)
	case w.Lease > 0:
		r, changed, err = s.update(ctx, s.take, values)
		// Without UPDATE … RETURNING, another instance may have changed the record
		// before it was read: then the lease was lost as soon as it was taken.
		if changed && (r.Lease.Owner != w.Owner || w.Version != 0 && r.Version != w.Version) {
			err = grant.ErrConflict
		}
		return r, changed, err
	}
	return s.update(ctx, s.giveUp, values)
}

// update executes an UPDATE and returns the record that it has changed.
func (s *Store) update(
	ctx context.Context, text statement, values args,
) (r grant.Record, changed bool, err error) {
	if s.d.returning {
		r, err = s.read(ctx, text, values)
		if errors.Is(err, grant.ErrNotFound) {
			return r, false, nil
		}
		return r, err == nil, err
	}
	result, err := s.exec(ctx, text, values)
	if err != nil || result.rows == 0 {
		return grant.Record{}, false, err
	}
	r, err = s.read(ctx, s.load, values)
	return r, err == nil, err
}

// replace writes the content. The database does not send it back: the time since
// the record was touched is all that is not known here.
func (s *Store) replace(
	ctx context.Context, key grant.Key, w grant.Swap, values args,
) (r grant.Record, changed bool, err error) {
	values.content(*w.Content)
	r = grant.Record{Key: key, Version: w.Version + 1, Content: *w.Content}
	if w.Lease > 0 {
		values["holder"], r.Lease = w.Owner, grant.Lease{Owner: w.Owner, Left: w.Lease}
	} else {
		values["holder"] = ""
	}
	var seen int64
	if s.d.returning {
		err = s.query(ctx, s.save, values, func(rows *sql.Rows) error {
			changed = true
			return rows.Scan(&seen)
		})
	} else {
		var result result
		result, err = s.exec(ctx, s.save, values)
		seen, changed = result.id, result.rows > 0
	}
	if err != nil || !changed {
		return grant.Record{}, false, err
	}
	r.Data = values["data"].([]byte)
	r.Seen, r.Left = duration(seen), w.Content.Expires
	if r.Idle > 0 {
		r.Left = min(r.Left, r.Idle-r.Seen)
	}
	return r, true, nil
}
