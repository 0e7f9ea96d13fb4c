package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"example.com/authcode/grant"
)

// Store is a [grant.Store], and an authcode.UsedStates, in a SQL database.
type Store struct {
	db  *sql.DB
	d   dialect
	err error // of New

	create, load, touch, touching statement
	take, giveUp, save, remove    statement
	sweep, abandoned              statement
	expired, removeExpired        statement

	find map[grant.Index]statement
}

var _ grant.Store = (*Store)(nil)

// New returns a store in db, whose table must exist: see [Store.CreateTable].
// The caller closes db when the store is no longer used.
func New(db *sql.DB, dialect Dialect) *Store {
	d, ok := dialect.dialect()
	if !ok {
		return &Store{err: fmt.Errorf("sqlstore: New was called with dialect %d; "+
			"use PostgreSQL, MySQL or SQLite", dialect)}
	}
	s := &Store{
		db: db, d: d,
		create: d.compile(insert + d.onConflict),
		load:   d.compile(load), touch: d.compile(d.touch),
		take: d.compile(d.update(take)), giveUp: d.compile(d.update(giveUp)),
		touching: d.compile(d.update(touch)),
		remove:   d.compile(remove),
		sweep:    d.compile(d.sweep), abandoned: d.compile(abandoned),
		expired: d.compile(expired), removeExpired: d.compile(removeExpired),
		find: make(map[grant.Index]statement),
	}
	s.save = d.compile(save)
	if d.returning {
		s.save = d.compile(save + ` RETURNING $now - seen_at`)
	}
	for index, column := range map[grant.Index]string{
		grant.ByIssuer: "by_issuer", grant.ByPerson: "by_person",
		grant.BySession: "by_session", grant.ByGrant: "by_grant",
	} {
		s.find[index] = d.compile(find + column + findRest)
	}
	return s
}

// update returns the text of an UPDATE that returns the record, if the database
// can.
func (d dialect) update(text string) string {
	if d.returning {
		return text + ` RETURNING ` + columns
	}
	return text
}

// ofKey are the parameters that most statements have.
func ofKey(key grant.Key) args { return args{"kind": key.Kind, "id": key.ID[:]} }

// Create implements [grant.Store].
func (s *Store) Create(ctx context.Context, r grant.Record) error {
	values := ofKey(r.Key)
	values["version"] = r.Version
	values.content(r.Content)
	for {
		result, err := s.exec(ctx, s.create, values)
		if err != nil {
			return err
		}
		if !s.d.exists(result.rows, result.id) {
			return nil
		}
		old, err := s.read(ctx, s.load, ofKey(r.Key))
		switch {
		case errors.Is(err, grant.ErrNotFound): // it has gone since
		case err != nil:
			return err
		case old.Version == r.Version && bytes.Equal(old.Data, r.Data):
			return nil
		default:
			return grant.ErrExists
		}
	}
}

// Load implements [grant.Store].
func (s *Store) Load(
	ctx context.Context, key grant.Key, touch time.Duration,
) (grant.Record, error) {
	values := ofKey(key)
	if touch <= 0 {
		return s.read(ctx, s.load, values)
	}
	values["touch"] = microseconds(touch)
	for {
		var r grant.Record
		var touched bool
		var err error
		if s.d.touch != "" {
			r, err = s.read(ctx, s.touch, values, &touched)
		} else {
			r, err = s.read(ctx, s.load, values)
		}
		if err != nil || touched || r.Seen < touch {
			return r, err
		}
		// It is due. In PostgreSQL, another instance has just touched it instead:
		// the next statement sees that.
		if s.d.touch == "" {
			if r, touched, err = s.update(ctx, s.touching, values); err != nil || touched {
				return r, err
			}
		}
	}
}

// Delete implements [grant.Store].
func (s *Store) Delete(ctx context.Context, key grant.Key, version int64) error {
	values := ofKey(key)
	values.version(version)
	for {
		result, err := s.exec(ctx, s.remove, values)
		if err != nil || result.rows > 0 || version == 0 {
			return err
		}
		r, err := s.read(ctx, s.load, values)
		switch {
		case errors.Is(err, grant.ErrNotFound):
			return nil
		case err != nil:
			return err
		case r.Version != version:
			return grant.ErrConflict
		}
	}
}

// Find implements [grant.Store].
func (s *Store) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	text, ok := s.find[index]
	if !ok && s.err == nil {
		return nil, fmt.Errorf("sqlstore: Find was called with index %d, which does not exist", index)
	}
	if d == (grant.Digest{}) {
		return nil, ctx.Err()
	}
	values := args{"kind": kind, "digest": d[:], "after": after[:], "limit": limit}
	var records []grant.Record
	err := s.query(ctx, text, values, func(rows *sql.Rows) error {
		r := grant.Record{Key: grant.Key{Kind: kind}}
		var id []byte
		err := scan(rows, &r, &id)
		copy(r.ID[:], id)
		records = append(records, r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Use implements [authcode.UsedStates].
func (s *Store) Use(ctx context.Context, id string, until time.Time) (fresh bool, err error) {
	return grant.UseState(ctx, s, id, until)
}
