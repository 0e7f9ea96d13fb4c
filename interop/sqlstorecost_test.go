package interop

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

// testKey returns a key that no other test has.
func testKey(kind string) grant.Key {
	k := grant.Key{Kind: kind}
	rand.Read(k.ID[:])
	return k
}

// testRecord is one with each digest.
func testRecord() grant.Record {
	r := grant.Record{Key: testKey("grant"), Version: 1}
	r.Content = grant.Content{Data: make([]byte, 2000), Expires: time.Hour, Idle: time.Minute}
	rand.Read(r.Data)
	for i := range r.Digests {
		rand.Read(r.Digests[i][:])
	}
	return r
}

// sqlOperation is an operation, and how many statements it takes in PostgreSQL,
// MySQL and SQLite.
type sqlOperation struct {
	name               string
	postgres, my, lite int
	want               error
	run                func(context.Context, *sqlstore.Store, grant.Record) error
}

func swap(w grant.Swap) func(context.Context, *sqlstore.Store, grant.Record) error {
	return func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		_, err := s.Swap(ctx, r.Key, w)
		return err
	}
}

func loadTouching(touch time.Duration) func(context.Context, *sqlstore.Store, grant.Record) error {
	return func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		_, err := s.Load(ctx, r.Key, touch)
		return err
	}
}

// sqlOperations are executed in this order on one record of version 1.
var sqlOperations = []sqlOperation{
	{"Create", 1, 1, 1, nil, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		return s.Create(ctx, r)
	}},
	{"Create again", 2, 2, 2, nil, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		return s.Create(ctx, r)
	}},
	{"Load", 1, 1, 1, nil, loadTouching(0)},
	{"Load that need not touch", 1, 1, 1, nil, loadTouching(time.Hour)},
	{"Load that touches", 1, 3, 2, nil, loadTouching(time.Microsecond)},
	{"take the lease", 1, 2, 1, nil, swap(grant.Swap{Owner: "a", Lease: time.Minute})},
	{"extend the lease", 1, 2, 1, nil, swap(grant.Swap{Owner: "a", Lease: time.Hour})},
	{"lease of another", 2, 2, 2, grant.ErrConflict, swap(grant.Swap{Owner: "b", Lease: time.Minute})},
	{"give the lease up", 1, 2, 1, nil, swap(grant.Swap{Owner: "a"})},
	{"new content", 1, 1, 1, nil, swap(grant.Swap{Version: 1, Content: &testContent})},
	{"content of an old version", 2, 2, 2, grant.ErrConflict, swap(grant.Swap{Version: 1, Content: &testContent})},
	{"Find", 1, 1, 1, nil, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		found, err := s.Find(ctx, "grant", grant.BySession, testContent.Digests[grant.BySession], grant.ID{}, 10)
		if err == nil && len(found) != 1 {
			return errors.New("not found")
		}
		return err
	}},
	{"Delete an old version", 2, 2, 2, grant.ErrConflict, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		return s.Delete(ctx, r.Key, 1)
	}},
	{"Delete", 1, 1, 1, nil, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		return s.Delete(ctx, r.Key, 2)
	}},
	{"Sweep", 2, 2, 2, nil, func(ctx context.Context, s *sqlstore.Store, r grant.Record) error {
		_, _, err := s.Sweep(ctx, 10)
		return err
	}},
}

// testContent is that of the second version.
var testContent = testRecord().Content

var serverAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// TestSQLStatements: an operation takes so many statements, and a statement is
// one round trip with the settings that the documentation names.
func TestSQLStatements(t *testing.T) {
	inEach(t, func(t *testing.T, d sqlDatabase, dsn string, _ *sql.DB) {
		trips := new(tripCounter)
		if server := serverAddress.FindString(dsn); server != "" {
			trips = countTrips(t, server)
			dsn = strings.Replace(dsn, server, trips.address, 1)
		}
		db, log := openLogged(t, d.driver, dsn)
		store := sqlstore.New(db, d.dialect)
		for _, round := range []string{"first", "second"} { // pgx prepares in the first
			r := testRecord()
			for _, op := range sqlOperations {
				log.take()
				before := trips.trips.Load()
				if d.dialect == sqlstore.SQLite && op.name == "Load that touches" {
					time.Sleep(2 * time.Millisecond) // its clock has milliseconds
				}
				if err := op.run(t.Context(), store, r); !errors.Is(err, op.want) {
					t.Fatalf("%s: %v, want %v", op.name, err, op.want)
				}
				got, gotTrips := len(log.take()), int(trips.trips.Load()-before)
				want := map[sqlstore.Dialect]int{
					sqlstore.PostgreSQL: op.postgres, sqlstore.MySQL: op.my, sqlstore.SQLite: op.lite,
				}[d.dialect]
				if got != want {
					t.Errorf("%s, %s round: %d statements, want %d", op.name, round, got, want)
				}
				if trips.address != "" && d.trips > 0 && round == "second" && gotTrips != want*d.trips {
					t.Errorf("%s: %d round trips for %d statements", op.name, gotTrips, want)
				}
			}
		}
	})
}
