package interop

import (
	"database/sql"
	"syscall"
	"testing"

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
	}
}

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
	}
}
