package sqlstore

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"example.com/authcode/grant"
)

// Sweep implements [grant.Store].
func (s *Store) Sweep(ctx context.Context, limit int) (left []grant.Key, more bool, err error) {
	var deleted int
	if s.d.sweep != "" {
		var result result
		result, err = s.exec(ctx, s.sweep, args{"limit": limit})
		deleted = int(result.rows)
	} else {
		deleted, err = s.sweepByKey(ctx, limit)
	}
	if err != nil {
		return nil, false, err
	}
	left, err = s.keys(ctx, s.abandoned, limit)
	return left, deleted > 0 && deleted >= limit, err
}

// keys returns the keys that a statement returns.
func (s *Store) keys(ctx context.Context, text statement, limit int) ([]grant.Key, error) {
	var keys []grant.Key
	err := s.query(ctx, text, args{"limit": limit}, func(rows *sql.Rows) error {
		var key grant.Key
		var id []byte
		err := rows.Scan(&key.Kind, &id)
		copy(key.ID[:], id)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// sweepByKey deletes expired records by their keys, and returns how many there
// were. A DELETE by time would lock the index of the time first and the records
// then, while other statements lock a record first: a deadlock, of which MySQL
// makes either an error.
func (s *Store) sweepByKey(ctx context.Context, limit int) (n int, err error) {
	keys, err := s.keys(ctx, s.expired, limit)
	if err != nil {
		return 0, err
	}
	ids := make(map[string][]any)
	for _, key := range keys {
		ids[key.Kind] = append(ids[key.Kind], key.ID[:])
	}
	for kind, all := range ids {
		for some := range slices.Chunk(all, deleteAtOnce) {
			text, values := s.removeExpired, args{"kind": kind}
			text.names = slices.Clone(text.names)
			for i, id := range some {
				name := "id" + strconv.Itoa(i)
				text.names, values[name] = append(text.names, name), id
			}
			text.text += "(?" + strings.Repeat(", ?", len(some)-1) + ")"
			if _, err := s.exec(ctx, text, values); err != nil {
				return 0, err
			}
		}
	}
	return len(keys), nil
}

// deleteAtOnce bounds the length of a statement of sweepByKey.
const deleteAtOnce = 500
