package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"example.com/authcode/grant"
)

// result is what a statement without rows returns.
type result struct{ rows, id int64 }

// exec executes a statement that returns no rows.
func (s *Store) exec(ctx context.Context, text statement, values args) (result, error) {
	if s.err != nil {
		return result{}, s.err
	}
	sent, err := s.db.ExecContext(ctx, text.text, text.args(values)...)
	if err != nil {
		return result{}, failed(ctx, err)
	}
	var r result
	if r.rows, err = sent.RowsAffected(); err != nil {
		return result{}, failed(ctx, err)
	}
	if !s.d.returning { // other drivers may have no LastInsertId
		if r.id, err = sent.LastInsertId(); err != nil {
			return result{}, failed(ctx, err)
		}
	}
	return r, nil
}

// query calls each for the rows that a statement returns. It reads to their end,
// since only then the database has committed what the statement changes.
func (s *Store) query(
	ctx context.Context, text statement, values args, each func(*sql.Rows) error,
) error {
	if s.err != nil {
		return s.err
	}
	rows, err := s.db.QueryContext(ctx, text.text, text.args(values)...)
	if err != nil {
		return failed(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return failed(ctx, err)
		}
	}
	if err := rows.Err(); err != nil {
		return failed(ctx, err)
	}
	return failed(ctx, rows.Close())
}

// read returns the record that a statement about one key returns, or
// ErrNotFound. The row begins with the columns for first.
func (s *Store) read(
	ctx context.Context, text statement, values args, first ...any,
) (grant.Record, error) {
	r, found := grant.Record{}, false
	r.Kind = values["kind"].(string)
	copy(r.ID[:], values["id"].([]byte))
	err := s.query(ctx, text, values, func(rows *sql.Rows) error {
		found = true
		return scan(rows, &r, first...)
	})
	switch {
	case err != nil:
		return grant.Record{}, err
	case !found:
		return grant.Record{}, grant.ErrNotFound
	}
	return r, nil
}

// failed returns an error of the database. Some drivers return one of their own
// when the context has ended.
func failed(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("sqlstore: %w (%v)", ctx.Err(), err)
	}
	return fmt.Errorf("sqlstore: %w", err)
}
