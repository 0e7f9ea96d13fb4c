package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
)

// slowStore is how long an operation of the store takes before a holder is as
// good as without it: its lease is extended every second.
const slowStore = time.Second

// watched reports what the store saves, and when it fails.
type watched struct {
	grant.Store
	out *output
}

// Swap implements [grant.Store].
func (w *watched) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	began := killtest.Now()
	r, err := w.Store.Swap(ctx, key, s)
	w.judge(key, began, err)
	w.out.write(killtest.Line{
		Kind: killtest.Changed, Key: key, From: began, Text: describe(s, r, err),
	})
	if err == nil && s.Content != nil {
		w.out.write(killtest.Line{Kind: killtest.Saved, Key: key, From: began})
	}
	return r, err
}

// Load implements [grant.Store].
func (w *watched) Load(
	ctx context.Context, key grant.Key, touch time.Duration,
) (grant.Record, error) {
	began := killtest.Now()
	r, err := w.Store.Load(ctx, key, touch)
	// Some callers have little patience.
	if ctx.Err() == nil {
		w.judge(key, began, err)
	}
	return r, err
}

// Delete implements [grant.Store].
func (w *watched) Delete(ctx context.Context, key grant.Key, version int64) error {
	began := killtest.Now()
	err := w.Store.Delete(ctx, key, version)
	w.judge(key, began, err)
	return err
}

// judge reports an operation that has failed or took long. A canceled one was
// no longer wanted.
func (w *watched) judge(key grant.Key, began int64, err error) {
	line := killtest.Line{Kind: killtest.Failed, Key: key, From: began, At: killtest.Now()}
	switch {
	case errors.Is(err, context.Canceled):
		return
	case err == nil, errors.Is(err, grant.ErrConflict), errors.Is(err, grant.ErrNotFound):
		if line.At-began < int64(slowStore) {
			return
		}
		line.Text = "slow"
	default:
		line.Text = err.Error()
	}
	w.out.write(line)
}

// describe says what a Swap was about, and what came of it.
func describe(s grant.Swap, r grant.Record, err error) string {
	what := "takes or extends the lease"
	switch {
	case s.Content != nil:
		what = "saves"
	case s.Lease == 0:
		what = fmt.Sprintf("gives the lease up for %s", s.Wait)
	}
	what = fmt.Sprintf("%.4s %s of version …%d", s.Owner, what, s.Version%1000)
	if err != nil {
		what += ": " + err.Error()
	}
	return what + fmt.Sprintf("; now …%d, held by %.4s for %s, tries %d, wait %s",
		r.Version%1000, r.Lease.Owner, r.Lease.Left, r.Lease.Tries, r.Lease.Wait)
}
