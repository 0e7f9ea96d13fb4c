package storetest

import (
	"context"
	"errors"
	"strings"
	"time"

	"example.com/authcode/grant"
)

// overwrite is a compare-and-swap that compares nothing.
func overwrite(
	ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
) (grant.Record, error) {
	for {
		r, err := m.Load(ctx, k, 0)
		if err != nil {
			return r, err
		}
		if w.Content != nil || w.Version != 0 {
			w.Version = r.Version
		}
		if r, err = m.Swap(ctx, k, w); !errors.Is(err, grant.ErrConflict) {
			return r, err
		}
		if w.Content == nil && r.Lease.Owner != "" { // somebody else's lease
			_, _ = m.Swap(ctx, k, giveUp(r.Lease.Owner, 0))
		}
	}
}

var brokenSwaps = []broken{
	{
		"a compare-and-swap that always wins",
		[]string{
			"Content needs the version", "one of many replaces a version",
			"a repeated operation is harmless", "a late holder is refused",
		},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if w.Content == nil {
				return m.Swap(ctx, k, w)
			}
			return overwrite(ctx, m, k, w)
		}),
	},
	{
		"a save that creates",
		[]string{"a missing record stays missing", "nothing brings back a deleted record"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Swap(ctx, k, w)
			if w.Content == nil || !errors.Is(err, grant.ErrNotFound) {
				return r, err
			}
			r = grant.Record{Key: k, Version: w.Version + 1, Content: *w.Content}
			return r, m.Create(ctx, r)
		}),
	},
	{
		"a save that only the holder may make",
		[]string{"Content replaces everything", "a late holder is refused"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Load(ctx, k, 0)
			if err != nil || w.Content == nil || r.Lease.Owner == w.Owner {
				return m.Swap(ctx, k, w)
			}
			return r, grant.ErrConflict
		}),
	},
	{
		"a save that keeps the digests",
		[]string{"Content replaces everything", "Find follows each change"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if r, err := m.Load(ctx, k, 0); err == nil && w.Content != nil {
				c := *w.Content
				c.Digests, w.Content = r.Digests, &c
			}
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"a Swap that touches",
		[]string{"only touching touches"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if _, err := m.Swap(ctx, k, w); err != nil {
				return m.Swap(ctx, k, w)
			}
			return m.Load(ctx, k, 1)
		}),
	},
}

var brokenLeases = []broken{
	{
		"a lease for everybody",
		[]string{
			"a lease has one holder", "one of many takes the lease", "a lease runs out",
			"one of many takes over a lease",
		},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if w.Content != nil || w.Lease == 0 {
				return m.Swap(ctx, k, w)
			}
			return overwrite(ctx, m, k, w)
		}),
	},
	{
		"a lease that ignores Wait",
		[]string{
			"Wait keeps everybody off",
			"a lease that has run out is its holder's until another takes it",
		},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Swap(ctx, k, giveUp(w.Owner, 0))
			if w.Content == nil && w.Lease == 0 {
				r.Lease.Wait = w.Wait
				return r, err
			}
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"a lease that anybody gives up",
		[]string{"a lease has one holder", "a late holder is refused"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			if r, err := m.Load(ctx, k, 0); err == nil && w.Content == nil && w.Lease == 0 {
				w.Owner = r.Lease.Owner
			}
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"tries that nobody counts",
		[]string{"Tries and Since count one version's leases", "a lease runs out"},
		withRead(func(r *grant.Record) { r.Lease.Tries = min(r.Lease.Tries, 1) }),
	},
	{
		"a lease that is forgotten when it runs out",
		[]string{
			"a lease runs out",
			"a lease that has run out is its holder's until another takes it",
		},
		withRead(func(r *grant.Record) {
			if r.Lease.Left <= 0 {
				r.Lease.Owner = ""
			}
		}),
	},
	{
		"owners of one case",
		[]string{"owners differ in each character"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			w.Owner = strings.ToLower(w.Owner)
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"a lease that cannot be extended",
		[]string{"a repeated operation is harmless"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Load(ctx, k, 0)
			if err == nil && w.Content == nil && w.Lease > 0 && r.Lease.Left > 0 {
				return r, grant.ErrConflict
			}
			return m.Swap(ctx, k, w)
		}),
	},
	{
		"a Wait that starts again",
		[]string{"a repeated operation is harmless", "Wait keeps everybody off"},
		withSwap(func(
			ctx context.Context, m grant.Store, k grant.Key, w grant.Swap,
		) (grant.Record, error) {
			r, err := m.Load(ctx, k, 0)
			if err == nil && w.Content == nil && w.Lease == 0 && r.Lease.Wait > 0 {
				r.Lease.Wait = max(w.Wait, time.Millisecond)
				return r, nil
			}
			return m.Swap(ctx, k, w)
		}),
	},
}
