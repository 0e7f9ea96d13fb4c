package interop

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

// TestCreateTable: instances that start at the same time create one table.
func TestCreateTable(t *testing.T) {
	for _, d := range sqlDatabases {
		t.Run(d.name, func(t *testing.T) {
			dsn := d.create(t)
			var wg sync.WaitGroup
			for range 8 {
				store := sqlstore.New(openDB(t, d.driver, dsn), d.dialect)
				wg.Go(func() {
					if err := store.CreateTable(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}

// countRows returns how many rows the table has.
func countRows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM authcode_records").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSQLSweep: Sweep deletes the rows of expired records, so many at a time,
// while other instances do the same and others use the records that are alive.
func TestSQLSweep(t *testing.T) {
	inEach(t, func(t *testing.T, d sqlDatabase, _ string, db *sql.DB) {
		const expired, alive, limit = 60, 5, 10
		store := sqlstore.New(db, d.dialect)
		var keys []grant.Key
		for i := range expired + alive {
			r := testRecord()
			r.Kind = []string{"grant", "session"}[i%2]
			if i >= alive {
				r.Expires = time.Millisecond
			} else {
				keys = append(keys, r.Key)
			}
			if err := store.Create(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Millisecond)
		_, more, err := store.Sweep(t.Context(), limit)
		if n := countRows(t, db); err != nil || !more || n != expired+alive-limit {
			t.Fatalf("the first Sweep left %d rows, more: %v, %v", n, more, err)
		}
		sweepBeside(t, store, keys, limit)
		if n := countRows(t, db); n != alive {
			t.Errorf("%d rows are left, want %d", n, alive)
		}
	})
}

// sweepBeside sweeps all that has expired three times at once, while others use
// the records with these keys.
func sweepBeside(t *testing.T, store *sqlstore.Store, keys []grant.Key, limit int) {
	ctx, stop := context.WithCancel(t.Context())
	var using, sweeping sync.WaitGroup
	for _, key := range keys {
		using.Go(func() {
			for ctx.Err() == nil {
				_, err := store.Load(ctx, key, time.Nanosecond)
				if err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
	}
	for range 3 {
		sweeping.Go(func() {
			for more := true; more; {
				var err error
				if _, more, err = store.Sweep(ctx, limit); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sweeping.Wait()
	stop()
	using.Wait()
}

// TestReplaceExpired: of many that create a record with the key of an expired
// one, one succeeds.
func TestReplaceExpired(t *testing.T) {
	inEach(t, func(t *testing.T, d sqlDatabase, _ string, db *sql.DB) {
		store := sqlstore.New(db, d.dialect)
		for range 5 {
			old := testRecord()
			old.Expires = time.Millisecond
			if err := store.Create(t.Context(), old); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
			results := make(chan error)
			for i := range 8 {
				r := testRecord()
				r.Key, r.Version = old.Key, int64(i+1)
				go func() { results <- store.Create(t.Context(), r) }()
			}
			created := 0
			for range 8 {
				switch err := <-results; {
				case err == nil:
					created++
				case !errors.Is(err, grant.ErrExists):
					t.Error(err)
				}
			}
			if created != 1 {
				t.Errorf("%d created it, want 1", created)
			}
		}
	})
}

// TestDaylightSaving: MariaDB's clock does not depend on the time zone of the
// session, which is what a change of daylight saving time amounts to.
func TestDaylightSaving(t *testing.T) {
	m := theMariaDB(t)
	name := newDatabase(t, "mysql", m.dsn("app", ""))
	utc := sqlstore.New(openDB(t, "mysql", m.dsn(name, "")), sqlstore.MySQL)
	summer := sqlstore.New(openDB(t, "mysql", m.dsn(name, "&time_zone=%27%2B02%3A00%27")), sqlstore.MySQL)
	if err := utc.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, stores := range [][2]*sqlstore.Store{{utc, summer}, {summer, utc}} {
		r := testRecord()
		if err := stores[0].Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		w := grant.Swap{Owner: "a", Lease: time.Minute}
		if _, err := stores[0].Swap(t.Context(), r.Key, w); err != nil {
			t.Fatal(err)
		}
		r, err := stores[1].Load(t.Context(), r.Key, 0)
		if err != nil || r.Age < 0 || r.Age > time.Minute || r.Lease.Left <= 0 || r.Lease.Left > time.Minute {
			t.Errorf("age %v, lease %v, %v", r.Age, r.Lease.Left, err)
		}
	}
}

// TestUnknownDialect: the fault of New is the error of each operation.
func TestUnknownDialect(t *testing.T) {
	store := sqlstore.New(openDB(t, "sqlite", "file::memory:"), 0)
	if _, err := store.Load(t.Context(), testKey("grant"), 0); err == nil {
		t.Error("Load succeeded")
	}
	if err := store.CreateTable(t.Context()); err == nil {
		t.Error("CreateTable succeeded")
	}
}
