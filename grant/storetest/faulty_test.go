package storetest

import (
	"context"
	"time"

	"example.com/authcode/grant"
)

// broken is a store with a fault.
type broken struct {
	name    string
	fails   []string // checks
	handles func(m grant.Store) []grant.Store
}

// faulty is a store some of whose operations are replaced.
type faulty struct {
	grant.Store
	create func(ctx context.Context, r grant.Record) error
	load   func(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error)
	swap   func(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error)
	delete func(ctx context.Context, key grant.Key, version int64) error
	find   func(ctx context.Context, q query) ([]grant.Record, error)
	sweep  func(ctx context.Context, limit int) ([]grant.Key, bool, error)
}

// query is the arguments of Find.
type query struct {
	kind  string
	index grant.Index
	d     grant.Digest
	after grant.ID
	limit int
}

// of asks the store.
func (q query) of(ctx context.Context, s grant.Store) ([]grant.Record, error) {
	return s.Find(ctx, q.kind, q.index, q.d, q.after, q.limit)
}

func (f faulty) Create(ctx context.Context, r grant.Record) error {
	if f.create != nil {
		return f.create(ctx, r)
	}
	return f.Store.Create(ctx, r)
}

func (f faulty) Load(
	ctx context.Context, key grant.Key, touch time.Duration,
) (grant.Record, error) {
	if f.load != nil {
		return f.load(ctx, key, touch)
	}
	return f.Store.Load(ctx, key, touch)
}

func (f faulty) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	if f.swap != nil {
		return f.swap(ctx, key, w)
	}
	return f.Store.Swap(ctx, key, w)
}

func (f faulty) Delete(ctx context.Context, key grant.Key, version int64) error {
	if f.delete != nil {
		return f.delete(ctx, key, version)
	}
	return f.Store.Delete(ctx, key, version)
}

func (f faulty) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	q := query{kind, index, d, after, limit}
	if f.find != nil {
		return f.find(ctx, q)
	}
	return q.of(ctx, f.Store)
}

func (f faulty) Sweep(ctx context.Context, limit int) ([]grant.Key, bool, error) {
	if f.sweep != nil {
		return f.sweep(ctx, limit)
	}
	return f.Store.Sweep(ctx, limit)
}

// with makes handles that all have the fault.
func with(fault func(f *faulty, m grant.Store)) func(grant.Store) []grant.Store {
	return func(m grant.Store) []grant.Store {
		f := faulty{Store: m}
		fault(&f, m)
		return []grant.Store{f, f, f}
	}
}

// withCreate changes records before they are created.
func withCreate(change func(*grant.Record)) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.create = func(ctx context.Context, r grant.Record) error {
			change(&r)
			return m.Create(ctx, r)
		}
	})
}

// withSwap replaces Swap.
func withSwap(
	swap func(ctx context.Context, m grant.Store, k grant.Key, w grant.Swap) (grant.Record, error),
) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.swap = func(ctx context.Context, k grant.Key, w grant.Swap) (grant.Record, error) {
			return swap(ctx, m, k, w)
		}
	})
}

// withRead changes the records that Load and Swap return.
func withRead(change func(*grant.Record)) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.load = func(ctx context.Context, k grant.Key, touch time.Duration) (grant.Record, error) {
			r, err := m.Load(ctx, k, touch)
			change(&r)
			return r, err
		}
		f.swap = func(ctx context.Context, k grant.Key, w grant.Swap) (grant.Record, error) {
			r, err := m.Swap(ctx, k, w)
			change(&r)
			return r, err
		}
	})
}
