package storetest

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"

	"example.com/authcode/grant"
)

const (
	racers = 16 // goroutines
	rounds = 10
)

// together calls f in n goroutines, which begin at the same time.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	wg.Wait()
}

// race calls f in goroutines and returns the only one whose error was nil. The
// others must have the error lost.
func (c *trial) race(what string, lost error, f func(i int) error) (winner int) {
	c.Helper()
	var won atomic.Int64
	together(racers, func(i int) {
		switch err := f(i); {
		case err == nil:
			won.Add(1<<32 | int64(i))
		case !errors.Is(err, lost):
			c.Errorf("%s returned the error %v, want nil or %v", what, err, lost)
		}
	})
	if n := won.Load() >> 32; n != 1 {
		c.Fatalf("%d of %d succeeded: %s", n, racers, what)
	}
	return int(won.Load() & (1<<32 - 1))
}

// owner returns that of a racer.
func owner(i int) string { return "racer-" + strconv.Itoa(i) }

func raceToCreate(c *trial) {
	for range rounds {
		key := c.record().Key
		c.forget(key)
		var records [racers]grant.Record
		for i := range records {
			records[i] = c.record()
			records[i].Key = key
		}
		s := &subject{trial: c}
		s.written = during(func() {
			i := c.race("Create", grant.ErrExists, func(i int) error {
				return c.store().Create(c.ctx, records[i])
			})
			s.want = records[i]
		})
		s.seen = s.written
		s.load()
		same := c.record() // a client that repeats its own command
		c.forget(same.Key)
		together(racers, func(int) {
			if err := c.store().Create(c.ctx, same); err != nil {
				c.Errorf("the same Create at the same time returned the error %v", err)
			}
		})
	}
}

func raceToTake(c *trial) {
	for range rounds {
		s := c.create(c.record())
		s.raceToTake()
		now := s.leased
		s.swap(giveUp(s.want.Lease.Owner, 0), nil)
		s.raceToTake()
		s.since = now
		s.load()
	}
}

// raceToTake lets racers take the lease.
func (s *subject) raceToTake() {
	s.Helper()
	var winner int
	now := during(func() {
		winner = s.race("Swap that takes", grant.ErrConflict, func(i int) error {
			_, err := s.store().Swap(s.ctx, s.want.Key, take(owner(i), long))
			return err
		})
	})
	s.apply(take(owner(winner), long), now)
	s.load()
}

func raceToTakeOver(c *trial) {
	for range 3 {
		s := c.create(c.record())
		s.swap(take("dead", short), nil)
		s.runsOut()
		s.raceToTake()
	}
	s := c.create(c.record())
	s.swap(take("a", long), nil)
	s.swap(giveUp("a", short), nil)
	wait(short)
	s.raceToTake()
}

func raceToReplace(c *trial) {
	s := c.create(c.record())
	for range rounds {
		var changes [racers]grant.Swap
		for i := range changes {
			changes[i] = s.replace()
			changes[i].Owner, changes[i].Lease = owner(i), long
		}
		now := during(func() {
			i := c.race("Swap with Content", grant.ErrConflict, func(i int) error {
				_, err := c.store().Swap(c.ctx, s.want.Key, changes[i])
				return err
			})
			changes[0] = changes[i]
		})
		s.apply(changes[0], now)
		s.load()
	}
}

// raceToDelete: of Delete and Swap with one version, one succeeds.
func raceToDelete(c *trial) {
	for range 2 * rounds {
		s := c.create(c.record())
		key, w := s.want.Key, s.replace()
		var deleted, swapped error
		now := during(func() {
			together(2, func(i int) {
				if i == 0 {
					deleted = c.store().Delete(c.ctx, key, w.Version)
				} else {
					_, swapped = c.store().Swap(c.ctx, key, w)
				}
			})
		})
		switch {
		case deleted == nil && errors.Is(swapped, grant.ErrNotFound):
			c.missing(key)
		case errors.Is(deleted, grant.ErrConflict) && swapped == nil:
			s.apply(w, now)
			s.load()
		default:
			c.Fatalf("Delete returned the error %v, and Swap %v", deleted, swapped)
		}
	}
}
