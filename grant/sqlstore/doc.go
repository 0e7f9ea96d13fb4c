// Package sqlstore keeps the records of package grant in a SQL database:
// PostgreSQL, MySQL or MariaDB, or SQLite.
//
//	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
//	store := sqlstore.New(db, sqlstore.PostgreSQL)
//	err = store.CreateTable(ctx)
//
// It works with any driver, and imports none.
//
// # The database
//
// All instances use one database server that takes writes, never a replica: one
// that is behind hands out a refresh token that has been used. If a failover
// goes to a replica that had not received the last writes, those are lost, and
// the people concerned sign in again.
//
// The schema is in [PostgreSQLSchema], [MySQLSchema] and [SQLiteSchema]. The
// clock is the server's, and SQLite's is the host's.
//
// # Transactions and connections
//
// Each statement is a transaction of its own. So a process that stops in the
// middle of an operation holds no lock, and connections have no state: it works
// through PgBouncer in transaction mode. The isolation levels that the databases
// have by default suffice. With higher ones, PostgreSQL may return a
// serialization failure, as an error.
//
// An error of the database is returned and nothing is tried again. Operations
// may be repeated, as the documentation of [grant.Store] says.
//
// # Statements and round trips
//
// Create, Load, Delete and Find take one statement, and so does a Swap that
// changes the content. A Swap that takes, extends or gives up a lease takes one
// in PostgreSQL and SQLite, and two in MySQL, which has no UPDATE … RETURNING. A
// Load that touches the record takes one in PostgreSQL, two in SQLite, three in
// MySQL. It takes one more to tell why something was not possible. Sweep takes
// two, and up to one more for each kind of record in MySQL.
//
// A statement is one round trip with these settings of the drivers:
//
//   - github.com/jackc/pgx: by default, once a connection knows the statement.
//     Through PgBouncer in transaction mode: default_query_exec_mode=exec.
//   - github.com/lib/pq: binary_parameters=yes, also for PgBouncer in transaction
//     mode. Without it, a statement takes two.
//   - github.com/go-sql-driver/mysql: interpolateParams=true. Without it, a
//     statement takes two.
//
// # SQLite
//
// Several processes may use one file, on one host. Set a busy timeout, so that
// they wait for each other, and the WAL journal, in which readers do not wait;
// for example, with modernc.org/sqlite,
//
//	file:app.db?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)
//
// The mode of the journal stays with the file. Switch a new file once, before
// several processes use it: SQLite fails those that switch it at the same moment.
//
// With synchronous(NORMAL), which some guides recommend, a power failure may
// lose the last writes. The default, FULL, does not.
package sqlstore
