package session_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"example.com/authcode/grant"
)

// errDown is the error of a store that is down.
var errDown = errors.New("connection refused")

// stoppable is a store that counts its operations, and that a test stops at a
// step or takes down.
type stoppable struct {
	*shifted

	mu    sync.Mutex
	calls []string // "Load session"
	stops map[string]func()
	down  bool
	fails map[string]bool // the next operation of this name fails
	touch time.Duration   // of the last Load of a session
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

// fail makes the next operation of this name fail, and no other.
func (s *stoppable) fail(step string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails = map[string]bool{step: true}
}

// took returns the operations since the last call.
func (s *stoppable) took() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// touched returns the touch of the last Load of a session.
func (s *stoppable) touched() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touch
}

// drop deletes the records of a kind.
func (s *stoppable) drop(t *testing.T, kind string) {
	t.Helper()
	for _, key := range s.keys() {
		if key.Kind != kind {
			continue
		}
		if err := s.shifted.Delete(t.Context(), key, 0); err != nil {
			t.Error(err)
		}
	}
}

// step begins an operation.
func (s *stoppable) step(name, kind string) error {
	s.mu.Lock()
	name += " " + kind
	s.calls = append(s.calls, name)
	down := s.down || s.fails[name]
	delete(s.fails, name)
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

func (s *stoppable) Create(ctx context.Context, r grant.Record) error {
	if err := s.step("Create", r.Kind); err != nil {
		return err
	}
	defer s.reach("after Create " + r.Kind)
	return s.shifted.Create(ctx, r)
}

func (s *stoppable) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if err := s.step("Load", key.Kind); err != nil {
		return grant.Record{}, err
	}
	defer s.reach("after Load " + key.Kind)
	if key.Kind == "session" {
		s.mu.Lock()
		s.touch = touch
		s.mu.Unlock()
	}
	return s.shifted.Load(ctx, key, touch)
}

func (s *stoppable) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	if err := s.step("Swap", key.Kind); err != nil {
		return grant.Record{}, err
	}
	defer s.reach("after Swap " + key.Kind)
	return s.shifted.Swap(ctx, key, w)
}

func (s *stoppable) Delete(ctx context.Context, key grant.Key, version int64) error {
	if err := s.step("Delete", key.Kind); err != nil {
		return err
	}
	defer s.reach("after Delete " + key.Kind)
	return s.shifted.Delete(ctx, key, version)
}

func (s *stoppable) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	if err := s.step("Find", kind); err != nil {
		return nil, err
	}
	defer s.reach("after Find " + kind)
	return s.shifted.Find(ctx, kind, index, d, after, limit)
}
