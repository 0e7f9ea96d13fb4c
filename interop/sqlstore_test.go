package interop

import (
	"database/sql"
	"path/filepath"
	"slices"
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/grant/storetest"

	_ "modernc.org/sqlite"
)

// sqlDatabase is a database, and a driver with its settings.
type sqlDatabase struct {
	name    string
	dialect sqlstore.Dialect
	driver  string

	// trips is how many round trips a statement takes with these settings. If
	// zero, nobody counts them.
	trips int

	// create makes an empty database, and returns its DSN.
	create func(t testing.TB) (dsn string)
}

// sqliteOptions are those that the documentation names.
const sqliteOptions = "?_pragma=busy_timeout(20000)&_pragma=journal_mode(WAL)"

var sqlDatabases = []sqlDatabase{
	{"PostgreSQL, pgx", sqlstore.PostgreSQL, "pgx", 1, inPostgres(thePostgres, "")},
	{"PostgreSQL, pq", sqlstore.PostgreSQL, "postgres", 2, inPostgres(thePostgres, "")},
	{"PgBouncer, pgx", sqlstore.PostgreSQL, "pgx", 1,
		inPostgres(thePgBouncer, "&default_query_exec_mode=exec")},
	{"PgBouncer, pgx, simple", sqlstore.PostgreSQL, "pgx", 1,
		inPostgres(thePgBouncer, "&default_query_exec_mode=simple_protocol")},
	{"PgBouncer, pq", sqlstore.PostgreSQL, "postgres", 1,
		inPostgres(thePgBouncer, "&binary_parameters=yes")},
	{"MariaDB", sqlstore.MySQL, "mysql", 1, inMariaDB("")},
	{"MariaDB, other settings", sqlstore.MySQL, "mysql", 0,
		inMariaDB("&interpolateParams=false&clientFoundRows=true&time_zone=%27%2B05%3A30%27")},
	{"SQLite", sqlstore.SQLite, "sqlite", 0, func(t testing.TB) string {
		return "file:" + filepath.Join(t.TempDir(), "test.db") + sqliteOptions
	}},
}

func inPostgres(server func(testing.TB) *postgres, options string) func(testing.TB) string {
	return func(t testing.TB) string {
		direct := thePostgres(t)
		name := newDatabase(t, "pgx", direct.dsn("postgres", ""))
		return server(t).dsn(name, options)
	}
}

func inMariaDB(options string) func(testing.TB) string {
	return func(t testing.TB) string {
		m := theMariaDB(t)
		return m.dsn(newDatabase(t, "mysql", m.dsn("app", "")), options)
	}
}

// inEach runs a test on each database, with an empty table.
func inEach(t *testing.T, test func(t *testing.T, d sqlDatabase, dsn string, db *sql.DB)) {
	inSome(t, sqlDatabases, test)
}

// inEachDialect runs it with one driver only.
func inEachDialect(t *testing.T, test func(t *testing.T, d sqlDatabase, dsn string, db *sql.DB)) {
	tested := make(map[sqlstore.Dialect]bool)
	inSome(t, slices.DeleteFunc(slices.Clone(sqlDatabases), func(d sqlDatabase) bool {
		before := tested[d.dialect]
		tested[d.dialect] = true
		return before
	}), test)
}

func inSome(
	t *testing.T, databases []sqlDatabase,
	test func(t *testing.T, d sqlDatabase, dsn string, db *sql.DB),
) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) {
			dsn := d.create(t)
			db := openDB(t, d.driver, dsn)
			if err := sqlstore.New(db, d.dialect).CreateTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, d, dsn, db)
		})
	}
}

// TestSQLStores: the store does what package storetest says, on each database.
// Each handle has connections of its own.
func TestSQLStores(t *testing.T) {
	inEach(t, func(t *testing.T, d sqlDatabase, dsn string, _ *sql.DB) {
		storetest.Test(t, func(t *testing.T) grant.Store {
			return sqlstore.New(openDB(t, d.driver, dsn), d.dialect)
		})
	})
}
