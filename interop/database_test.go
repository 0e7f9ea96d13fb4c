package interop

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// databasePatience is how long a server may take to start, with what a crash has
// left to be done.
const databasePatience = time.Minute

// databaseServer is a program that a test may kill and start again, at the same
// address and with the same data.
type databaseServer struct {
	*process
	name, address string
	command       func() *exec.Cmd
	driver, dsn   string // to ask whether it is ready
}

// start starts the program and waits until it answers. A program that has just
// been killed may leave children that keep its data locked for a moment.
func (s *databaseServer) start() error {
	until := time.Now().Add(databasePatience)
	for {
		p, err := startProcess(s.command(), s.name)
		if err != nil {
			return err
		}
		s.process = p
		if err = s.ready(until); err == nil || time.Now().After(until) {
			return err
		}
		s.end(syscall.SIGKILL)
		time.Sleep(100 * time.Millisecond)
	}
}

func (s *databaseServer) ready(until time.Time) error {
	db, err := sql.Open(s.driver, s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	for time.Now().Before(until) {
		select {
		case <-s.ended:
			return fmt.Errorf("%s ended: %v\n%s", s.name, s.err, s.log)
		case <-time.After(50 * time.Millisecond):
		}
		if err = db.Ping(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is not ready: %v\n%s", s.name, err, s.log)
}

// end sends a signal that ends the program, and waits until it has.
func (s *databaseServer) end(signal syscall.Signal) error {
	s.cmd.Process.Signal(signal)
	select {
	case <-s.ended:
		return nil
	case <-time.After(patience):
		s.cmd.Process.Kill()
		<-s.ended
		return fmt.Errorf("%s did not end at %v", s.name, signal)
	}
}

// unprivileged is a user under whom the programs run, since PostgreSQL and
// PgBouncer refuse root. It is nil where the tests themselves have no privileges.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// dataFolder makes a folder for a program that runs as the returned user.
func dataFolder(name string) (string, *syscall.Credential, error) {
	who, err := unprivileged()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "authcode-"+name+"-")
	if err != nil {
		return "", nil, err
	}
	whenDone(func() { os.RemoveAll(dir) })
	if who != nil {
		err = os.Chown(dir, int(who.Uid), int(who.Gid))
	}
	return dir, who, err
}

// commandAs returns a command that runs in dir as who.
func commandAs(who *syscall.Credential, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	return cmd
}

// serverProgram finds a program of a Debian package, also where Debian does not
// put it on the path.
func serverProgram(name, debian string, folders ...string) (string, error) {
	for _, pattern := range append(folders, "/usr/sbin") {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		if len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	path, err := installed(name, "apt-get install "+debian)
	if err != nil {
		return "", missingError{err}
	}
	return path, nil
}

// skipMissing skips the test if err says that a program is missing, and fails
// it if err says something else.
func skipMissing(t testing.TB, err error) {
	t.Helper()
	if missing := (missingError{}); errors.As(err, &missing) {
		need(t, err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// openDB opens a database for one test.
func openDB(t testing.TB, driver, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

var databases atomic.Int64

// newDatabase creates an empty database and returns its name.
func newDatabase(t testing.TB, driver, dsn string) string {
	t.Helper()
	name := fmt.Sprintf("test%d", databases.Add(1))
	if _, err := openDB(t, driver, dsn).Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return name
}
