package redisstore_test

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/redisstore"
)

// program returns Redis. Without it, a test is skipped and says how to get it, or
// fails where CI promises that it is there.
func program(t testing.TB) redisserver.Program {
	t.Helper()
	p, err := redisserver.Find()
	switch {
	case err != nil && os.Getenv("CI") == "true":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
	return p
}

// start runs a server for one test.
func start(t testing.TB, settings ...string) *redisserver.Server {
	t.Helper()
	s, err := program(t).Start(t.TempDir(), settings...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// connect returns a client of a server.
func connect(t testing.TB, s *redisserver.Server) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr})
	t.Cleanup(func() { c.Close() })
	return c
}

// open returns a store on a server, with a client of its own.
func open(t testing.TB, s *redisserver.Server, o redisstore.Options) *redisstore.Store {
	t.Helper()
	store, err := redisstore.New(connect(t, s), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// newRecord returns a record with all digests.
func newRecord() grant.Record {
	r := grant.Record{Key: grant.Key{Kind: "grant"}, Version: 1 << 62}
	rand.Read(r.ID[:])
	r.Data, r.Expires = []byte("data\x00\r\n\xff"), time.Hour
	for i := range r.Digests {
		rand.Read(r.Digests[i][:])
	}
	return r
}

// create adds a record.
func create(t testing.TB, s grant.Store) grant.Record {
	t.Helper()
	r := newRecord()
	if err := s.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// finds returns whether Find returns the record by this index.
func finds(t testing.TB, s grant.Store, r grant.Record, i grant.Index) bool {
	t.Helper()
	found, err := s.Find(t.Context(), r.Kind, i, r.Digests[i], grant.ID{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	return len(found) == 1 && found[0].Key == r.Key
}

// run sends a command that must succeed.
func run(t testing.TB, s *redisserver.Server, command ...string) string {
	t.Helper()
	answer, err := s.Do(command...)
	if err != nil || strings.HasPrefix(answer, "ERR") {
		t.Fatalf("%q: %s (%v)", command, answer, err)
	}
	return answer
}
