package test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestNoLoginIsLostToGOAWAY: a token endpoint closes its HTTP/2 connection after
// every hundredth answer, as busy servers do. What it did not process is sent again,
// and no code is processed twice (RFC 9113 sections 6.8 and 8.7, D22).
func TestNoLoginIsLostToGOAWAY(t *testing.T) {
	t.Parallel()
	const logins, atOnce = 500, 30
	var answers atomic.Int64
	var mu sync.Mutex
	processed := make(map[string]int)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			processed[r.PostFormValue("code")]++
			mu.Unlock()
			if answers.Add(1)%100 == 0 {
				w.Header().Set("Connection", "close") // over HTTP/2: GOAWAY
			}
			w.Header().Set("Content-Type", "application/json")
			w.Write([]byte(world.TokenJSON))
		}))
	srv.EnableHTTP2 = true
	srv.Listener = lingering{srv.Listener}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // connections that were dialed in vain
	srv.StartTLS()
	defer srv.Close()
	client := clientAt(t, srv.URL, srv.Client().Transport, unhurried)
	finishAtOnce(t, client, logins, atOnce)
	for code, n := range processed {
		if n > 1 {
			t.Errorf("%s was processed %d times", code, n)
		}
	}
}

// lingering is a listener whose connections close as nginx closes its own: what
// the client still sends is read until it has closed its side. A connection
// that is closed with unread data is reset, and a client that has not yet read
// the GOAWAY cannot tell what was processed. Go's server waits for a second
// before it closes, which is not enough on a busy machine.
type lingering struct{ net.Listener }

func (l lingering) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &lingeringConn{TCPConn: conn.(*net.TCPConn)}, nil
}

type lingeringConn struct {
	*net.TCPConn
	closing sync.Once
}

func (c *lingeringConn) Close() error {
	c.closing.Do(func() {
		c.TCPConn.CloseWrite()
		c.TCPConn.SetReadDeadline(time.Now().Add(time.Minute))
		go func() {
			io.Copy(io.Discard, c.TCPConn)
			c.TCPConn.Close()
		}()
	})
	return nil
}

// finishAtOnce finishes so many logins, some at a time.
func finishAtOnce(t *testing.T, client *authcode.Client, logins, atOnce int) {
	var wg sync.WaitGroup
	turn := make(chan struct{}, atOnce)
	for n := range logins {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			l := world.Begin(t, client, nil)
			r := l.Callback("code", fmt.Sprintf("code-%d", n), "iss", "")
			if _, err := client.Exchange(httptest.NewRecorder(), r); err != nil {
				t.Errorf("lost: %v", err)
			}
		})
	}
	wg.Wait()
}
