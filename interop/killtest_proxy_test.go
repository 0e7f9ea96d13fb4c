package interop

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cuttable stands between a store and its clients, and cuts their connections.
type cuttable struct {
	address string
	target  func() string

	mu    sync.Mutex
	away  bool // new connections are closed at once
	conns map[net.Conn]bool
}

func newCuttable(t *testing.T, target func() string) *cuttable {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &cuttable{address: l.Addr().String(), target: target, conns: make(map[net.Conn]bool)}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.carry(conn)
		}
	}()
	return c
}

// carry copies both ways until one side ends, or the connection is cut.
func (c *cuttable) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", c.target())
	if err != nil {
		return
	}
	defer server.Close()
	if !c.keep(client, server) {
		return
	}
	defer c.forget(client, server)
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

func (c *cuttable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		c.conns[conn] = true
	}
	return !c.away
}

func (c *cuttable) forget(conns ...net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		delete(c.conns, conn)
	}
}

// cut closes all connections. What was sent may have been executed. If away is
// set, there are no new ones until the next cut.
func (c *cuttable) cut(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
	for conn := range c.conns {
		conn.Close()
		delete(c.conns, conn)
	}
}
