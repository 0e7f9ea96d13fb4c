package interop

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// sentStatement is a statement as a driver gets it.
type sentStatement struct {
	text string
	args []any
}

// statementLog keeps what is sent to a database.
type statementLog struct {
	mu     sync.Mutex
	sent   []sentStatement
	before func(text string) // if set, called before each statement
}

func (l *statementLog) announce(text string) {
	if l.before != nil {
		l.before(text)
	}
}

func (l *statementLog) add(text string, named []driver.NamedValue) {
	s := sentStatement{text: text}
	for _, v := range named {
		s.args = append(s.args, v.Value)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sent = append(l.sent, s)
}

// take returns what was sent since the last call.
func (l *statementLog) take() []sentStatement {
	l.mu.Lock()
	defer l.mu.Unlock()
	sent := l.sent
	l.sent = nil
	return sent
}

// openLogged opens a database with one connection, and logs what it is sent.
func openLogged(t testing.TB, name, dsn string) (*sql.DB, *statementLog) {
	t.Helper()
	l := new(statementLog)
	db := sql.OpenDB(&loggedDriver{openDB(t, name, dsn).Driver(), dsn, l})
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return db, l
}

// loggedDriver is a driver.Connector.
type loggedDriver struct {
	driver driver.Driver
	dsn    string
	log    *statementLog
}

func (d *loggedDriver) Driver() driver.Driver { return d.driver }

func (d *loggedDriver) Connect(context.Context) (driver.Conn, error) {
	c, err := d.driver.Open(d.dsn)
	return &loggedConn{c, d.log}, err
}

// loggedConn has what package database/sql asks the connections of these drivers
// for. A driver that answers ErrSkip gets the statement again, to prepare it.
type loggedConn struct {
	driver.Conn
	log *statementLog
}

func (c *loggedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	c.log.announce(text)
	rows, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, text, args)
	if err != driver.ErrSkip {
		c.log.add(text, args)
	}
	return rows, err
}

func (c *loggedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	c.log.announce(text)
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, text, args)
	if err != driver.ErrSkip {
		c.log.add(text, args)
	}
	return result, err
}

func (c *loggedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	c.log.add(text, nil)
	return c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, text)
}

func (c *loggedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

// tripCounter forwards connections to a server, and counts how often a client
// sends something and then waits for an answer.
type tripCounter struct {
	address string
	trips   atomic.Int64
}

func countTrips(t testing.TB, server string) *tripCounter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	c := &tripCounter{address: listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.forward(client, server)
		}
	}()
	return c
}

func (c *tripCounter) forward(client net.Conn, server string) {
	defer client.Close()
	to, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer to.Close()
	var waiting atomic.Bool
	go func() {
		io.Copy(client, onRead{to, func() { waiting.Store(false) }})
		client.Close()
	}()
	io.Copy(to, onRead{client, func() {
		if waiting.CompareAndSwap(false, true) {
			c.trips.Add(1)
		}
	}})
}

// onRead calls a function whenever something was read.
type onRead struct {
	io.Reader
	then func()
}

func (r onRead) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.then()
	}
	return n, err
}
