package session_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/grant"
)

// shifted is a memory store whose clock a test moves. (Servers with sockets
// cannot run in the bubble of testing/synctest.)
type shifted struct {
	*grant.Memory

	mu    sync.Mutex
	ahead time.Duration
	known map[grant.Key]*times
}

// times are how far the clock was ahead when a record was written and touched.
type times struct{ wrote, seen time.Duration }

func newShifted() *shifted {
	return &shifted{Memory: grant.NewMemory(0), known: make(map[grant.Key]*times)}
}

// advance moves the clock.
func (s *shifted) advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ahead += d
}

// count returns how many records of a kind there are.
func (s *shifted) count(kind string) (n int) {
	for _, key := range s.keys() {
		if key.Kind == kind {
			n++
		}
	}
	return n
}

func (s *shifted) keys() (all []grant.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key := range s.known {
		all = append(all, key)
	}
	return all
}

// shift returns r with its times shifted by the clock.
func (s *shifted) shift(r grant.Record, err error) (grant.Record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[r.Key]
	if known == nil {
		return r, err
	}
	r.Age += s.ahead - known.wrote
	r.Expires -= s.ahead - known.wrote
	r.Seen += s.ahead - known.seen
	if r.Left = r.Expires; r.Idle > 0 {
		r.Left = min(r.Left, r.Idle-r.Seen)
	}
	if err == nil && r.Left <= 0 {
		return grant.Record{}, grant.ErrNotFound
	}
	return r, err
}

func (s *shifted) Create(ctx context.Context, r grant.Record) error {
	err := s.Memory.Create(ctx, r)
	if err == nil {
		s.mu.Lock()
		s.known[r.Key] = &times{s.ahead, s.ahead}
		s.mu.Unlock()
	}
	return err
}

func (s *shifted) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	r, err := s.shift(s.Memory.Load(ctx, key, 0))
	if err != nil || touch == 0 || r.Seen < touch {
		return r, err
	}
	r, err = s.Memory.Load(ctx, key, 1)
	s.mu.Lock()
	if known := s.known[key]; known != nil {
		known.seen = s.ahead
	}
	s.mu.Unlock()
	return s.shift(r, err)
}

func (s *shifted) Swap(ctx context.Context, key grant.Key, w grant.Swap) (grant.Record, error) {
	r, err := s.Memory.Swap(ctx, key, w)
	s.mu.Lock()
	if known := s.known[key]; known != nil && err == nil && w.Content != nil {
		known.wrote = s.ahead
	}
	s.mu.Unlock()
	return s.shift(r, err)
}

func (s *shifted) Delete(ctx context.Context, key grant.Key, version int64) error {
	err := s.Memory.Delete(ctx, key, version)
	if err == nil {
		s.mu.Lock()
		delete(s.known, key)
		s.mu.Unlock()
	}
	return err
}

func (s *shifted) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) (found []grant.Record, err error) {
	all, err := s.Memory.Find(ctx, kind, index, d, after, limit)
	for _, r := range all {
		if r, gone := s.shift(r, nil); gone == nil {
			found = append(found, r)
		}
	}
	return found, err
}

// dump is what a thief of the store reads.
func (s *shifted) dump(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, key := range s.keys() {
		r, err := s.Memory.Load(t.Context(), key, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %x %s %x %s\n", r.ID, r.ID, r.Data, r.Data, r.Digests)
	}
	return b.String()
}

// swapRecords puts the content of each session into another session's record.
func (s *shifted) swapRecords(t *testing.T) {
	t.Helper()
	var all []grant.Record
	for _, key := range s.keys() {
		if r, err := s.Memory.Load(t.Context(), key, 0); err == nil && key.Kind == "session" {
			all = append(all, r)
			s.Memory.Delete(t.Context(), key, 0)
		}
	}
	for i, r := range all {
		r.Key = all[(i+1)%len(all)].Key
		if err := s.Memory.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}
