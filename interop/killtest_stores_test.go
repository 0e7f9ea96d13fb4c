package interop

import (
	"cmp"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// killStore is a store of the kill test, as a row.
type killStore struct {
	name string
	kind string // of killtest.Open; if empty, the name

	// ownClock says that the clock of the store is that of its process: then
	// the instances share one.
	ownClock bool

	// loses says that the store may lose what it has confirmed. What comes of
	// that is printed and is no fault.
	loses bool

	start func(t *testing.T) *killBackend
}

// of returns the name for killtest.Open.
func (s killStore) of() string { return cmp.Or(s.kind, s.name) }

// killBackend is a store that runs.
type killBackend struct {
	direct, dsn string // of the test, and of the instances

	// outages are what can happen to it, by name, each for a time.
	outages map[string]func(d time.Duration) error

	// once is an outage that comes once, when it is due. Both may be nil.
	due  func() bool
	once func() error
}

var killStores = []killStore{
	{name: "SQLite", ownClock: true, start: killSQLite},
	{name: "PostgreSQL", start: func(t *testing.T) *killBackend {
		p := thePostgres(t)
		proxy := newCuttable(t, func() string { return p.address })
		front, name := *p, newDatabase(t, "pgx", p.dsn("postgres", ""))
		front.address = proxy.address
		return &killBackend{
			direct: p.dsn(name, ""), dsn: front.dsn(name, ""),
			outages: killServer(proxy, &p.databaseServer),
		}
	}},
	{name: "MariaDB", start: func(t *testing.T) *killBackend {
		m := theMariaDB(t)
		proxy := newCuttable(t, func() string { return m.address })
		front, name := *m, newDatabase(t, "mysql", m.dsn("app", ""))
		front.address = proxy.address
		return &killBackend{
			direct: m.dsn(name, ""), dsn: front.dsn(name, ""),
			outages: killServer(proxy, &m.databaseServer),
		}
	}},
	{name: "Redis", start: killRedis},
	{name: "Redis, failover with WAIT", kind: "Redis, waiting", start: killReplicated},
	{name: "Redis, failover", kind: "Redis", loses: true, start: killReplicated},
}

// killSQLite is a file. A process that keeps the file locked is its outage.
func killSQLite(t *testing.T) *killBackend {
	// Nothing is lost when a process is killed: the system has what was written.
	dsn := "file:" + filepath.Join(t.TempDir(), "test.db") +
		"?_pragma=busy_timeout(2000)&_pragma=journal_mode(WAL)&_pragma=synchronous(OFF)"
	lock := openDB(t, "sqlite", dsn)
	lock.SetMaxOpenConns(1)
	return &killBackend{
		direct: dsn, dsn: dsn,
		outages: map[string]func(time.Duration) error{
			"locked": func(d time.Duration) error {
				if _, err := lock.Exec("BEGIN IMMEDIATE"); err != nil {
					return nil // the others were faster for long: no outage
				}
				time.Sleep(d)
				_, err := lock.Exec("ROLLBACK")
				return err
			},
		},
	}
}

// killServer are the outages of a server.
func killServer(proxy *cuttable, s *databaseServer) map[string]func(time.Duration) error {
	outages := killProxy(proxy)
	outages["restarted"] = func(d time.Duration) error {
		if err := s.end(syscall.SIGKILL); err != nil {
			return err
		}
		time.Sleep(d / 2)
		return s.start()
	}
	return outages
}

// killProxy are the outages of the way to a server.
func killProxy(proxy *cuttable) map[string]func(time.Duration) error {
	return map[string]func(time.Duration) error{
		"cut": func(time.Duration) error {
			proxy.cut(false)
			return nil
		},
		"away": func(d time.Duration) error {
			proxy.cut(true)
			time.Sleep(d)
			proxy.cut(false)
			return nil
		},
	}
}
