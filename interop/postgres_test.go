package interop

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/lib/pq"
)

// postgres is a PostgreSQL server, or a PgBouncer in front of one.
type postgres struct{ databaseServer }

// dsn is that of a database there, for pgx and lib/pq. options begins with an
// ampersand.
func (p *postgres) dsn(database, options string) string {
	return "postgres://app@" + p.address + "/" + database + "?sslmode=disable" + options
}

var (
	sharedPostgres  = sync.OnceValues(func() (*postgres, error) { return startPostgres() })
	sharedPgBouncer = sync.OnceValues(func() (*postgres, error) {
		p, err := sharedPostgres()
		if err != nil {
			return nil, err
		}
		return startPgBouncer(p)
	})
)

// thePostgres returns the server that tests share.
func thePostgres(t testing.TB) *postgres {
	t.Helper()
	p, err := sharedPostgres()
	skipMissing(t, err)
	return p
}

// thePgBouncer returns the one in front of thePostgres, in transaction mode.
func thePgBouncer(t testing.TB) *postgres {
	t.Helper()
	p, err := sharedPgBouncer()
	skipMissing(t, err)
	return p
}

// startPostgres starts a server with an empty folder. It loses nothing when it
// is killed: without fsync, only a crash of the whole machine does that.
func startPostgres(settings ...string) (*postgres, error) {
	const programs = "/usr/lib/postgresql/*/bin"
	initdb, err := serverProgram("initdb", "postgresql", programs)
	if err != nil {
		return nil, err
	}
	dir, who, err := dataFolder("postgres")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	cmd := commandAs(who, dir, initdb,
		"-D", data, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	address := "127.0.0.1:" + freePort()
	_, port, _ := net.SplitHostPort(address)
	args := []string{
		"-D", data, "-h", "127.0.0.1", "-p", port,
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200",
	}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return runPostgres("PostgreSQL", address, func() *exec.Cmd {
		return commandAs(who, dir, filepath.Join(filepath.Dir(initdb), "postgres"), args...)
	})
}

// pgBouncerConfig takes the port of PostgreSQL and its own. The pool is small,
// so that the connections of a client often get another server connection.
const pgBouncerConfig = `
[databases]
* = host=127.0.0.1 port=%s user=app
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
max_client_conn = 500
server_round_robin = 1
`

func startPgBouncer(behind *postgres) (*postgres, error) {
	program, err := serverProgram("pgbouncer", "pgbouncer")
	if err != nil {
		return nil, err
	}
	dir, who, err := dataFolder("pgbouncer")
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + freePort()
	_, port, _ := net.SplitHostPort(address)
	_, inner, _ := net.SplitHostPort(behind.address)
	file := filepath.Join(dir, "pgbouncer.ini")
	if err := os.WriteFile(file, fmt.Appendf(nil, pgBouncerConfig, inner, port), 0o644); err != nil {
		return nil, err
	}
	return runPostgres("PgBouncer", address, func() *exec.Cmd {
		return commandAs(who, dir, program, file)
	})
}

// runPostgres starts a program, and ends it after the last test. SIGINT makes
// PostgreSQL end without waiting for its clients.
func runPostgres(name, address string, command func() *exec.Cmd) (*postgres, error) {
	p := &postgres{databaseServer{name: name, address: address, command: command, driver: "pgx"}}
	p.databaseServer.dsn = p.dsn("postgres", "&default_query_exec_mode=exec")
	whenDone(func() {
		if p.process != nil {
			p.end(syscall.SIGINT)
		}
	})
	return p, p.start()
}
