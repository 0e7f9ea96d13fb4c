package storetest

import (
	"context"
	"sync"
	"time"

	"example.com/authcode/grant"
)

const century = 100 * 365 * 24 * time.Hour

// ofClocks are checks that compare times.
var ofClocks = []string{
	"Create adds what Load returns", "a lease has one holder", "touching restarts Idle",
	"Content replaces everything",
}

var brokenTimes = []broken{
	{"a local clock that is ahead", ofClocks, oneClock(30 * time.Second)},
	{"a local clock that is behind", ofClocks, oneClock(-30 * time.Second)},
	{
		"no end by Expires",
		[]string{"a record expires by Expires", "touching does not change Expires"},
		withCreate(func(r *grant.Record) { r.Expires = century }),
	},
	{
		"no end by Idle",
		[]string{"a record expires by Idle", "an expired record is not found"},
		withCreate(func(r *grant.Record) { r.Idle = 0 }),
	},
	{
		"years that overflow",
		[]string{"Create adds what Load returns"},
		withCreate(func(r *grant.Record) { r.Expires = min(r.Expires, century/2) }),
	},
	{"expired records until Sweep", []string{"an expired record is not found"}, keeping},
	{
		"a touch each time",
		[]string{"touching restarts Idle"},
		withTouch(func(touch time.Duration) time.Duration { return min(touch, 1) }),
	},
	{
		"no touch",
		[]string{"touching restarts Idle", "touching keeps a record alive"},
		withTouch(func(time.Duration) time.Duration { return 0 }),
	},
	{
		"a touch in whole seconds",
		[]string{"touching restarts Idle"},
		withTouch(func(touch time.Duration) time.Duration {
			return (touch + time.Second - 1).Truncate(time.Second)
		}),
	},
	{
		"an Age that leases restart",
		[]string{"only touching touches"},
		withRead(func(r *grant.Record) {
			if r.Lease.Tries > 0 {
				r.Age = 0
			}
		}),
	},
}

func withTouch(change func(time.Duration) time.Duration) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.load = func(
			ctx context.Context, k grant.Key, touch time.Duration,
		) (grant.Record, error) {
			return m.Load(ctx, k, change(touch))
		}
	})
}

// oneClock gives one of the handles a clock that is ahead by d, with which it
// writes and reads points in time.
func oneClock(d time.Duration) func(grant.Store) []grant.Store {
	return func(m grant.Store) []grant.Store {
		f := faulty{Store: m}
		f.create = func(ctx context.Context, r grant.Record) error {
			r.Expires += d
			return m.Create(ctx, r)
		}
		read := func(r grant.Record, err error) (grant.Record, error) {
			r.Age, r.Seen, r.Lease.Since = r.Age+d, r.Seen+d, r.Lease.Since+d
			r.Left, r.Expires, r.Lease.Left = r.Left-d, r.Expires-d, r.Lease.Left-d
			return r, err
		}
		f.load = func(
			ctx context.Context, k grant.Key, touch time.Duration,
		) (grant.Record, error) {
			return read(m.Load(ctx, k, touch))
		}
		f.swap = func(ctx context.Context, k grant.Key, w grant.Swap) (grant.Record, error) {
			if w.Lease > 0 {
				w.Lease += d
			}
			return read(m.Swap(ctx, k, w))
		}
		return []grant.Store{m, f, m}
	}
}

// keeping finds what has expired, because nobody has swept it.
func keeping(m grant.Store) []grant.Store {
	f := faulty{Store: m}
	var mu sync.Mutex
	created := make(map[grant.Key]grant.Record)
	f.create = func(ctx context.Context, r grant.Record) error {
		mu.Lock()
		defer mu.Unlock()
		created[r.Key] = r
		return m.Create(ctx, r)
	}
	f.find = func(_ context.Context, q query) (found []grant.Record, err error) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range created {
			if r.Kind == q.kind && r.Digests[q.index] == q.d {
				found = append(found, r)
			}
		}
		return found, nil
	}
	return []grant.Store{f, f, f}
}
