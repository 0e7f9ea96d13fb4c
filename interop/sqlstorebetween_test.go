package interop

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
)

// storeStep is something that an instance does with a record.
type storeStep func(ctx context.Context, s grant.Store, r grant.Record) error

func swaps(w grant.Swap) storeStep {
	return func(ctx context.Context, s grant.Store, r grant.Record) error {
		got, err := s.Swap(ctx, r.Key, w)
		if err == nil && w.Content == nil && w.Lease > 0 && got.Lease.Owner != w.Owner {
			return errors.New("took a lease and got a record whose lease is another's")
		}
		return err
	}
}

// heldBy fails unless there is the record and its lease has this owner.
func heldBy(owner string) storeStep {
	return func(ctx context.Context, s grant.Store, r grant.Record) error {
		r, err := s.Load(ctx, r.Key, 0)
		if err == nil && r.Lease.Owner != owner {
			return errors.New("the lease has the owner " + r.Lease.Owner)
		}
		return err
	}
}

func sweeps(ctx context.Context, s grant.Store, _ grant.Record) error {
	_, _, err := s.Sweep(ctx, 10)
	return err
}

// twoInstances is an operation of one instance, and what another one does before
// a statement of it.
type twoInstances struct {
	name       string
	expires    time.Duration // of the record at first
	first      storeStep     // by the other instance, if set
	op         storeStep
	before     string // what the statement begins with
	other      storeStep
	mayRefuse  bool // op may return ErrConflict
	afterwards storeStep
}

var twoInstancesCases = []twoInstances{
	{
		name: "a lease that was given up is taken", expires: time.Hour,
		first:  swaps(grant.Swap{Owner: "b", Lease: time.Minute}),
		op:     swaps(grant.Swap{Owner: "a", Lease: time.Minute}),
		before: "SELECT", other: swaps(grant.Swap{Owner: "b"}),
		afterwards: heldBy("a"),
	},
	{
		name: "a lease that was lost at once is not taken", expires: time.Hour, mayRefuse: true,
		op:     swaps(grant.Swap{Owner: "a", Lease: time.Minute}),
		before: "SELECT", other: swaps(grant.Swap{Version: 1, Content: &testContent}),
	},
	{
		name: "a record that was created again is not swept", expires: time.Nanosecond,
		op: sweeps, before: "DELETE",
		other: func(ctx context.Context, s grant.Store, r grant.Record) error {
			return errors.Join(sweeps(ctx, s, r), s.Create(ctx, r))
		},
		afterwards: heldBy(""),
	},
}

// TestBetweenStatements: operations that need more than one statement are one
// step, whatever happens between these.
func TestBetweenStatements(t *testing.T) {
	for _, c := range twoInstancesCases {
		t.Run(c.name, func(t *testing.T) {
			inEachDialect(t, func(t *testing.T, d sqlDatabase, dsn string, db *sql.DB) {
				logged, log := openLogged(t, d.driver, dsn)
				c.run(t, sqlstore.New(logged, d.dialect), log, sqlstore.New(db, d.dialect))
			})
		})
	}
}

func (c twoInstances) run(t *testing.T, s grant.Store, log *statementLog, other grant.Store) {
	do := func(step storeStep, s grant.Store, r grant.Record) {
		t.Helper()
		if step == nil {
			return
		}
		if err := step(t.Context(), s, r); err != nil && !(c.mayRefuse && errors.Is(err, grant.ErrConflict)) {
			t.Error(err)
		}
	}
	r := testRecord()
	old := r
	old.Expires = c.expires
	if err := other.Create(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	do(c.first, other, r)
	time.Sleep(3 * time.Millisecond) // old may have to expire
	log.before = func(text string) {
		if strings.HasPrefix(text, c.before) {
			log.before = nil
			do(c.other, other, r)
		}
	}
	do(c.op, s, r)
	do(c.afterwards, other, r)
}
