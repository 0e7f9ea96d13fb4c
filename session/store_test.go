package session_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"example.com/authcode/grant"
)

// errDown is the error of a store that is down.
var errDown = errors.New("connection refused")

// stoppable is a store that counts its operations, and that a test stops at a
// step or takes down.
type stoppable struct {
	grant.Store

	mu    sync.Mutex
	calls []string // "Load session"
	stops map[string]func()
	down  bool
	ahead time.Duration
	wrote map[grant.Key]time.Duration // the time ahead when a record was written
}

// advance moves the clock of the store: what is in it gets older.
func (s *stoppable) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// count returns how many records of a kind there are.
func (s *stoppable) count(kind string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.wrote {
		if key.Kind == kind {
			n++
		}
	}
	return n
}

// at calls do when the next operation of this name begins, such as "Create
// session"; with "after " before it, when it has ended.
func (s *stoppable) at(step string, do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stops == nil {
		s.stops = make(map[string]func())
	}
	s.stops[step] = do
}

// setDown takes the store down, or up again.
func (s *stoppable) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// took returns the operations since the last call.
func (s *stoppable) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// step begins an operation.
func (s *stoppable) step(name, kind string) error {
	s.mu.Lock()
	name += " " + kind
	s.calls = append(s.calls, name)
	down := s.down
	s.mu.Unlock()
	s.reach(name)
	if down {
		return errDown
	}
	return nil
}

// reach calls what a test waits with.
func (s *stoppable) reach(step string) {
	s.mu.Lock()
	do := s.stops[step]
	delete(s.stops, step)
	s.mu.Unlock()
	if do != nil {
		do()
	}
}

// write notes that a record was written.
func (s *stoppable) write(key grant.Key, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrote == nil {
		s.wrote = make(map[grant.Key]time.Duration)
	}
	if err == nil {
		s.wrote[key] = s.ahead
	}
}

// older returns r as the clock has it that the test has moved.
func (s *stoppable) older(r grant.Record, err error) (grant.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	by := s.ahead - s.wrote[r.Key]
	r.Age, r.Seen, r.Expires, r.Left = r.Age+by, r.Seen+by, r.Expires-by, r.Left-by
	if err == nil && r.Left <= 0 {
		return grant.Record{}, grant.ErrNotFound
	}
	return r, err
}

func (s *stoppable) Create(ctx context.Context, r grant.Record) error {
	if err := s.step("Create", r.Kind); err != nil {
		return err
	}
	defer s.reach("after Create " + r.Kind)
	err := s.Store.Create(ctx, r)
	s.write(r.Key, err)
	return err
}

func (s *stoppable) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if err := s.step("Load", key.Kind); err != nil {
		return grant.Record{}, err
	}
	defer s.reach("after Load " + key.Kind)
	return s.older(s.Store.Load(ctx, key, touch))
}

func (s *stoppable) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	if err := s.step("Swap", key.Kind); err != nil {
		return grant.Record{}, err
	}
	defer s.reach("after Swap " + key.Kind)
	r, err := s.Store.Swap(ctx, key, w)
	if w.Content != nil {
		s.write(key, err)
	}
	return s.older(r, err)
}

func (s *stoppable) Delete(ctx context.Context, key grant.Key, version int64) error {
	if err := s.step("Delete", key.Kind); err != nil {
		return err
	}
	defer s.reach("after Delete " + key.Kind)
	err := s.Store.Delete(ctx, key, version)
	if err == nil {
		s.mu.Lock()
		delete(s.wrote, key)
		s.mu.Unlock()
	}
	return err
}

func (s *stoppable) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) (found []grant.Record, err error) {
	if err := s.step("Find", kind); err != nil {
		return nil, err
	}
	defer s.reach("after Find " + kind)
	all, err := s.Store.Find(ctx, kind, index, d, after, limit)
	for _, r := range all {
		if r, gone := s.older(r, nil); gone == nil {
			found = append(found, r)
		}
	}
	return found, err
}
