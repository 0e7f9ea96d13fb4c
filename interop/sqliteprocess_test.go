package interop

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

const (
	sqliteFileVariable = "AUTHCODE_TEST_SQLITE" // set in the processes of TestSQLiteProcesses
	sqliteProcesses    = 3
	sqliteRounds       = 100 // of each process
)

// sharedRecords are the two that the processes work on.
var sharedRecords = [2]grant.Key{{Kind: "counter"}, {Kind: "lease"}}

// TestSQLiteProcesses: several processes count in one record of one file, and
// take turns with one lease. No change is lost, and nobody shares the lease.
func TestSQLiteProcesses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.db")
	store := sqlstore.New(openDB(t, "sqlite", "file:"+file+sqliteOptions), sqlstore.SQLite)
	if err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, key := range sharedRecords {
		r := grant.Record{Key: key, Version: 1}
		r.Content = grant.Content{Data: make([]byte, 8), Expires: time.Hour}
		if err := store.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	for range sqliteProcesses {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSQLiteWorker$")
		cmd.Env = append(os.Environ(), sqliteFileVariable+"="+file)
		go func() {
			out, err := cmd.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w\n%s", err, out)
			}
			done <- err
		}()
	}
	for range sqliteProcesses {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	const want = sqliteProcesses * sqliteRounds
	for _, key := range sharedRecords {
		r, err := store.Load(t.Context(), key, 0)
		if err != nil {
			t.Fatal(err)
		}
		if n := binary.BigEndian.Uint64(r.Data); n != want || r.Version != 1+want {
			t.Errorf("%s: %d in version %d, want %d in %d", key.Kind, n, r.Version, want, 1+want)
		}
	}
}

// TestSQLiteWorker is a process of TestSQLiteProcesses.
func TestSQLiteWorker(t *testing.T) {
	file := os.Getenv(sqliteFileVariable)
	if file == "" {
		return // not one of the processes
	}
	store := sqlstore.New(openDB(t, "sqlite", "file:"+file+sqliteOptions), sqlstore.SQLite)
	owner := fmt.Sprint("process", os.Getpid())
	for range sqliteRounds {
		if err := countUp(t.Context(), store, sharedRecords[0]); err != nil {
			t.Fatal(err)
		}
		if err := takeTurn(t.Context(), store, owner, file+".turn"); err != nil {
			t.Fatal(err)
		}
	}
}

// countUp adds one to the number in a record.
func countUp(ctx context.Context, s *sqlstore.Store, key grant.Key) error {
	r, err := s.Load(ctx, key, 0)
	for ; err == nil; r, err = s.Load(ctx, key, 0) {
		_, err := s.Swap(ctx, key, plusOne(r, ""))
		if !errors.Is(err, grant.ErrConflict) {
			return err
		}
	}
	return err
}

// plusOne gives the lease up.
func plusOne(r grant.Record, owner string) grant.Swap {
	c := r.Content
	c.Data = binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(r.Data)+1)
	return grant.Swap{Version: r.Version, Owner: owner, Content: &c}
}

// takeTurn takes the lease, and writes a file that must not exist meanwhile.
func takeTurn(ctx context.Context, s *sqlstore.Store, owner, file string) error {
	key := sharedRecords[1]
	r, err := s.Swap(ctx, key, grant.Swap{Owner: owner, Lease: time.Minute})
	for errors.Is(err, grant.ErrConflict) {
		time.Sleep(time.Millisecond)
		r, err = s.Swap(ctx, key, grant.Swap{Owner: owner, Lease: time.Minute})
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("another process has the lease: %w", err)
	}
	f.Close()
	if err := os.Remove(file); err != nil {
		return err
	}
	_, err = s.Swap(ctx, key, plusOne(r, owner))
	return err
}
