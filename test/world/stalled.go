package world

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Stalled posts to server a body of which the last 998 announced bytes never
// come, over a connection that stays open. It returns how long the
// server kept the connection, and what it answered. With inMemory it opens no
// socket, so that it runs inside a testing/synctest bubble.
func Stalled(t testing.TB, server *http.Server, inMemory bool, target, kind, body string) (
	kept time.Duration, answer string,
) {
	t.Helper()
	var listener net.Listener = &pipe{conns: make(chan net.Conn), done: make(chan struct{})}
	if !inMemory {
		var err error
		if listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		server.Close()
		<-served
	}()
	began := time.Now()
	conn := dial(t, listener)
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: app.example\r\nContent-Type: %s\r\n"+
		"Content-Length: %d\r\n\r\n%s", target, kind, len(body)+998, body)
	conn.SetReadDeadline(began.Add(30 * time.Second))
	text, err := io.ReadAll(conn)
	if err != nil {
		t.Errorf("the connection is still open after %v: %v", time.Since(began), err)
	}
	return time.Since(began), string(text)
}

func dial(t testing.TB, listener net.Listener) net.Conn {
	t.Helper()
	if p, ok := listener.(*pipe); ok {
		client, server := net.Pipe()
		p.conns <- server
		return client
	}
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// pipe is a net.Listener in memory.
type pipe struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipe) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}

func (p *pipe) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
