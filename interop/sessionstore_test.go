package interop

import (
	"database/sql"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/redisstore"
)

// sessionServer is an empty database for one test.
type sessionServer struct {
	name, dsn   string                         // for killtest.Open
	open        func(t testing.TB) grant.Store // a handle with connections of its own
	clear       func() error
	stop, start func() error

	// setFull makes the server refuse what needs room, as with a full disk.
	setFull func(full bool) error

	// ageMarks makes what End has noted older. It may be nil.
	ageMarks func(d time.Duration) error
}

// sessionServers are the databases on which sessions are tested. A server that
// the test stops is its own.
var sessionServers = map[string]func(t testing.TB, own bool) *sessionServer{
	"PostgreSQL": sessionPostgres,
	"Redis":      sessionRedis,
}

// onSessionServers runs a test on each of them.
func onSessionServers(t *testing.T, own bool, test func(t *testing.T, server *sessionServer)) {
	for name, start := range sessionServers {
		t.Run(name, func(t *testing.T) { test(t, start(t, own)) })
	}
}

func sessionPostgres(t testing.TB, own bool) *sessionServer {
	p := thePostgres(t)
	if own {
		var err error
		if p, err = startPostgres(); err != nil {
			t.Fatal(err)
		}
	}
	dsn := p.dsn(newDatabase(t, "pgx", p.dsn("postgres", "")), "")
	db := openDB(t, "pgx", dsn)
	if err := sqlstore.New(db, sqlstore.PostgreSQL).CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &sessionServer{
		name: "PostgreSQL", dsn: dsn,
		open: func(t testing.TB) grant.Store {
			return sqlstore.New(openDB(t, "pgx", dsn), sqlstore.PostgreSQL)
		},
		clear: func() error { return emptyRecords(db) },
		stop:  func() error { return p.end(syscall.SIGINT) },
		start: p.start,
		setFull: func(full bool) error {
			_, err := db.Exec(map[bool]string{true: fillDisk, false: emptyDisk}[full])
			return err
		},
		ageMarks: func(d time.Duration) error {
			_, err := db.Exec(`UPDATE authcode_records SET written_at = written_at - $1
				WHERE kind = 'mark'`, d.Microseconds())
			return err
		},
	}
}

// fillDisk makes PostgreSQL answer as it does when it finds no room for a row. A
// grant is touched once a day at most, so that still works.
const (
	fillDisk = `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF TG_OP = 'UPDATE' AND NEW.kind <> 'session' THEN RETURN NEW; END IF;
			RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';
		END $$;
		CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE OF seen_at ON authcode_records
			FOR EACH ROW EXECUTE FUNCTION full_disk()`
	emptyDisk = `DROP TRIGGER full_disk ON authcode_records; DROP FUNCTION full_disk`
)

func emptyRecords(db *sql.DB) error {
	_, err := db.Exec("DELETE FROM authcode_records")
	return err
}

// sessionRedis always starts a server of its own.
func sessionRedis(t testing.TB, _ bool) *sessionServer {
	program, err := redisserver.Find()
	need(t, err)
	server, err := program.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	return &sessionServer{
		name: "Redis", dsn: server.Addr,
		open: func(t testing.TB) grant.Store {
			// Tries that are not repeated end an outage's requests soon.
			client := redis.NewClient(&redis.Options{Addr: server.Addr, MaxRetries: -1, DialerRetries: 1})
			t.Cleanup(func() { client.Close() })
			s, err := redisstore.New(client, redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return s
		},
		clear: func() error { _, err := server.Do("FLUSHALL"); return err },
		stop:  func() error { server.Stop(); return nil },
		start: server.Start,
		setFull: func(full bool) error {
			_, err := server.Do("CONFIG", "SET", "maxmemory", map[bool]string{true: "1", false: "0"}[full])
			return err
		},
	}
}
