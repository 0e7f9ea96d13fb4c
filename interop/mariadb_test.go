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

	_ "github.com/go-sql-driver/mysql"
)

// mariaDB is a MariaDB server.
type mariaDB struct{ databaseServer }

// dsn is that of a database there. options begins with an ampersand.
func (m *mariaDB) dsn(database, options string) string {
	return "app@tcp(" + m.address + ")/" + database + "?interpolateParams=true" + options
}

var sharedMariaDB = sync.OnceValues(func() (*mariaDB, error) { return startMariaDB() })

// theMariaDB returns the server that tests share.
func theMariaDB(t testing.TB) *mariaDB {
	t.Helper()
	m, err := sharedMariaDB()
	skipMissing(t, err)
	return m
}

// mariaDBUsers are statements, one a line.
const mariaDBUsers = "CREATE USER IF NOT EXISTS app@'127.0.0.1';\n" +
	"GRANT ALL ON *.* TO app@'127.0.0.1';\n" +
	"CREATE DATABASE IF NOT EXISTS app;\n"

// startMariaDB starts a server with an empty folder. It loses nothing when it is
// killed: it writes each commit, and leaves it to the system when to flush.
func startMariaDB(settings ...string) (*mariaDB, error) {
	program, err := serverProgram("mariadbd", "mariadb-server")
	if err != nil {
		return nil, err
	}
	dir, who, err := dataFolder("mariadb")
	if err != nil {
		return nil, err
	}
	data, users := filepath.Join(dir, "data"), filepath.Join(dir, "users.sql")
	if err := installMariaDB(who, dir, data, users); err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + freePort()
	_, port, _ := net.SplitHostPort(address)
	args := []string{
		"--no-defaults", "--datadir=" + data, "--bind-address=127.0.0.1", "--port=" + port,
		"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
		"--init-file=" + users, "--skip-name-resolve", "--max-connections=300",
		"--innodb-flush-log-at-trx-commit=2",
	}
	for _, s := range settings {
		args = append(args, "--"+s)
	}
	m := &mariaDB{databaseServer{name: "MariaDB", address: address, driver: "mysql"}}
	m.databaseServer.dsn = m.dsn("app", "")
	m.command = func() *exec.Cmd { return commandAs(who, dir, program, args...) }
	whenDone(func() {
		if m.process != nil {
			m.end(syscall.SIGTERM)
		}
	})
	return m, m.start()
}

// installMariaDB makes the data folder and the file with the users.
func installMariaDB(who *syscall.Credential, dir, data, users string) error {
	install, err := serverProgram("mariadb-install-db", "mariadb-server")
	if err != nil {
		return err
	}
	cmd := commandAs(who, dir, install,
		"--no-defaults", "--datadir="+data, "--skip-test-db", "--auth-root-authentication-method=normal")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return os.WriteFile(users, []byte(mariaDBUsers), 0o644)
}
