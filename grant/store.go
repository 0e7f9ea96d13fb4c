package grant

import (
	"context"
	"errors"
	"time"
)

// Store keeps records for all instances of an app: in memory ([NewMemory]), in a
// database (package grant/sqlstore), in Redis (module redisstore). Package
// grant/storetest tests any Store.
//
// All time is the store's. A duration that goes in begins when the store
// executes the operation, and a duration that comes out is what the store's
// clock has measured by then. So instances whose clocks differ agree. A store
// may round durations to the millisecond.
//
// A record that has expired is not found, whether Sweep has deleted it or not.
// Only Create makes a record. Each operation is one atomic step, reads what all
// finished operations have written (so never a replica), keeps nothing in a
// connection, ends with its context, and is safe for concurrent use. It may be
// repeated: clients and drivers do that by themselves. Its error is one of
// [ErrNotFound], [ErrExists] and [ErrConflict], or says that the store failed or
// that the context ended. Then the operation may have been executed, and may
// even be executed later, unless its context had ended before it began.
type Store interface {
	// Create adds r with its Key, Version and Content, and touches it. If a
	// record with that Key exists, it changes nothing and returns ErrExists, or
	// nil if Version and Data are the same.
	Create(ctx context.Context, r Record) error

	// Load returns a record. If touch is positive and nobody has touched the
	// record for that long, Load touches it in the same step, and returns it
	// touched; see Content.Idle.
	Load(ctx context.Context, key Key, touch time.Duration) (Record, error)

	// Swap changes a record if s.Version and the lease allow that, and returns
	// the record after the change. Otherwise it returns the record as it is and
	// ErrConflict.
	Swap(ctx context.Context, key Key, s Swap) (Record, error)

	// Delete removes a record if it has this version; zero stands for any.
	// Otherwise it returns ErrConflict. Leases do not matter. If there is no
	// record, it returns nil.
	Delete(ctx context.Context, key Key, version int64) error

	// Find returns up to limit records of a kind that have this digest, ordered
	// by ID: those whose ID is greater than after.
	Find(
		ctx context.Context, kind string, index Index, d Digest, after ID, limit int,
	) ([]Record, error)

	// Sweep deletes up to limit records that have expired. It returns up to
	// limit keys of abandoned records: they have not expired, but their lease has
	// run out without being given up, or it was given up with a Wait that is over
	// by now. They are abandoned until somebody takes the lease, gives it up or
	// replaces the Content. Sweep reports whether there may be more to delete:
	// calls until there is not delete all that had expired before. A store may
	// also delete expired records at other times.
	Sweep(ctx context.Context, limit int) (abandoned []Key, more bool, err error)
}

// Errors of a [Store]. Test for them with errors.Is.
var (
	ErrNotFound = errors.New("grant: there is no such record")
	ErrExists   = errors.New("grant: there is a record with this key")
	ErrConflict = errors.New("grant: the record has changed, or another instance has its lease")
)

// Key identifies a record.
type Key struct {
	Kind string // what it is, such as "grant": up to 16 characters a-z
	ID   ID
}

// ID is the part of a Key that nobody can guess: a hash.
type ID [32]byte

// Digest is a keyed digest of something to find records by. The zero Digest
// stands for none, and is never found.
type Digest [16]byte

// Index says which of a record's digests is meant.
type Index int

// The indexes.
const (
	ByIssuer  Index = iota // everybody whom one provider signed in
	ByPerson               // one person
	BySession              // one session at the provider (sid)
	ByGrant                // what belongs to one grant
	indexes                // how many there are
)

// Record is what a [Store] keeps.
type Record struct {
	Key
	Version int64 // positive, random at first (up to 1<<62), and one more with each Content
	Content

	// Set by the store.
	Age   time.Duration // since this Version was written
	Seen  time.Duration // since the record was created or touched
	Left  time.Duration // until it expires, by Expires or Idle
	Lease Lease
}

// Content is the part of a [Record] that changes as a whole.
type Content struct {
	Data    []byte // opaque to the store, up to 1 MiB
	Digests [indexes]Digest

	// Expires is how long the record lives: from now on when it goes in, and
	// what is left of it when it comes out. It is positive, and 100 years at
	// most.
	Expires time.Duration

	// Idle ends the record earlier if it is not touched for that long. Create
	// touches it, Load may, Swap does not. If zero, only Expires ends it. It is
	// 100 years at most.
	Idle time.Duration
}

// Lease says who may work on a record. It has a holder from the [Swap] that
// takes it to the one that gives it up, even after it has run out: then the next
// one may take it.
type Lease struct {
	Owner string        // up to 32 of a-z, A-Z, 0-9, - and _; empty if nobody holds it
	Left  time.Duration // until it runs out, negative if it has; for an Owner only
	Tries int           // how often it was taken since this Version was written
	Since time.Duration // since the first of these; zero if Tries is
	Wait  time.Duration // until it may be taken again; zero or negative if now
}

// Swap is a change of a record.
//
//   - If Content is nil and Lease is positive, Owner takes the lease, or extends
//     it if it is the holder, even if it has run out. It may take one that has no
//     holder and whose Wait is over, or that has run out. Either way the lease
//     then runs for the time of Lease, even if more was left. Taking adds one to
//     Tries and ends Wait; extending does not.
//   - If Content is nil and Lease is zero, Owner gives its lease up, even if it
//     has run out, and nobody can take it for the time of Wait. Only the holder
//     can, and only once. Tries and Since stay.
//   - If Content is set, it replaces the record's, no matter who holds the lease, if
//     the record has this Version, for which zero does not stand here. The record
//     gets the next Version; Tries, Since and Wait become zero, whatever the
//     Swap's Wait. Owner then holds the lease for the time of Lease, or nobody if
//     that is zero.
type Swap struct {
	Version int64  // the version that the record must have; zero stands for any
	Owner   string // empty only if there is Content and no Lease
	Lease   time.Duration
	Wait    time.Duration
	Content *Content
}
