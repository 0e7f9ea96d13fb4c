package redisstore_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/redisstore"
)

// change alters the arguments of each script that creates a record, before they
// are sent.
type change func(stamps, indexedAt *any)

func (f change) DialHook(next redis.DialHook) redis.DialHook { return next }

func (f change) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error {
		if a := c.Args(); strings.HasPrefix(c.Name(), "eval") && len(a) == 12 {
			f(&a[9], &a[10])
		}
		return next(ctx, c)
	}
}

func (f change) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func indexName(r grant.Record, i grant.Index) string {
	return fmt.Sprintf("authcode:{%s:%d:%s}", r.Kind, i, hex.EncodeToString(r.Digests[i][:]))
}

// addEntry adds an index entry that was written and ends at these times from now.
func addEntry(t *testing.T, c *redis.Client, r grant.Record, written, ends time.Duration) {
	t.Helper()
	now := time.Now()
	entry := fmt.Sprintf("%s%016d%016d", r.ID[:], now.Add(written).UnixMicro(),
		now.Add(ends).UnixMicro())
	if err := c.ZAdd(t.Context(), indexName(r, 0), redis.Z{Member: entry}).Err(); err != nil {
		t.Fatal(err)
	}
}

func entries(t *testing.T, c *redis.Client, r grant.Record) int64 {
	t.Helper()
	n, err := c.ZCard(t.Context(), indexName(r, 0)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDeadEntries: Find drops index entries without a record, unless they are so
// young that the record may come next.
func TestDeadEntries(t *testing.T) {
	s := start(t)
	store, client := open(t, s, redisstore.Options{}), connect(t, s)
	for _, c := range []struct {
		name    string
		written time.Duration
		exists  bool // the record does
		with    bool // it has the digest
		want    int64
	}{
		{"no record, old", -6 * time.Minute, false, false, 0},
		{"no record, young", -4 * time.Minute, false, false, 1},
		{"a record with another digest, old", -6 * time.Minute, true, false, 0},
		{"a record with another digest, young", -4 * time.Minute, true, false, 1},
		{"a record with this digest", -6 * time.Minute, true, true, 2},
	} {
		r := newRecord()
		other := r
		if !c.with {
			other.Digests[0][0]++
		}
		if c.exists {
			if err := store.Create(t.Context(), other); err != nil {
				t.Fatal(err)
			}
		}
		addEntry(t, client, r, c.written, time.Hour)
		for range 2 {
			if got := finds(t, store, r, 0); got != c.with {
				t.Errorf("%s: Find returns it: %v", c.name, got)
			}
		}
		if got := entries(t, client, r); got != c.want {
			t.Errorf("%s: %d entries remain, want %d", c.name, got, c.want)
		}
	}
}

// TestEndedEntries: entries that have ended leave an index as it grows.
func TestEndedEntries(t *testing.T) {
	s := start(t)
	store, client := open(t, s, redisstore.Options{}), connect(t, s)
	r := newRecord()
	for range 100 {
		old := newRecord()
		old.Digests = r.Digests
		addEntry(t, client, old, -2*time.Hour, -time.Second)
	}
	for range 100 {
		alive := newRecord()
		alive.Digests = r.Digests
		if err := store.Create(t.Context(), alive); err != nil {
			t.Fatal(err)
		}
	}
	found, err := store.Find(t.Context(), r.Kind, 0, r.Digests[0], grant.ID{}, 1000)
	if n := entries(t, client, r); n > 150 || len(found) != 100 || err != nil {
		t.Errorf("of 100 entries that have ended and 100 others, %d remain; Find returned %d, %v",
			n, len(found), err)
	}
}

// TestLateRecord: a record whose index entries were written too long ago gets new
// ones, since Find may have dropped the others meanwhile.
func TestLateRecord(t *testing.T) {
	s := start(t)
	client := connect(t, s)
	late := 0 // how often the record is late
	client.AddHook(change(func(_, indexedAt *any) {
		if late--; late >= 0 {
			*indexedAt = (*indexedAt).(int64) - 61e6
		}
	}))
	store, err := redisstore.New(client, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	create(t, store) // so that the server knows the scripts, and each is sent once
	for n, want := range map[int]int64{0: 1, 1: 2, 2: 3} {
		late = n
		r := create(t, store)
		if got := entries(t, client, r); got != want || !finds(t, store, r, 0) {
			t.Errorf("late %d times: %d entries, want %d", n, got, want)
		}
	}
	late = 100
	if err := store.Create(t.Context(), newRecord()); err == nil ||
		!strings.Contains(err.Error(), "out of date") {
		t.Errorf("always late: %v", err)
	}
}

// TestFormerEntries: Delete and Swap drop the index entries that the record no
// longer needs, unless they are young, when a repeated Create could still need
// them.
func TestFormerEntries(t *testing.T) {
	s := start(t)
	client := connect(t, s)
	var stamp string
	client.AddHook(change(func(stamps, _ *any) {
		if stamp != "" {
			*stamps = strings.Repeat(stamp, 4)
		}
	}))
	store, err := redisstore.New(client, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	swap := func(change func(*grant.Content)) func(grant.Record) error {
		return func(r grant.Record) error {
			change(&r.Content)
			_, err := store.Swap(t.Context(), r.Key, grant.Swap{Version: r.Version, Content: &r.Content})
			return err
		}
	}
	for name, c := range map[string]struct {
		age  time.Duration
		do   func(grant.Record) error
		want int64 // with the one that Create wrote, which the hook has hidden
	}{
		"deleted": {6 * time.Minute, func(r grant.Record) error {
			return store.Delete(t.Context(), r.Key, 0)
		}, 1},
		"deleted young": {4 * time.Minute, func(r grant.Record) error {
			return store.Delete(t.Context(), r.Key, 0)
		}, 2},
		"another digest":       {6 * time.Minute, swap(func(c *grant.Content) { c.Digests[0][0]++ }), 1},
		"another digest young": {4 * time.Minute, swap(func(c *grant.Content) { c.Digests[0][0]++ }), 2},
		"no digests":           {6 * time.Minute, swap(func(c *grant.Content) { clear(c.Digests[:]) }), 1},
		"a longer life":        {6 * time.Minute, swap(func(c *grant.Content) { c.Expires *= 2 }), 2},
		"the same":             {6 * time.Minute, swap(func(*grant.Content) {}), 2},
	} {
		r := newRecord()
		stamp = fmt.Sprintf("%016d", time.Now().Add(-c.age).UnixMicro())
		entry := string(r.ID[:]) + stamp + strings.Repeat("9", 16)
		client.ZAdd(t.Context(), indexName(r, 0), redis.Z{Member: entry})
		if err := store.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if err := c.do(r); err != nil {
			t.Fatal(err)
		}
		if got := entries(t, client, r); got != c.want {
			t.Errorf("%s: %d entries remain, want %d", name, got, c.want)
		}
	}
}

// TestFindPages: Find reads an index of several pages, with dead entries between.
func TestFindPages(t *testing.T) {
	s := start(t)
	store, client := open(t, s, redisstore.Options{}), connect(t, s)
	r := newRecord()
	for i := range 1200 {
		other := newRecord()
		other.Digests = [4]grant.Digest{r.Digests[0]}
		if i%2 == 0 {
			addEntry(t, client, other, 0, time.Hour)
		} else if err := store.Create(t.Context(), other); err != nil {
			t.Fatal(err)
		}
	}
	for limit, want := range map[int]int{0: 0, 1: 1, 599: 599, 600: 600, 1 << 30: 600} {
		found, err := store.Find(t.Context(), r.Kind, 0, r.Digests[0], grant.ID{}, limit)
		if err != nil || len(found) != want {
			t.Errorf("limit %d: %d records, %v, want %d", limit, len(found), err, want)
		}
	}
}

// TestUse: a state is used once.
func TestUse(t *testing.T) {
	s := start(t)
	for i, want := range []bool{true, false, false} {
		store := open(t, s, redisstore.Options{})
		fresh, err := store.Use(t.Context(), "state", time.Now().Add(time.Minute))
		if fresh != want || err != nil {
			t.Errorf("use %d: %v, %v", i, fresh, err)
		}
	}
	store := open(t, s, redisstore.Options{Prefix: "other:"})
	fresh, err := store.Use(t.Context(), "state", time.Now().Add(time.Minute))
	if !fresh || err != nil {
		t.Errorf("another app's prefix: %v, %v", fresh, err)
	}
}
