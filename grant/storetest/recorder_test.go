package storetest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
)

// recorder is a tb that keeps what a check reports.
type recorder struct {
	ctx      context.Context
	mu       sync.Mutex
	failures []string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

// run runs a check and returns what it reports.
func (r *recorder) run(c check, handles []grant.Store) []string {
	var wg sync.WaitGroup
	wg.Go(func() { c.run(newTrial(r, handles)) })
	wg.Wait()
	for _, f := range slices.Backward(r.cleanups) {
		wg.Go(f)
		wg.Wait()
	}
	return r.failures
}

// TestBrokenStores: each broken store fails the checks of its row, and each
// check is failed by a broken store.
func TestBrokenStores(t *testing.T) { bubble.Test(t, testBrokenStores) }

func testBrokenStores(t *testing.T) {
	stores := slices.Concat(brokenSwaps, brokenLeases, brokenRecords, brokenTimes, brokenFinds,
		brokenSweeps, brokenRaces)
	failed := make(map[string]bool)
	var mu sync.Mutex
	together(len(stores), func(i int) {
		b := stores[i]
		for _, c := range slices.Concat(waiting(), busy()) {
			if !slices.Contains(b.fails, c.name) {
				continue
			}
			r := &recorder{ctx: t.Context()}
			failures := r.run(c, b.handles(grant.NewMemory(0)))
			mu.Lock()
			failed[c.name] = true
			mu.Unlock()
			if len(failures) == 0 {
				t.Errorf("a store with %s passes %q", b.name, c.name)
			}
		}
	})
	for _, c := range slices.Concat(waiting(), busy()) {
		if !failed[c.name] {
			t.Errorf("no broken store fails %q", c.name)
		}
	}
}
