package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/grant/storetest"
	"example.com/authcode/redisstore"
)

// TestStore: the store keeps the contract.
func TestStore(t *testing.T) {
	t.Parallel()
	s := start(t)
	storetest.Test(t, func(t *testing.T) grant.Store { return open(t, s, redisstore.Options{}) })
}

// TestStoreReplicas: it does so when each write waits for a replica.
func TestStoreReplicas(t *testing.T) {
	t.Parallel()
	s := start(t)
	startReplica(t, s)
	storetest.Test(t, func(t *testing.T) grant.Store {
		return open(t, s, redisstore.Options{WaitReplicas: 1, WaitTimeout: 10 * time.Second})
	})
}

// TestStoreCluster: it does so in a Cluster.
func TestStoreCluster(t *testing.T) {
	t.Parallel()
	client := startCluster(t)
	storetest.Test(t, func(t *testing.T) grant.Store {
		store, err := redisstore.New(client, redisstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

// startCluster returns a client of a Cluster of three servers.
func startCluster(t *testing.T) *redis.ClusterClient {
	t.Helper()
	servers, err := program(t).StartCluster(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, s := range servers {
		t.Cleanup(s.Kill)
		addrs = append(addrs, s.Addr)
	}
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { client.Close() })
	return client
}

// TestScriptsForgotten: a server that does not know the scripts gets them again.
func TestScriptsForgotten(t *testing.T) {
	s := start(t)
	store := open(t, s, redisstore.Options{})
	for name, operation := range operations(store) {
		r := create(t, store)
		run(t, s, "script", "flush")
		if err := operation(t, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// operations are all operations, on a record.
func operations(s grant.Store) map[string]func(*testing.T, grant.Record) error {
	return map[string]func(*testing.T, grant.Record) error{
		"Create": func(t *testing.T, r grant.Record) error { return s.Create(t.Context(), r) },
		"Load": func(t *testing.T, r grant.Record) error {
			_, err := s.Load(t.Context(), r.Key, time.Nanosecond)
			return err
		},
		"Swap": func(t *testing.T, r grant.Record) error {
			_, err := s.Swap(t.Context(), r.Key, grant.Swap{Owner: "a", Lease: time.Minute})
			return err
		},
		"Swap of Content": func(t *testing.T, r grant.Record) error {
			_, err := s.Swap(t.Context(), r.Key, grant.Swap{Version: r.Version, Content: &r.Content})
			return err
		},
		"Delete": func(t *testing.T, r grant.Record) error { return s.Delete(t.Context(), r.Key, 0) },
		"Find": func(t *testing.T, r grant.Record) error {
			if !finds(t, s, r, grant.ByPerson) {
				return errors.New("the record is not found")
			}
			return nil
		},
		"Sweep": func(t *testing.T, r grant.Record) error {
			_, _, err := s.Sweep(t.Context(), 10)
			return err
		},
	}
}

// TestRestart: what a crash of the server leaves is there afterwards.
func TestRestart(t *testing.T) {
	s := start(t, "--appendfsync", "always")
	store := open(t, s, redisstore.Options{})
	r := create(t, store)
	w := grant.Swap{Owner: "a", Lease: time.Millisecond}
	if _, err := store.Swap(t.Context(), r.Key, w); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	got, err := store.Load(t.Context(), r.Key, 0)
	if err != nil || string(got.Data) != string(r.Data) || got.Lease.Owner != "a" {
		t.Errorf("after a restart, Load returned %+v, %v", got, err)
	}
	if !finds(t, store, r, grant.ByIssuer) {
		t.Errorf("after a restart, Find does not see the record")
	}
	if keys, _, err := store.Sweep(t.Context(), 1); err != nil || len(keys) != 1 || keys[0] != r.Key {
		t.Errorf("after a restart, Sweep returned %v, %v", keys, err)
	}
}

// TestFlushed: on a server that has lost everything, records are not found, and
// nothing else is wrong.
func TestFlushed(t *testing.T) {
	s := start(t)
	store := open(t, s, redisstore.Options{})
	want := map[string]error{
		"Load": grant.ErrNotFound, "Swap": grant.ErrNotFound, "Swap of Content": grant.ErrNotFound,
	}
	for name, operation := range operations(store) {
		if name == "Find" {
			continue
		}
		r := create(t, store)
		run(t, s, "flushall")
		if err := operation(t, r); !errors.Is(err, want[name]) {
			t.Errorf("%s after FLUSHALL: %v, want %v", name, err, want[name])
		}
	}
	r := create(t, store)
	run(t, s, "flushall")
	if finds(t, store, r, grant.ByPerson) {
		t.Errorf("Find after FLUSHALL returns the record")
	}
}
