package interop

import (
	"testing"
	"time"

	"example.com/authcode/internal/redisserver"
)

// killRedis is Redis, alone.
func killRedis(t *testing.T) *killBackend {
	program, err := redisserver.Find()
	need(t, err)
	server, err := program.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	proxy := newCuttable(t, func() string { return server.Addr })
	b := &killBackend{direct: server.Addr, dsn: proxy.address, outages: killProxy(proxy)}
	b.outages["restarted"] = func(d time.Duration) error {
		server.Kill()
		time.Sleep(d / 2)
		return server.Start()
	}
	return b
}

// killReplicated is Redis with a replica, which takes over once, after a third of
// the time. The new master gets a replica, too.
func killReplicated(t *testing.T) *killBackend {
	p := startRedisPair(t)
	proxy := newCuttable(t, func() string { return p.current.Load().Addr })
	b := &killBackend{direct: proxy.address, dsn: proxy.address, outages: killProxy(proxy)}
	after := time.Now().Add(time.Duration(killSeconds(t)) * time.Second / 3)
	b.due = func() bool { return p.current.Load() == p.master && time.Now().After(after) }
	b.once = func() error {
		if err := p.failover(); err != nil {
			return err
		}
		proxy.cut(false)
		next, err := p.replica.StartReplica(t.TempDir())
		t.Cleanup(next.Kill)
		return err
	}
	return b
}
