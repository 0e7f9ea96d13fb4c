package test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/test/world"
)

// gate holds the app's requests to the token endpoint until it is opened, and
// sees the callbacks come and go, so that no test waits for a time.
type gate struct {
	t      *testing.T
	opened chan struct{}
	open   func() // may be called more than once

	mu             sync.Mutex
	asked          int // token requests that came here
	ended, dropped int // callbacks that were answered, and that the browser gave up
}

func newGate(t *testing.T, w *world.World) *gate {
	g := &gate{t: t, opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open) // before the servers close, which wait for their requests
	w.Configure(func(c *config) {
		c.Wrap = func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodPost {
					g.count(&g.asked)
					<-g.opened
				}
				return next.RoundTrip(r)
			})
		}
	})
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		stop := context.AfterFunc(r.Context(), func() { g.count(&g.dropped) })
		next.ServeHTTP(rw, r)
		stop()
		g.count(&g.ended)
	})
	return g
}

func (g *gate) count(n *int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	*n++
}

// until waits for what the other goroutines are about to do.
func (g *gate) until(what string, done func() bool) {
	g.t.Helper()
	for range 6000 {
		g.mu.Lock()
		ok := done()
		g.mu.Unlock()
		if ok {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	g.t.Fatalf("not in 30 s: %s", what)
}

// holding waits until a token request is held.
func (g *gate) holding() {
	g.t.Helper()
	g.until("the app asks for tokens", func() bool { return g.asked > 0 })
}

// waiting waits until n requests wait for the outcome of another.
func (g *gate) waiting(n int) {
	g.t.Helper()
	g.until("requests wait", func() bool {
		stacks := make([]byte, 4<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		waits := 0
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			state, _, _ := strings.Cut(stack, "\n")
			if strings.Contains(state, "[select") && strings.Contains(stack, "once.(*Handover") {
				waits++
			}
		}
		return waits >= n
	})
}
