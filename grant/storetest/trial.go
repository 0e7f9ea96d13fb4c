package storetest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"example.com/authcode/grant"
)

// tb is what a check needs of [testing.T]. The tests of this package run checks
// that have to fail.
type tb interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	Context() context.Context
}

// trial is one run of one check.
type trial struct {
	tb
	ctx     context.Context // ends a store that hangs
	handles []grant.Store
	used    *atomic.Uint64 // how often a handle was used
}

func newTrial(t tb, handles []grant.Store) *trial {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return &trial{tb: t, ctx: ctx, handles: handles, used: new(atomic.Uint64)}
}

// store returns the next handle.
func (c *trial) store() grant.Store {
	return c.handles[c.used.Add(1)%uint64(len(c.handles))]
}

// Times that no test waits for, and one that it does.
const (
	long  = 10 * time.Minute
	short = 200 * time.Millisecond
)

// tolerance is how far the clocks of store and test may differ while a check
// measures a time.
const tolerance = 50 * time.Millisecond

// moment is when an operation ran: at some time between these two.
type moment struct{ begin, end time.Time }

// during runs f and returns when it ran.
func during(f func()) moment {
	begin := time.Now()
	f()
	return moment{begin, time.Now()}
}

// until returns how long after m the moment n is, at least and at most.
func (m moment) until(n moment) (least, most time.Duration) {
	return n.begin.Sub(m.end), n.end.Sub(m.begin)
}

// within reports an error if got, measured by the store, cannot be right.
func (c *trial) within(what string, got, least, most time.Duration) {
	c.Helper()
	if got < least-tolerance || got > most+tolerance {
		c.Errorf("%s is %v, want %v to %v", what, got, least, most)
	}
}

// becomes waits until done reports true, which it has to do at the time d after
// start.
func (c *trial) becomes(what string, start moment, d time.Duration, done func() bool) {
	c.Helper()
	for {
		var ok bool
		now := during(func() { ok = done() })
		least, most := start.until(now)
		switch {
		case ok && most < d-tolerance:
			c.Fatalf("%s after %v, want %v", what, most, d)
		case ok:
			return
		case least > d+tolerance:
			c.Fatalf("not %s after %v, want %v", what, least, d)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// wait returns when the store's clock, too, has surely gone on by d.
func wait(d time.Duration) { time.Sleep(d + 2*tolerance) }

// returns stops the check if err is not want, which may be nil.
func (c *trial) returns(what string, err, want error) {
	c.Helper()
	if !errors.Is(err, want) {
		c.Fatalf("%s returned the error %v, want %v", what, err, want)
	}
}

// kind is that of the records. IDs are random, so it may be used elsewhere.
const kind = "storetest"

// record returns one that no store has yet.
func (c *trial) record() grant.Record {
	// A version is large and odd, so that no float64 can hold it.
	version := binary.BigEndian.Uint64(random(8))>>2 | 1<<61 | 1
	return grant.Record{
		Key:     grant.Key{Kind: kind, ID: grant.ID(random(32))},
		Version: int64(version),
		Content: grant.Content{Data: random(40), Expires: long},
	}
}

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// digest returns a random one.
func digest() grant.Digest { return grant.Digest(random(16)) }

// forget deletes the record when the check has ended.
func (c *trial) forget(key grant.Key) {
	c.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), time.Minute)
		defer cancel()
		if err := c.store().Delete(ctx, key, 0); err != nil {
			c.Errorf("Delete at the end returned the error %v", err)
		}
	})
}

// missing stops the check if there is a record.
func (c *trial) missing(key grant.Key) {
	c.Helper()
	for range c.handles {
		_, err := c.store().Load(c.ctx, key, 0)
		c.returns("Load", err, grant.ErrNotFound)
	}
}
