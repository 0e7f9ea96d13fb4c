package interop

import (
	"context"
	"database/sql"
	"sync"
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

// createdKeys are those of all sessions and grants that were ever stored.
type createdKeys struct {
	mu   sync.Mutex
	keys []grant.Key
}

func (c *createdKeys) add(key grant.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key.Kind == "session" || key.Kind == "grant" {
		c.keys = append(c.keys, key)
	}
}

// take returns them and forgets them.
func (c *createdKeys) take() []grant.Key {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := c.keys
	c.keys = nil
	return keys
}

// stepGate is the store of one instance, which stops at a step while a test does
// something else. Each request that may touch a session touches it: no test waits
// until that is due.
type stepGate struct {
	grant.Store
	created *createdKeys
	plain   bool // touches only what is due

	mu    sync.Mutex
	stops map[string]*gateStop
}

type gateStop struct {
	skip int // how often to go on first
	do   func()
}

// at calls do when an operation of this name begins for the nth time, such as
// "Create session", or, with "after " before it, when it has ended.
func (g *stepGate) at(step string, nth int, do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stops = map[string]*gateStop{step: {nth - 1, do}}
}

// waits reports whether nobody has come to the step of at.
func (g *stepGate) waits() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.stops) > 0
}

func (g *stepGate) reach(step string) {
	g.mu.Lock()
	stop := g.stops[step]
	switch {
	case stop == nil:
	case stop.skip > 0:
		stop.skip--
		stop = nil
	default:
		delete(g.stops, step)
	}
	g.mu.Unlock()
	if stop != nil {
		stop.do()
	}
}

// pass begins an operation, and returns what ends it.
func (g *stepGate) pass(name, kind string) (done func()) {
	g.reach(name + " " + kind)
	return func() { g.reach("after " + name + " " + kind) }
}

func (g *stepGate) Create(ctx context.Context, r grant.Record) error {
	defer g.pass("Create", r.Kind)()
	g.created.add(r.Key)
	return g.Store.Create(ctx, r)
}

func (g *stepGate) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	defer g.pass("Load", key.Kind)()
	if !g.plain {
		touch = min(touch, time.Millisecond)
	}
	return g.Store.Load(ctx, key, touch)
}

func (g *stepGate) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	defer g.pass("Swap", key.Kind)()
	return g.Store.Swap(ctx, key, s)
}

func (g *stepGate) Delete(ctx context.Context, key grant.Key, version int64) error {
	defer g.pass("Delete", key.Kind)()
	return g.Store.Delete(ctx, key, version)
}

func (g *stepGate) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	defer g.pass("Find", kind)()
	return g.Store.Find(ctx, kind, index, d, after, limit)
}
