package sqlstore

import (
	"database/sql"
	"time"

	"example.com/authcode/grant"
)

// microseconds rounds up, so that no positive duration becomes zero.
func microseconds(d time.Duration) int64 {
	return int64((d + time.Microsecond - 1) / time.Microsecond)
}

// duration is the reverse of microseconds.
func duration(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

// version adds the version that a record must have. Zero stands for any, and
// becomes NULL.
func (a args) version(v int64) {
	if v != 0 {
		a["version"] = v
	}
}

// content adds the parameters of a record's content.
func (a args) content(c grant.Content) {
	a["data"] = append([]byte{}, c.Data...) // never nil, which would be NULL
	a["expires"], a["left"] = microseconds(c.Expires), microseconds(c.Expires)
	if c.Idle > 0 {
		a["idle"], a["left"] = microseconds(c.Idle), microseconds(min(c.Idle, c.Expires))
	}
	for index, name := range digestNames {
		if c.Digests[index] != (grant.Digest{}) {
			a[name] = c.Digests[index][:]
		}
	}
}

// digestNames are the parameters of the digests.
var digestNames = map[grant.Index]string{
	grant.ByIssuer: "issuer", grant.ByPerson: "person",
	grant.BySession: "session", grant.ByGrant: "grant",
}

// scan reads a row into r. The row begins with the columns for first.
func scan(rows *sql.Rows, r *grant.Record, first ...any) error {
	var (
		digests                      [4][]byte
		written, seen, ends, expires int64
		idle, free, since            sql.NullInt64
		now                          int64
	)
	into := append(first,
		&r.Version, &r.Data, &digests[0], &digests[1], &digests[2], &digests[3],
		&written, &seen, &ends, &idle, &expires,
		&r.Lease.Owner, &r.Lease.Tries, &since, &free, &now,
	)
	if err := rows.Scan(into...); err != nil {
		return err
	}
	for i, d := range digests {
		copy(r.Digests[i][:], d)
	}
	r.Age, r.Seen, r.Expires = duration(now-written), duration(now-seen), duration(ends-now)
	r.Idle = duration(idle.Int64)
	// The two were computed at slightly different times.
	r.Left = duration(min(expires, ends) - now)
	switch left := duration(free.Int64 - now); {
	case r.Lease.Owner != "":
		r.Lease.Left = left
	case free.Valid:
		r.Lease.Wait = max(left, 0)
	}
	if since.Valid {
		r.Lease.Since = duration(now - since.Int64)
	}
	return nil
}
