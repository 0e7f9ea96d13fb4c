package redisstore_test

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/redisstore"
)

// trips counts round trips: commands and pipelines that a client sends.
type trips int

func (n *trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		return next(ctx, network, addr)
	}
}

func (n *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, c redis.Cmder) error { *n++; return next(ctx, c) }
}

func (n *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, c []redis.Cmder) error { *n++; return next(ctx, c) }
}

var counted = regexp.MustCompile(
	`cmdstat_(evalsha|eval|zremrangebylex|wait|watch|unwatch):calls=(\d+)`)

// TestCosts: the server's own count of the commands of each operation.
func TestCosts(t *testing.T) {
	s := start(t)
	startReplica(t, s)
	for _, o := range []redisstore.Options{{}, {WaitReplicas: 1, WaitTimeout: 10 * time.Second}} {
		client, n := connect(t, s), new(trips)
		client.AddHook(n)
		store, err := redisstore.New(client, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, operation := range operations(store) { // so that the server knows the scripts
			if err := operation(t, create(t, store)); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range costs(store) {
			r := newRecord()
			if !c.digests {
				r.Digests = [4]grant.Digest{}
			}
			if c.name != "Create" {
				if err := store.Create(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			want := c.want
			if o.WaitReplicas > 0 {
				want = c.waiting
			}
			got := measure(t, s, n, func() error { return c.do(t, r) })
			if normal(got) != normal(want) {
				t.Errorf("%s, digests %v, %+v: %s, want %s", c.name, c.digests, o, got, want)
			}
		}
	}
}

// measure returns the round trips of f and the commands that the server counted.
func measure(t *testing.T, s *redisserver.Server, n *trips, f func() error) string {
	t.Helper()
	run(t, s, "config", "resetstat")
	*n = 0
	if err := f(); err != nil {
		t.Error(err)
	}
	got := fmt.Sprint(*n, " trips:")
	for _, m := range counted.FindAllStringSubmatch(run(t, s, "info", "commandstats"), -1) {
		got += " " + m[1] + "=" + m[2]
	}
	return got
}

// normal sorts the words of a cost.
func normal(cost string) string {
	words := strings.Fields(cost)
	slices.Sort(words)
	return strings.Join(words, " ")
}

const (
	one       = "1 trips: evalsha=1"
	oneWait   = "4 trips: watch=1 evalsha=1 wait=1 unwatch=1"
	again     = "3 trips: evalsha=6" // with index entries
	againWait = "24 trips: watch=6 evalsha=6 wait=6 unwatch=6"
)

type cost struct {
	name          string
	digests       bool
	do            func(*testing.T, grant.Record) error
	want, waiting string
}

func costs(s grant.Store) []cost {
	swap := func(change func(*grant.Swap)) func(*testing.T, grant.Record) error {
		return func(t *testing.T, r grant.Record) error {
			w := grant.Swap{Version: r.Version, Owner: "a", Lease: time.Minute}
			c := r.Content
			w.Content = &c
			change(&w)
			_, err := s.Swap(t.Context(), r.Key, w)
			return err
		}
	}
	load := func(touch time.Duration) func(*testing.T, grant.Record) error {
		return func(t *testing.T, r grant.Record) error {
			_, err := s.Load(t.Context(), r.Key, touch)
			return err
		}
	}
	return []cost{
		{"Create", false, operations(s)["Create"], one, oneWait},
		{"Create", true, operations(s)["Create"], "2 trips: evalsha=5",
			"20 trips: watch=5 evalsha=5 wait=5 unwatch=5"},
		{"Load", true, load(0), one, one},
		{"Load that touches", true, load(time.Nanosecond), one, one},
		{"taking a lease", true, swap(func(w *grant.Swap) { w.Content = nil }), one, one},
		{"saving the same digests", true, swap(func(w *grant.Swap) {}), one, oneWait},
		{"saving a little later", true, swap(func(w *grant.Swap) {
			w.Content.Expires += 10 * time.Minute
		}), one, oneWait},
		{"saving a later end", true, swap(func(w *grant.Swap) { w.Content.Expires *= 2 }), again,
			againWait},
		{"saving another digest", true, swap(func(w *grant.Swap) { w.Content.Digests[1][0]++ }), again,
			againWait},
		{"Delete", false, operations(s)["Delete"], one, one},
		{"Find", true, operations(s)["Find"], "2 trips: evalsha=2", "2 trips: evalsha=2"},
		{"Sweep", true, operations(s)["Sweep"], "1 trips: evalsha=64", "1 trips: evalsha=64"},
	}
}

// TestKeysEnd: every key has a time to live, so that nothing stays forever.
func TestKeysEnd(t *testing.T) {
	s := start(t)
	store, client := open(t, s, redisstore.Options{Prefix: "mine:"}), connect(t, s)
	r := create(t, store)
	w := grant.Swap{Owner: "a", Lease: time.Minute}
	if _, err := store.Swap(t.Context(), r.Key, w); err != nil {
		t.Fatal(err)
	}
	names, err := client.Keys(t.Context(), "*").Result()
	if err != nil || len(names) != 1+4+1 {
		t.Fatalf("the server has %q, %v; want a record, four indexes and one list of leases", names, err)
	}
	for _, name := range names {
		ttl, err := client.PTTL(t.Context(), name).Result()
		if err != nil || ttl <= 0 || ttl > 80*time.Minute+time.Second {
			t.Errorf("%s ends in %v, %v", name, ttl, err)
		}
		if !strings.HasPrefix(name, "mine:{") {
			t.Errorf("%s does not begin with the prefix and a tag", name)
		}
	}
}

// TestMemoryFull: a server without memory refuses new records, and what saves
// those that it has goes on.
func TestMemoryFull(t *testing.T) {
	s := start(t)
	store := open(t, s, redisstore.Options{})
	for name, operation := range operations(store) {
		run(t, s, "config", "set", "maxmemory", "0")
		r := create(t, store)
		fresh := newRecord()
		run(t, s, "config", "set", "maxmemory", "1000")
		if err := store.Create(t.Context(), fresh); err == nil {
			t.Fatalf("Create succeeded without memory")
		}
		if name == "Create" {
			continue
		}
		if err := operation(t, r); err != nil {
			t.Errorf("%s without memory: %v", name, err)
		}
	}
}
