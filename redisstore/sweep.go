package redisstore

import (
	"context"
	_ "embed" // the scripts
	"math/rand/v2"

	"example.com/authcode/grant"
)

var (
	//go:embed lua/leases.lua
	leasesSource string
	//go:embed lua/abandoned.lua
	abandonedSource string

	leasesScript    = script(leasesSource)
	abandonedScript = script(abandonedSource)
)

// Sweep implements [grant.Store]. Redis deletes by itself what has expired, so
// there is never more to delete.
func (s *Store) Sweep(ctx context.Context, limit int) (
	abandoned []grant.Key, more bool, err error,
) {
	abandoned, err = do(ctx, s, func() ([]grant.Key, error) {
		keys, err := s.leased(ctx, limit)
		if err != nil || len(keys) == 0 {
			return nil, err
		}
		var calls []call
		for _, k := range keys {
			calls = append(calls, call{
				abandonedScript, []string{s.recordKey(k), s.leasesKey(k)}, []any{member(k)},
			})
		}
		answers, err := s.runAll(ctx, calls)
		if err != nil {
			return nil, err
		}
		var abandoned []grant.Key
		for i, a := range answers {
			if a.number(0) == 1 {
				abandoned = append(abandoned, keys[i])
			}
		}
		return abandoned, nil
	})
	return abandoned, false, err
}

// leased returns up to limit keys of records whose lease seems to have run out.
// It begins at random, so that none is always behind the limit.
func (s *Store) leased(ctx context.Context, limit int) (keys []grant.Key, err error) {
	if limit <= 0 {
		return nil, nil
	}
	calls, start := make([]call, buckets), rand.IntN(buckets)
	for i := range calls {
		name := s.bucket(byte((start+i)%buckets)) + "leases"
		calls[i] = call{leasesScript, []string{name}, []any{limit}}
	}
	answers, err := s.runAll(ctx, calls)
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		for i := range a {
			if key, ok := parseMember(a.text(i)); ok && len(keys) < limit {
				keys = append(keys, key)
			}
		}
	}
	return keys, nil
}
