package interop

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
	"example.com/authcode/internal/redisserver"
	"example.com/authcode/redisstore"
)

// redisPair is Redis with a replica, for one test.
type redisPair struct {
	master, replica *redisserver.Server
	current         atomic.Pointer[redisserver.Server] // where clients go
}

func startRedisPair(t *testing.T) *redisPair {
	t.Helper()
	program, err := redisserver.Find()
	need(t, err)
	p := new(redisPair)
	if p.master, err = program.Start(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.master.Kill)
	if p.replica, err = p.master.StartReplica(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.replica.Kill)
	p.current.Store(p.master)
	return p
}

// failover kills the master. The replica takes over with what it has, and clients
// go there.
func (p *redisPair) failover() error {
	p.master.Kill()
	err := p.replica.Promote()
	p.current.Store(p.replica)
	return err
}

// open returns a store whose client follows a failover.
func (p *redisPair) open(t *testing.T, o redisstore.Options) *redisstore.Store {
	t.Helper()
	client := redis.NewClient(&redis.Options{
		Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, p.current.Load().Addr)
		},
	})
	t.Cleanup(func() { client.Close() })
	s, err := redisstore.New(client, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRedisFailover: while many records are renewed, Redis dies and its replica
// takes over. With WaitReplicas no version that was saved is lost. Without it some
// may be; they are counted.
func TestRedisFailover(t *testing.T) {
	for name, o := range map[string]redisstore.Options{
		"waiting":     {WaitReplicas: 1, WaitTimeout: 5 * time.Second},
		"not waiting": {},
	} {
		t.Run(name, func(t *testing.T) {
			renewals, lost := failOver(t, o)
			t.Logf("%d renewals; %d of %d records lack the last one", renewals, lost, renewing)
			if renewals == 0 || lost > 0 && o.WaitReplicas > 0 {
				t.Errorf("%d of %d renewals that were saved are lost", lost, renewals)
			}
		})
	}
}

const renewing = 20 // records at the same time

// failOver returns how many renewals were saved, and how many records lack the
// last one after a failover.
func failOver(t *testing.T, o redisstore.Options) (renewals int64, lost int) {
	p := startRedisPair(t)
	s := p.open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ends := make(chan grant.Record, renewing)
	for range renewing {
		r := grant.Record{Key: grant.Key{Kind: "grant"}, Version: 1}
		rand.Read(r.ID[:])
		r.Data, r.Expires = []byte("token"), time.Hour
		if err := s.Create(ctx, r); err != nil {
			t.Fatal(err)
		}
		go func() { ends <- renew(ctx, s, r) }()
	}
	time.Sleep(200 * time.Millisecond) // in the middle of the renewals
	if err := p.failover(); err != nil {
		t.Fatal(err)
	}
	cancel() // go-redis repeats what has failed, so nothing else ends them
	after := p.open(t, redisstore.Options{})
	for range renewing {
		want := <-ends
		got, err := after.Load(t.Context(), want.Key, 0)
		if err != nil && !errors.Is(err, grant.ErrNotFound) {
			t.Fatal(err)
		}
		if renewals += want.Version - 1; got.Version < want.Version {
			lost++
		}
	}
	return renewals, lost
}

// renew saves a record again and again, until that fails. It returns the record as
// it was saved last.
func renew(ctx context.Context, s grant.Store, r grant.Record) grant.Record {
	for {
		next, err := s.Swap(ctx, r.Key, grant.Swap{Version: r.Version, Content: &r.Content})
		if err != nil {
			return r
		}
		r = next
	}
}
