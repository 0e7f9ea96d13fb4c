package storetest

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/authcode/grant"
)

// gap is the time between two steps of what has to be one.
const gap = 20 * time.Millisecond

var brokenRaces = []broken{
	{"a stale read", []string{"a finished write is seen"}, withCache},
	{
		"a Create in two steps",
		[]string{"one of many creates"},
		with(func(f *faulty, m grant.Store) {
			f.create = func(ctx context.Context, r grant.Record) error {
				_, err := m.Load(ctx, r.Key, 0)
				time.Sleep(gap)
				if errors.Is(err, grant.ErrNotFound) {
					_ = m.Delete(ctx, r.Key, 0)
				}
				return m.Create(ctx, r)
			}
		}),
	},
	{
		"a compare-and-swap in two steps",
		[]string{
			"one of many replaces a version", "one of many takes the lease",
			"one of many takes over a lease",
		},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Load(ctx, k, 0)
			time.Sleep(gap)
			if err != nil || w.Content != nil && r.Version != w.Version ||
				w.Content == nil && r.Lease.Left > 0 {
				return m.Swap(ctx, k, w)
			}
			return overwrite(ctx, m, k, w)
		}),
	},
	{
		"a change that is a Delete and a Create",
		[]string{"Find sees a record while it changes"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if w.Content == nil {
				return m.Swap(ctx, k, w)
			}
			r, _ := m.Load(ctx, k, 0)
			_ = m.Delete(ctx, k, 0)
			time.Sleep(gap)
			_ = m.Create(ctx, r)
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"a Swap that is executed twice",
		[]string{"stopped and repeated changes are made once"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Swap(ctx, k, w)
			if err == nil && w.Content != nil {
				w.Version++
				r, err = m.Swap(ctx, k, w)
			}
			return r, err
		}),
	},
	{
		"a Swap that overwrites what was changed meanwhile",
		[]string{"stopped and repeated changes are made once"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			time.Sleep(gap)
			return overwrite(context.WithoutCancel(ctx), m, k, w)
		}),
	},
}

// withCache gives one of the handles a cache of what it has read.
func withCache(m grant.Store) []grant.Store {
	f := faulty{Store: m}
	var mu sync.Mutex
	cache := make(map[grant.Key]grant.Record)
	f.load = func(
		ctx context.Context, k grant.Key, touch time.Duration,
	) (grant.Record, error) {
		mu.Lock()
		defer mu.Unlock()
		if r, ok := cache[k]; ok {
			return r, nil
		}
		r, err := m.Load(ctx, k, touch)
		if err == nil {
			cache[k] = r
		}
		return r, err
	}
	return []grant.Store{m, f, m}
}
