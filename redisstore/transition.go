package redisstore

import (
	"bytes"
	"context"
	_ "embed" // the scripts
	"errors"
	"strconv"
	"time"

	"example.com/authcode/grant"
)

var (
	//go:embed lua/create.lua
	createSource string
	//go:embed lua/load.lua
	loadSource string
	//go:embed lua/swap.lua
	swapSource string
	//go:embed lua/delete.lua
	deleteSource string

	createScript = script(createSource)
	loadScript   = script(loadSource)
	swapScript   = script(swapSource)
	deleteScript = script(deleteSource)
)

// errIndex is the status of a record that has no index entries yet.
var errIndex = errors.New("the index entries were out of date three times: is the server" +
	" overloaded, or are the clocks of the Cluster's servers minutes apart?")

// Create implements [grant.Store].
func (s *Store) Create(ctx context.Context, r grant.Record) error {
	r.Data = bytes.Clone(r.Data) // the caller may change it when ctx has ended
	_, err := do(ctx, s, func() (answer, error) {
		for range 3 {
			m, err := s.index(ctx, r.Key, &r.Content)
			if err != nil {
				return nil, err
			}
			a, err := s.save(ctx, call{
				createScript, []string{s.recordKey(r.Key)}, content(r.Version, &r.Content, m),
			})
			if err != nil {
				return nil, err
			}
			if err := a[0].status(); !errors.Is(err, errIndex) {
				return nil, err
			}
		}
		return nil, errIndex
	})
	return err
}

// content returns a content as the scripts take it.
func content(version int64, c *grant.Content, m marks) []any {
	digests := make([]byte, 0, digestBytes)
	for _, d := range c.Digests {
		digests = append(digests, d[:]...)
	}
	return []any{
		strconv.FormatInt(version, 10), c.Data, digests, microseconds(c.Expires),
		microseconds(c.Idle), m.stamps, m.first, microseconds(lifetime(c)),
	}
}

// Load implements [grant.Store].
func (s *Store) Load(
	ctx context.Context, key grant.Key, touch time.Duration,
) (grant.Record, error) {
	return do(ctx, s, func() (grant.Record, error) {
		a, err := s.run(ctx, s.load(key, touch))
		if err == nil {
			err = a.status()
		}
		if err != nil {
			return grant.Record{}, err
		}
		return a.record(key)
	})
}

func (s *Store) load(key grant.Key, touch time.Duration) call {
	return call{loadScript, []string{s.recordKey(key)}, []any{microseconds(touch)}}
}

// Swap implements [grant.Store].
func (s *Store) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	if w.Content != nil {
		c := *w.Content // the caller may change it when ctx has ended
		c.Data = bytes.Clone(c.Data)
		w.Content = &c
	}
	return do(ctx, s, func() (grant.Record, error) {
		a, err := s.swap(ctx, key, w)
		if err != nil {
			return grant.Record{}, err
		}
		status := a.status()
		if status != nil && !errors.Is(status, grant.ErrConflict) {
			return grant.Record{}, status
		}
		r, err := a.record(key)
		if err != nil {
			return grant.Record{}, err
		}
		if status == nil && w.Content != nil {
			s.forget(ctx, key, a.number(1), a.text(13))
			r.Data = w.Content.Data
		}
		return r, status
	})
}

// swap runs the script. The record's index entries are written only if the
// script asks for that.
func (s *Store) swap(ctx context.Context, key grant.Key, w grant.Swap) (answer, error) {
	c := call{swapScript, []string{s.recordKey(key), s.leasesKey(key)}, []any{
		member(key), strconv.FormatInt(w.Version, 10), w.Owner,
		microseconds(w.Lease), microseconds(w.Wait),
	}}
	if w.Content == nil {
		return s.run(ctx, c)
	}
	without, m := c.args, marks{}
	for range 4 {
		c.args = append(without[:len(without):len(without)], content(w.Version+1, w.Content, m)...)
		a, err := s.save(ctx, c)
		if err != nil {
			return nil, err
		}
		if !errors.Is(a[0].status(), errIndex) {
			return a[0], nil
		}
		if m, err = s.index(ctx, key, w.Content); err != nil {
			return nil, err
		}
	}
	return nil, errIndex
}

// Delete implements [grant.Store].
func (s *Store) Delete(ctx context.Context, key grant.Key, version int64) error {
	_, err := do(ctx, s, func() (answer, error) {
		a, err := s.run(ctx, call{
			deleteScript, []string{s.recordKey(key), s.leasesKey(key)},
			[]any{member(key), strconv.FormatInt(version, 10)},
		})
		if err != nil {
			return nil, err
		}
		switch err := a.status(); {
		case errors.Is(err, grant.ErrNotFound):
			return nil, nil
		case err != nil:
			return nil, err
		}
		s.forget(ctx, key, a.number(1), a.text(2)+a.text(3))
		return nil, nil
	})
	return err
}
