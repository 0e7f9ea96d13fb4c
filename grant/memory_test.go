package grant_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode/grant"
)

// TestMemoryIsBounded: what has expired makes room, and nothing else does.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
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
// that have expired, and says exactly whether there are more.
func TestMemorySweepsInBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := grant.NewMemory(0)
		for id := range byte(10) {
			expires := time.Hour
			if id%2 == 1 {
				expires = time.Minute
			}
			if err := m.Create(t.Context(), grant.Record{
				Key: grant.Key{Kind: "k", ID: grant.ID{id}}, Version: 1,
				Content: grant.Content{Expires: expires},
			}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		for i, want := range []bool{true, true, false, false} {
			if _, more, err := m.Sweep(t.Context(), 2); err != nil || more != want {
				t.Errorf("call %d of Sweep: more is %v, %v, want %v", i, more, err, want)
			}
		}
	})
}
