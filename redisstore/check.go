package redisstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// Check connects, and returns an error if the server loses records by design:
// its maxmemory-policy is not noeviction, or it is a replica; or if it is older
// than Redis 7.0. In a Cluster it checks each master. What is a decision of the
// operator's becomes a warning in slog's default logger: appendonly is no, or the
// server does not let the client see its settings.
//
// The first operation does the same, and fails in the same way, until a check has
// passed. An app calls Check to know before it starts.
func (s *Store) Check(ctx context.Context) error {
	_, err := until(ctx, func() (struct{}, error) { return struct{}{}, s.checkNow(ctx) })
	return err
}

// checkOnce checks the servers unless that has been done.
func (s *Store) checkOnce(ctx context.Context) error {
	if s.checked.Load() {
		return nil
	}
	return s.checkNow(ctx)
}

func (s *Store) checkNow(ctx context.Context) error {
	warnings, err := s.check(ctx)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		slog.Default().WarnContext(ctx, "redisstore: "+w)
	}
	s.checked.Store(true)
	return nil
}

// check looks at each server that has records.
func (s *Store) check(ctx context.Context) (warnings []string, err error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return inspect(ctx, s.client)
	}
	var mu sync.Mutex
	err = cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		w, err := inspect(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		for _, text := range w {
			warnings = append(warnings, c.Options().Addr+": "+text)
		}
		return err
	})
	return warnings, err
}

// inspect reads what one server says of itself.
func inspect(ctx context.Context, c redis.Cmdable) (warnings []string, err error) {
	text, err := c.Info(ctx).Result()
	if refusal := redis.Error(nil); errors.As(err, &refusal) {
		return []string{"INFO is refused, so that the store cannot see whether the server evicts" +
			" records (maxmemory-policy must be noeviction) or loses them when it crashes" +
			" (appendonly should be yes): " + err.Error()}, nil
	} else if err != nil {
		return nil, err
	}
	info := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		info[name] = value
	}
	major, _, _ := strings.Cut(info["redis_version"], ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		return nil, fmt.Errorf("the server is Redis %s: use 7.0 or newer", info["redis_version"])
	}
	if info["role"] == "slave" {
		return nil, errors.New("the server is a replica, which may have a token that has been replaced:" +
			" connect to its master, by Sentinel for example")
	}
	if policy := info["maxmemory_policy"]; policy != "" && policy != "noeviction" {
		return nil, fmt.Errorf("the server's maxmemory-policy is %s, which deletes records of people"+
			" who are signed in: set it to noeviction", policy)
	}
	if info["aof_enabled"] == "0" {
		warnings = append(warnings, "the server's appendonly is no: if it crashes, it forgets"+
			" everybody who has signed in, or renewed a token, since its last snapshot; set it to yes")
	}
	return warnings, nil
}
