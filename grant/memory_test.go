package grant_test

import (
	"errors"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
)

// TestMemoryIsBounded: what has expired makes room, and nothing else does.
func TestMemoryIsBounded(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		const most = 3
		m := grant.NewMemory(most)
		create := func(id byte, expires, idle time.Duration) error {
			return m.Create(t.Context(), grant.Record{
				Key: grant.Key{Kind: "k", ID: grant.ID{id}}, Version: 1,
				Content: grant.Content{Expires: expires, Idle: idle},
			})
		}
		for id, idle := range []time.Duration{0, time.Minute, 2 * time.Minute} {
			if err := create(byte(id), time.Hour, idle); err != nil {
				t.Error(err)
			}
		}
		if err := create(9, time.Hour, 0); err == nil || errors.Is(err, grant.ErrExists) {
			t.Errorf("a full store creates: %v", err)
		}
		time.Sleep(90 * time.Second)
		if err := create(9, time.Hour, 0); err != nil {
			t.Error(err)
		}
		if _, err := m.Load(t.Context(), grant.Key{Kind: "k", ID: grant.ID{2}}, 1); err != nil {
			t.Error(err)
		}
		time.Sleep(90 * time.Second)
		if err := create(10, time.Hour, 0); err == nil {
			t.Error("a record that was touched made room")
		}
	})
}

// TestMemorySweepsInBatches: a call of Sweep deletes up to limit records, those
// that have expired, and says exactly whether there are more. Those that are
// left are not abandoned.
func TestMemorySweepsInBatches(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := grant.NewMemory(0)
		key := func(id byte) grant.Key { return grant.Key{Kind: "k", ID: grant.ID{id}} }
		create := func(id byte, expires, idle time.Duration) {
			err := m.Create(t.Context(), grant.Record{Key: key(id), Version: 1,
				Content: grant.Content{Expires: expires, Idle: idle}})
			if err != nil {
				t.Fatal(err)
			}
		}
		const touched = 100 // would be the first to expire
		create(touched, time.Hour, 50*time.Second)
		for id := range byte(5) {
			create(id, time.Hour, 0)
			create(id+10, time.Minute, 0)
			lease := grant.Swap{Owner: "a", Lease: time.Second}
			if _, err := m.Swap(t.Context(), key(id+10), lease); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(40 * time.Second)
		if _, err := m.Load(t.Context(), key(touched), 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Second)
		for i, want := range []bool{true, true, false, false} {
			abandoned, more, err := m.Sweep(t.Context(), 2)
			if err != nil || more != want || len(abandoned) > 0 {
				t.Errorf("call %d of Sweep: %v, %v, %v", i, abandoned, more, err)
			}
		}
	})
}
