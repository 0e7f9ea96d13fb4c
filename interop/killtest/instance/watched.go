package main

import (
	"context"
	"errors"
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
	if err == nil && s.Content != nil {
		w.out.write(killtest.Line{Kind: killtest.Saved, Key: key, From: began})
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
