package redisstore_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/redisstore"
)

// TestNew: New names what is wrong with its arguments.
func TestNew(t *testing.T) {
	client := func(timeout time.Duration) redis.UniversalClient {
		return redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", ReadTimeout: timeout})
	}
	type options = redis.ClusterOptions
	cluster := func(o options) redis.UniversalClient {
		o.Addrs = []string{"127.0.0.1:1"}
		return redis.NewClusterClient(&o)
	}
	good, none := client(0), redisstore.Options{}
	for name, c := range map[string]struct {
		client  redis.UniversalClient
		options redisstore.Options
		want    string
	}{
		"a client":                  {good, redisstore.Options{Prefix: "a:", WaitReplicas: 1}, ""},
		"a Cluster":                 {cluster(options{}), none, ""},
		"no client":                 {nil, none, "client is nil"},
		"no time-out":               {client(-1), none, "no ReadTimeout"},
		"no deadline":               {client(-2), none, "no ReadTimeout"},
		"a Cluster, no time-out":    {cluster(options{ReadTimeout: -1}), none, "no ReadTimeout"},
		"a Cluster's replicas":      {cluster(options{ReadOnly: true}), none, "ReadOnly"},
		"a Cluster's nearest":       {cluster(options{RouteByLatency: true}), none, "ReadOnly"},
		"any of a Cluster":          {cluster(options{RouteRandomly: true}), none, "ReadOnly"},
		"a Ring":                    {redis.NewRing(&redis.RingOptions{}), none, "Ring"},
		"a tag in Prefix":           {good, redisstore.Options{Prefix: "{a}:"}, "Options.Prefix"},
		"half a tag in Prefix":      {good, redisstore.Options{Prefix: "a}:"}, "Options.Prefix"},
		"WaitReplicas is negative":  {good, redisstore.Options{WaitReplicas: -1}, "Options.WaitReplicas"},
		"WaitTimeout is negative":   {good, redisstore.Options{WaitReplicas: 1, WaitTimeout: -1}, "WaitTimeout"},
		"WaitTimeout, no replicas":  {good, redisstore.Options{WaitTimeout: 1}, "Options.WaitTimeout"},
		"two faults, the first":     {nil, redisstore.Options{Prefix: "{"}, "client"},
		"two faults, and the other": {nil, redisstore.Options{Prefix: "{"}, "Prefix"},
	} {
		_, err := redisstore.New(c.client, c.options)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// captureLog returns what is written to slog's default logger.
func captureLog(t *testing.T) *bytes.Buffer {
	log, before := new(bytes.Buffer), slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return log
}

// TestCheck: servers that lose records by design are refused, by Check and by
// the first operation. What may be intended is said, once.
func TestCheck(t *testing.T) {
	log, s := captureLog(t), start(t)
	for _, c := range []struct {
		name     string
		settings []string // set one after another
		fault    string
		warning  string
	}{
		{"noeviction, AOF", nil, "", ""},
		{"all keys evicted", []string{"maxmemory-policy", "allkeys-lru"}, "is allkeys-lru", ""},
		{"keys with a TTL evicted", []string{"maxmemory-policy", "volatile-ttl"}, "is volatile-ttl", ""},
		{"noeviction again", []string{"maxmemory-policy", "noeviction"}, "", ""},
		{"no AOF", []string{"appendonly", "no"}, "", "appendonly is no"},
	} {
		if c.settings != nil {
			run(t, s, append([]string{"config", "set"}, c.settings...)...)
		}
		for _, how := range []string{"Check", "Create"} {
			log.Reset()
			store := open(t, s, redisstore.Options{})
			first := map[string]func() error{
				"Check":  func() error { return store.Check(t.Context()) },
				"Create": func() error { return store.Create(t.Context(), newRecord()) },
			}
			err := first[how]()
			if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%s, %s: %v, want %q", c.name, how, err, c.fault)
			}
			if c.fault == "" {
				create(t, store) // is not checked again
			}
			want := map[bool]int{true: 1}[c.warning != ""]
			if got := log.String(); strings.Count(got, "\n") != want || !strings.Contains(got, c.warning) {
				t.Errorf("%s, %s: logged %q, want %q once", c.name, how, got, c.warning)
			}
		}
	}
}

// TestCheckRefused: a server that does not show its settings is used, and that
// is said.
func TestCheckRefused(t *testing.T) {
	log, s := captureLog(t), start(t)
	// The commands that doc.go names, without info.
	run(t, s, append([]string{"acl", "setuser", "app", "on", "nopass", "~authcode:*", "-@all"},
		strings.Fields("+hello +eval +evalsha +zrem +wait +watch +unwatch +hget +hset +del +pexpireat"+
			" +pexpiretime +zadd +zrandmember +zrangebylex +zrangebyscore +zremrangebylex +time")...)...)
	client := redis.NewClient(&redis.Options{Addr: s.Addr, Username: "app", Password: "x"})
	defer client.Close()
	store, err := redisstore.New(client, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, operation := range operations(store) {
		if err := operation(t, create(t, store)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !strings.Contains(log.String(), "INFO is refused") {
		t.Errorf("logged %q", log)
	}
}
