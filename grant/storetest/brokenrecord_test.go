package storetest

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"time"

	"example.com/authcode/grant"
)

var brokenRecords = []broken{
	{
		"a Create that overwrites",
		[]string{"Create overwrites nothing", "one of many creates"},
		with(func(f *faulty, m grant.Store) {
			f.create = func(ctx context.Context, r grant.Record) error {
				for {
					err := m.Create(ctx, r)
					if !errors.Is(err, grant.ErrExists) {
						return err
					}
					_ = m.Delete(ctx, r.Key, 0)
				}
			}
		}),
	},
	{
		"a Create that cannot be repeated",
		[]string{"Create overwrites nothing", "one of many creates"},
		with(func(f *faulty, m grant.Store) {
			f.create = func(ctx context.Context, r grant.Record) error {
				if _, err := m.Load(ctx, r.Key, 0); err == nil {
					return grant.ErrExists
				}
				return m.Create(ctx, r)
			}
		}),
	},
	{
		"data that ends at a zero byte",
		[]string{"Create adds what Load returns"},
		withCreate(func(r *grant.Record) { r.Data, _, _ = bytes.Cut(r.Data, []byte{0}) }),
	},
	{
		"64 KiB for data",
		[]string{"Create adds what Load returns"},
		withCreate(func(r *grant.Record) { r.Data = r.Data[:min(len(r.Data), 1<<16)] }),
	},
	{
		"versions that are float64",
		[]string{"Create adds what Load returns", "Content needs the version"},
		withRead(func(r *grant.Record) { r.Version = int64(float64(r.Version)) }),
	},
	{
		"a lost Delete",
		[]string{"Delete removes a version", "nothing brings back a deleted record"},
		with(func(f *faulty, _ grant.Store) {
			f.delete = func(context.Context, grant.Key, int64) error { return nil }
		}),
	},
	{
		"a Delete of any version",
		[]string{"Delete removes a version", "either Delete or Swap wins a version"},
		with(func(f *faulty, m grant.Store) {
			f.delete = func(ctx context.Context, k grant.Key, _ int64) error {
				time.Sleep(gap) // a Swap at the same time is first
				return m.Delete(ctx, k, 0)
			}
		}),
	},
	{"IDs without the kind", []string{"a key is a kind and an ID"}, withoutKind},
	{"data that it shares", []string{"nobody shares memory with the store"}, sharing},
	{
		"contexts that are ignored",
		[]string{"a context ends an operation"},
		with(func(f *faulty, m grant.Store) {
			f.load = func(
				ctx context.Context, k grant.Key, touch time.Duration,
			) (grant.Record, error) {
				return m.Load(context.WithoutCancel(ctx), k, touch)
			}
		}),
	},
	{
		"a context that is read when the change was made",
		[]string{"a context ends an operation"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Swap(context.WithoutCancel(ctx), k, w)
			return r, errors.Join(ctx.Err(), err)
		}),
	},
}

// withoutKind keeps all kinds together.
func withoutKind(m grant.Store) []grant.Store {
	f := faulty{Store: m}
	f.create = func(ctx context.Context, r grant.Record) error {
		r.Kind = "all"
		return m.Create(ctx, r)
	}
	f.load = func(
		ctx context.Context, k grant.Key, touch time.Duration,
	) (grant.Record, error) {
		r, err := m.Load(ctx, grant.Key{Kind: "all", ID: k.ID}, touch)
		r.Key = k
		return r, err
	}
	return []grant.Store{f, f, f}
}

// sharing returns the slices that it was given.
func sharing(m grant.Store) []grant.Store {
	f := faulty{Store: m}
	var mu sync.Mutex
	given := make(map[grant.Key][]byte)
	f.create = func(ctx context.Context, r grant.Record) error {
		mu.Lock()
		defer mu.Unlock()
		given[r.Key] = r.Data
		return m.Create(ctx, r)
	}
	f.load = func(
		ctx context.Context, k grant.Key, touch time.Duration,
	) (grant.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		r, err := m.Load(ctx, k, touch)
		r.Data = given[k]
		return r, err
	}
	return []grant.Store{f, f, f}
}
