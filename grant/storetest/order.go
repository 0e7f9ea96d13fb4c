package storetest

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"example.com/authcode/grant"
)

// staysDeleted: after Delete has returned, no operation that was running at the
// same time brings the record back.
func staysDeleted(c *trial) {
	for range rounds {
		r := c.record()
		r.Idle, r.Digests[grant.ByPerson] = long, digest()
		s := c.create(r)
		var deleted atomic.Bool
		together(racers, func(i int) {
			w := s.replace()
			for range 5 {
				before := deleted.Load()
				err := c.change(i, r.Key, &w)
				switch {
				case i%4 == 0 && err == nil:
					deleted.Store(true)
				case before && !errors.Is(err, grant.ErrNotFound):
					c.Errorf("an operation after Delete returned the error %v", err)
				case err != nil && !errors.Is(err, grant.ErrNotFound) &&
					!errors.Is(err, grant.ErrConflict):
					c.Errorf("an operation during Delete returned the error %v", err)
				}
			}
		})
		c.missing(r.Key)
		c.finds(grant.ByPerson, r.Digests[grant.ByPerson])
	}
}

// change calls one of four operations, the first of which is Delete. It makes w
// ready for the next change.
func (c *trial) change(i int, key grant.Key, w *grant.Swap) (err error) {
	switch i % 4 {
	case 0:
		return c.store().Delete(c.ctx, key, 0)
	case 1:
		_, err = c.store().Load(c.ctx, key, time.Millisecond)
	case 2:
		_, err = c.store().Swap(c.ctx, key, take(owner(i), long))
	case 3:
		var got grant.Record
		if got, err = c.store().Swap(c.ctx, key, *w); err == nil {
			w.Version = got.Version
		}
	}
	return err
}

// seesWrites: no read is older than a write that had finished when it began.
func seesWrites(c *trial) {
	s := c.create(c.record())
	first := s.want.Version
	var written atomic.Int64 // the version that was surely written
	written.Store(first)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for last := first; ; {
				select {
				case <-done:
					return
				default:
				}
				least := max(written.Load(), last)
				got, err := c.store().Load(c.ctx, s.want.Key, 0)
				if err != nil || got.Version < least {
					c.Errorf("Load returned version %d, %v, after version %d was written",
						got.Version, err, least)
					return
				}
				last = got.Version
			}
		})
	}
	defer wg.Wait()
	defer close(done)
	for range 10 * rounds {
		s.swap(s.replace(), nil)
		written.Store(s.want.Version)
		s.load()
	}
}

// findsWhileChanging: a change of a record is one step for Find.
func findsWhileChanging(c *trial) {
	r := c.record()
	r.Digests[grant.ByPerson] = digest()
	s := c.create(r)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				found, err := c.store().Find(c.ctx, kind, grant.ByPerson,
					r.Digests[grant.ByPerson], grant.ID{}, 2)
				if err != nil || len(found) != 1 {
					c.Errorf("Find returned %d records, %v, while one was changing",
						len(found), err)
					return
				}
			}
		})
	}
	defer wg.Wait()
	defer close(done)
	for range 5 * rounds {
		w := s.replace()
		w.Content.Digests[grant.ByIssuer] = digest()
		s.swap(w, nil)
		s.swap(take("a", long), nil)
	}
}

// changesOnce: callers add a line each to the same record. Many of their
// operations are stopped on the way and repeated. None is lost, none is made
// twice.
func changesOnce(c *trial) {
	r := c.record()
	r.Data = nil
	s := c.create(r)
	var lines [racers][rounds][]byte
	together(racers, func(i int) {
		for j := range lines[i] {
			lines[i][j] = random(16)
			c.addLine(r.Key, lines[i][j])
		}
	})
	got, err := c.store().Load(c.ctx, r.Key, 0)
	c.returns("Load", err, nil)
	if len(got.Data) != racers*rounds*16 || got.Version != r.Version+racers*rounds {
		c.Errorf("%d changes made %d lines and %d versions", racers*rounds,
			len(got.Data)/16, got.Version-r.Version)
	}
	for _, own := range lines {
		for _, line := range own {
			if n := bytes.Count(got.Data, line); n != 1 {
				c.Errorf("a change was made %d times", n)
			}
		}
	}
	s.delete(0, nil)
}

// addLine adds the line once. An operation that fails may have been executed,
// and is repeated.
func (c *trial) addLine(key grant.Key, line []byte) {
	got, err := c.store().Load(c.ctx, key, 0)
	for err == nil && !bytes.Contains(got.Data, line) {
		w := grant.Swap{Version: got.Version, Content: &got.Content}
		w.Content.Data = append(bytes.Clone(got.Data), line...)
		w.Content.Expires = long
		ctx, cancel := context.WithTimeout(c.ctx, rand.N(2*time.Millisecond))
		_, err = c.store().Swap(ctx, key, w)
		cancel()
		if err != nil && !errors.Is(err, grant.ErrConflict) {
			_, err = c.store().Swap(c.ctx, key, w)
		}
		if err == nil || errors.Is(err, grant.ErrConflict) {
			got, err = c.store().Load(c.ctx, key, 0)
		}
	}
	if err != nil {
		c.Errorf("a repeated Swap returned the error %v", err)
	}
}
