package storetest

import (
	"context"
	"slices"
	"sync"

	"example.com/authcode/grant"
)

var (
	pages   = []string{"Find returns pages in order"}
	exactly = []string{"Find looks at kind, index and digest"}
)

var brokenFinds = []broken{
	{"a Find of any kind", exactly, withFind(
		func(q query) []query {
			other := q
			other.kind += "x"
			return []query{q, other}
		}, nil)},
	{"a Find of any index", exactly, withFind(
		func(q query) []query {
			var all []query
			for q.index = grant.ByIssuer; q.index <= grant.ByGrant; q.index++ {
				all = append(all, q)
			}
			return all
		}, nil)},
	{"a Find of any digest", exactly, withDigest(
		func(d grant.Digest) grant.Digest { return grant.Digest{} })},
	{"a Find of digests in part", exactly, withDigest(
		func(d grant.Digest) grant.Digest { d[15] = 0; return d })},
	{"a Find that keeps former digests", []string{"Find follows each change"}, withFormer},
	{"a Find without after", pages, withFind(
		func(q query) []query { q.after = grant.ID{}; return []query{q} }, nil)},
	{"a Find without limit", pages, withFind(
		func(q query) []query { q.limit = 1000; return []query{q} }, nil)},
	{"a Find without order", pages, withFind(nil, slices.Reverse[[]grant.Record])},
}

// withFind changes what is looked for, and what is found.
func withFind(
	ask func(query) []query, answer func([]grant.Record),
) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.find = func(ctx context.Context, q query) (all []grant.Record, err error) {
			queries := []query{q}
			if ask != nil {
				queries = ask(q)
			}
			for _, q := range queries {
				found, err := q.of(ctx, m)
				if err != nil {
					return nil, err
				}
				all = append(all, found...)
			}
			if answer != nil {
				answer(all)
			}
			return all, nil
		}
	})
}

// withDigest finds each record by its changed digests.
func withDigest(change func(grant.Digest) grant.Digest) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		var mu sync.Mutex
		var created []grant.Record
		f.create = func(ctx context.Context, r grant.Record) error {
			mu.Lock()
			defer mu.Unlock()
			created = append(created, r)
			return m.Create(ctx, r)
		}
		f.find = func(ctx context.Context, q query) (found []grant.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			for _, r := range created {
				if r.Kind != q.kind || change(r.Digests[q.index]) != change(q.d) {
					continue
				}
				if r, err := m.Load(ctx, r.Key, 0); err == nil {
					found = append(found, r)
				}
			}
			return found, nil
		}
	})
}

// withFormer does not remove a digest that a change has replaced.
func withFormer(m grant.Store) []grant.Store {
	return withDigest(func(d grant.Digest) grant.Digest { return d })(m)
}

var brokenSweeps = []broken{
	{
		"a Sweep that deletes live records",
		[]string{"Sweep spares what is alive"},
		withSweep(func(
			ctx context.Context, m grant.Store, limit int,
		) ([]grant.Key, bool, error) {
			keys, more, err := m.Sweep(ctx, limit)
			for _, key := range keys {
				_ = m.Delete(ctx, key, 0)
			}
			return keys, more, err
		}),
	},
	{
		"a Sweep without limit",
		[]string{"Sweep is bounded"},
		withSweep(func(
			ctx context.Context, m grant.Store, _ int,
		) ([]grant.Key, bool, error) {
			return m.Sweep(ctx, 1000)
		}),
	},
	{
		"a Sweep without end",
		[]string{"Sweep is bounded"},
		withSweep(func(
			ctx context.Context, m grant.Store, limit int,
		) ([]grant.Key, bool, error) {
			keys, _, err := m.Sweep(ctx, limit)
			return keys, true, err
		}),
	},
	{
		"a Sweep that lists nothing",
		[]string{"Sweep lists abandoned leases", "Sweep is bounded"},
		withSweep(func(
			ctx context.Context, m grant.Store, limit int,
		) ([]grant.Key, bool, error) {
			_, more, err := m.Sweep(ctx, limit)
			return nil, more, err
		}),
	},
	{
		"a Sweep that forgets a Wait",
		[]string{"Sweep lists abandoned leases"},
		withSweep(func(
			ctx context.Context, m grant.Store, limit int,
		) ([]grant.Key, bool, error) {
			keys, more, err := m.Sweep(ctx, limit)
			return slices.DeleteFunc(keys, func(key grant.Key) bool {
				r, err := m.Load(ctx, key, 0)
				return err == nil && r.Lease.Owner == ""
			}), more, err
		}),
	},
	{
		"a Sweep that lists every lease there was",
		[]string{"Sweep lists abandoned leases"},
		with(func(f *faulty, m grant.Store) {
			var taken []grant.Key
			f.swap = func(
				ctx context.Context, k grant.Key, w grant.Swap,
			) (grant.Record, error) {
				taken = append(taken, k)
				return m.Swap(ctx, k, w)
			}
			f.sweep = func(ctx context.Context, limit int) ([]grant.Key, bool, error) {
				_, more, err := m.Sweep(ctx, limit)
				return taken[:min(len(taken), limit)], more, err
			}
		}),
	},
}

func withSweep(
	sweep func(ctx context.Context, m grant.Store, limit int) ([]grant.Key, bool, error),
) func(grant.Store) []grant.Store {
	return with(func(f *faulty, m grant.Store) {
		f.sweep = func(ctx context.Context, limit int) ([]grant.Key, bool, error) {
			return sweep(ctx, m, limit)
		}
	})
}
