package sqlstore

// Dialect is the kind of database.
type Dialect int

// The dialects.
const (
	PostgreSQL Dialect = iota + 1 // version 10 or later
	MySQL                         // MySQL 8.0 or MariaDB 10.5, or later
	SQLite                        // version 3.35 or later
)

// dialect is what databases do differently.
type dialect struct {
	schema string

	// numbered says that parameters are $1, $2 …, not question marks.
	numbered bool

	// now is the time of the database's clock at this moment, in microseconds
	// since 1970. A statement that waits for another one to change the same record
	// works with the time after that.
	now string

	// begun is the time at which the statement began. It does not change during
	// the statement, which is what an index needs to be used.
	begun string

	// returning says that UPDATE … RETURNING works.
	returning bool

	// seen is the number 0. Where returning is false, it also makes the driver
	// return the time since the record was touched as the LastInsertId.
	seen string

	// onConflict makes an INSERT replace an expired record and no other. exists
	// tells from the number of rows and the LastInsertId whether it found another.
	onConflict string
	exists     func(rows, id int64) bool

	// touch touches a record if that is due, and returns it with whether it did.
	// If empty, that takes more than one statement.
	touch string

	// sweep deletes expired records. If empty, they are selected and then deleted
	// by their keys.
	sweep string
}

func (d Dialect) dialect() (dialect, bool) {
	switch d {
	case PostgreSQL:
		return postgreSQL(), true
	case MySQL:
		return mySQL(), true
	case SQLite:
		return sqlite(), true
	}
	return dialect{}, false
}

func postgreSQL() dialect {
	return dialect{
		schema:    PostgreSQLSchema,
		numbered:  true,
		now:       "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)",
		begun:     "CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint)",
		returning: true,
		seen:      "0",

		onConflict: upsert,
		exists:     func(rows, _ int64) bool { return rows == 0 },

		// Both parts see the rows as they were when the statement began, so the
		// SELECT never returns what the UPDATE has written.
		touch: `WITH touched AS (` + touch + ` RETURNING ` + columns + `)
			SELECT true, touched.* FROM touched
			UNION ALL SELECT false, ` + columns + ` FROM authcode_records` + live + `
			AND NOT EXISTS (SELECT 1 FROM touched)`,

		// Several instances may sweep at once. Each takes rows of its own.
		sweep: `DELETE FROM authcode_records WHERE ctid = ANY (ARRAY(
			SELECT ctid FROM authcode_records WHERE expires_at <= $begun
			ORDER BY expires_at LIMIT $limit FOR UPDATE SKIP LOCKED))`,
	}
}

func sqlite() dialect {
	// The clock of the host, in milliseconds. It is the same throughout a
	// statement, and read after the statement has got the lock of the file.
	const now = "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"
	return dialect{
		schema:    SQLiteSchema,
		now:       now,
		begun:     now,
		returning: true,
		seen:      "0",

		onConflict: upsert,
		exists:     func(rows, _ int64) bool { return rows == 0 },

		sweep: `DELETE FROM authcode_records WHERE rowid IN (
			SELECT rowid FROM authcode_records WHERE expires_at <= $begun
			ORDER BY expires_at LIMIT $limit)`,
	}
}

// mySQL is MySQL and MariaDB.
//
// SYSDATE(6) is the time at this moment, but in the time zone of the session,
// where an hour comes twice a year or is left out. UTC_TIMESTAMP(6) has no such
// hour, but is the time at which the statement began. So now is the latter plus
// the time that has passed since: the difference of SYSDATE and NOW, less the
// half hours by which a time zone may have changed in between.
//
// LAST_INSERT_ID(x) is x. It also makes x the LastInsertId of the statement's
// result, which is how a single UPDATE returns a number.
func mySQL() dialect {
	const (
		begun  = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
		moved  = "TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6))"
		passed = "(MOD(" + moved + " + 8100000000, 1800000000) - 900000000)"
		now    = "(" + begun + " + " + passed + ")"
	)
	return dialect{
		schema: MySQLSchema,
		now:    now,
		begun:  begun,
		seen:   "0 * LAST_INSERT_ID(GREATEST(" + now + " - seen_at, 0))",

		onConflict: onDuplicateKey(),
		// The number of rows does not tell, since the driver can be told to count
		// the rows that stay as they are.
		exists: func(_, id int64) bool { return id == kept },
	}
}
