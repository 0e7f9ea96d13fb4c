package sqlstore

import (
	"context"
	"strings"
)

// The schemas. A record is one row. Times are microseconds since 1970, which the
// database computes by its own clock. NULL stands for none. [Store.CreateTable]
// executes the schema; an app with migrations of its own copies it there.
//
// The primary key serves the statements about one record, the index of each
// digest serves Find, and those of expires_at and free_at serve Sweep.
const (
	PostgreSQLSchema = `
CREATE TABLE IF NOT EXISTS authcode_records (
	kind         text    NOT NULL,
	id           bytea   NOT NULL, -- 32 bytes
	version      bigint  NOT NULL,
	data         bytea   NOT NULL, -- up to 1 MiB
	by_issuer    bytea,            -- 16 bytes, as the next three
	by_person    bytea,
	by_session   bytea,
	by_grant     bytea,
	written_at   bigint  NOT NULL, -- when this version was written
	seen_at      bigint  NOT NULL, -- when the record was created or touched
	ends_at      bigint  NOT NULL, -- when it expires, touched or not
	idle         bigint,           -- how long it lives without being touched
	expires_at   bigint  NOT NULL, -- ends_at, or earlier because of idle
	owner        text    NOT NULL DEFAULT '', -- who has the lease
	tries        bigint  NOT NULL DEFAULT 0,  -- how often it was taken
	taken_at     bigint,                      -- when it was taken first
	free_at      bigint,           -- when the lease runs out, or its wait is over
	PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS authcode_records_by_issuer
	ON authcode_records (kind, by_issuer, id) WHERE by_issuer IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_person
	ON authcode_records (kind, by_person, id) WHERE by_person IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_session
	ON authcode_records (kind, by_session, id) WHERE by_session IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_grant
	ON authcode_records (kind, by_grant, id) WHERE by_grant IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_expires_at ON authcode_records (expires_at);
CREATE INDEX IF NOT EXISTS authcode_records_free_at
	ON authcode_records (free_at) WHERE free_at IS NOT NULL;
`

	// MySQLSchema is the schema of MySQL and MariaDB. Text is binary, so that no
	// collation takes two values for one.
	MySQLSchema = `
CREATE TABLE IF NOT EXISTS authcode_records (
	kind         varbinary(16)  NOT NULL,
	id           binary(32)     NOT NULL,
	version      bigint         NOT NULL,
	data         mediumblob     NOT NULL,
	by_issuer    binary(16),
	by_person    binary(16),
	by_session   binary(16),
	by_grant     binary(16),
	written_at   bigint         NOT NULL,
	seen_at      bigint         NOT NULL,
	ends_at      bigint         NOT NULL,
	idle         bigint,
	expires_at   bigint         NOT NULL,
	owner        varbinary(128) NOT NULL DEFAULT '',
	tries        bigint         NOT NULL DEFAULT 0,
	taken_at     bigint,
	free_at      bigint,
	PRIMARY KEY (kind, id),
	KEY authcode_records_by_issuer (kind, by_issuer, id),
	KEY authcode_records_by_person (kind, by_person, id),
	KEY authcode_records_by_session (kind, by_session, id),
	KEY authcode_records_by_grant (kind, by_grant, id),
	KEY authcode_records_expires_at (expires_at),
	KEY authcode_records_free_at (free_at)
) ENGINE=InnoDB;
`

	SQLiteSchema = `
CREATE TABLE IF NOT EXISTS authcode_records (
	kind         TEXT    NOT NULL,
	id           BLOB    NOT NULL,
	version      INTEGER NOT NULL,
	data         BLOB    NOT NULL,
	by_issuer    BLOB,
	by_person    BLOB,
	by_session   BLOB,
	by_grant     BLOB,
	written_at   INTEGER NOT NULL,
	seen_at      INTEGER NOT NULL,
	ends_at      INTEGER NOT NULL,
	idle         INTEGER,
	expires_at   INTEGER NOT NULL,
	owner        TEXT    NOT NULL DEFAULT '',
	tries        INTEGER NOT NULL DEFAULT 0,
	taken_at     INTEGER,
	free_at      INTEGER,
	PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS authcode_records_by_issuer
	ON authcode_records (kind, by_issuer, id) WHERE by_issuer IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_person
	ON authcode_records (kind, by_person, id) WHERE by_person IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_session
	ON authcode_records (kind, by_session, id) WHERE by_session IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_by_grant
	ON authcode_records (kind, by_grant, id) WHERE by_grant IS NOT NULL;
CREATE INDEX IF NOT EXISTS authcode_records_expires_at ON authcode_records (expires_at);
CREATE INDEX IF NOT EXISTS authcode_records_free_at
	ON authcode_records (free_at) WHERE free_at IS NOT NULL;
`
)

// CreateTable creates the table authcode_records and its indexes where they do
// not exist. All instances of an app may call it when they start.
func (s *Store) CreateTable(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	for _, text := range strings.SplitAfter(s.d.schema, ";\n") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		_, err := s.exec(ctx, statement{text: text}, nil)
		// PostgreSQL reports an error if two instances create the same thing at
		// once. The second time it exists.
		for range createAgain {
			if err == nil || ctx.Err() != nil {
				break
			}
			_, err = s.exec(ctx, statement{text: text}, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// createAgain is how often CreateTable repeats a statement that has failed.
const createAgain = 3
