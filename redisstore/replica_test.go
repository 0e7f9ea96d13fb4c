package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/redisstore"
)

// startReplica runs a replica of s.
func startReplica(t testing.TB, s *redisserver.Server) *redisserver.Server {
	t.Helper()
	r, err := s.StartReplica(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Kill)
	return r
}

// TestWaitReplicas: a write that no replica confirms is an error, and was
// executed. Repeating it succeeds when the replica is back.
func TestWaitReplicas(t *testing.T) {
	s := start(t)
	replica := startReplica(t, s)
	waiting := redisstore.Options{WaitReplicas: 1, WaitTimeout: 300 * time.Millisecond}
	store, plain := open(t, s, waiting), open(t, s, redisstore.Options{})
	patient := open(t, s, redisstore.Options{WaitReplicas: 1, WaitTimeout: 20 * time.Second})
	r := create(t, patient)
	replica.Freeze()
	w := grant.Swap{Version: r.Version, Content: &r.Content}
	for range 2 { // The second one finds the first one's work, which is still not safe.
		_, err := store.Swap(t.Context(), r.Key, w)
		if err == nil || !strings.Contains(err.Error(), "0 of 1 replicas have confirmed") {
			t.Errorf("Swap without its replica: %v", err)
		}
	}
	fresh := newRecord()
	fresh.Digests = [4]grant.Digest{} // whose entries would wait, too
	for range 2 {
		if err := store.Create(t.Context(), fresh); err == nil {
			t.Errorf("Create succeeded without its replica")
		}
	}
	for _, name := range []string{"Load", "Swap", "Sweep"} { // lose no token, and do not wait
		if err := operations(store)[name](t, r); err != nil {
			t.Errorf("%s without the replica: %v", name, err)
		}
	}
	if _, err := plain.Load(t.Context(), fresh.Key, 0); err != nil {
		t.Errorf("what the replica has not confirmed: %v", err)
	}
	replica.Thaw()
	if got, err := patient.Swap(t.Context(), r.Key, w); !errors.Is(err, grant.ErrConflict) ||
		got.Version != r.Version+1 {
		t.Errorf("repeated Swap with its replica: version %d, %v", got.Version, err)
	}
	if err := patient.Create(t.Context(), fresh); err != nil {
		t.Errorf("repeated Create with its replica: %v", err)
	}
}

// TestFailover: what a replica has confirmed is there when it takes over.
func TestFailover(t *testing.T) {
	s := start(t)
	replica := startReplica(t, s)
	store := open(t, s, redisstore.Options{WaitReplicas: 1, WaitTimeout: 10 * time.Second})
	var saved []grant.Record
	for range 100 {
		saved = append(saved, create(t, store))
	}
	s.Kill()
	if err := replica.Promote(); err != nil {
		t.Fatal(err)
	}
	after := open(t, replica, redisstore.Options{})
	for _, r := range saved {
		if _, err := after.Load(t.Context(), r.Key, 0); err != nil {
			t.Fatalf("a record that was saved: %v", err)
		}
		if !finds(t, after, r, grant.BySession) {
			t.Fatalf("a record that was saved is not found")
		}
	}
}

// TestNoReplica: no operation runs on a replica, where a token may have been
// replaced, even if it only reads.
func TestNoReplica(t *testing.T) {
	s := start(t)
	store := open(t, startReplica(t, s), redisstore.Options{})
	if _, err := store.Load(t.Context(), newRecord().Key, 0); err == nil ||
		!strings.Contains(err.Error(), "is a replica") {
		t.Errorf("the first Load from a replica: %v", err)
	}
	// The server becomes a replica after the store has checked it.
	other := start(t)
	store = open(t, other, redisstore.Options{})
	r := create(t, store)
	host, port, _ := strings.Cut(s.Addr, ":")
	run(t, other, "replicaof", host, port)
	for name, operation := range operations(store) {
		if name == "Find" {
			continue
		}
		if err := operation(t, r); err == nil || errors.Is(err, grant.ErrNotFound) {
			t.Errorf("%s on a replica: %v", name, err)
		}
	}
	_, err := store.Find(t.Context(), r.Kind, 0, r.Digests[0], grant.ID{}, 1)
	if err == nil {
		t.Errorf("Find on a replica succeeded")
	}
}

// TestFrozenServer: an operation ends with its context, although the server
// keeps the connection and does not answer.
func TestFrozenServer(t *testing.T) {
	s := start(t)
	store := open(t, s, redisstore.Options{})
	r := create(t, store)
	s.Freeze()
	defer s.Thaw()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	before := time.Now()
	_, err := store.Load(ctx, r.Key, 0)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(before) > 3*time.Second {
		t.Errorf("Load from a frozen server took %v: %v", time.Since(before), err)
	}
}
