package once

import (
	"context"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
)

// wantEmpty checks that h holds nothing when the time of all outcomes is over.
func wantEmpty(t *testing.T, h *Handover[string]) {
	t.Helper()
	time.Sleep(h.KeepFor + time.Second)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.kept) != 0 || h.bytes != 0 || len(h.flights) != 0 {
		t.Errorf("%d kept, %d bytes, %d flights", len(h.kept), h.bytes, len(h.flights))
	}
}

// TestKeptAgain: a refusal is kept, another code is tried, and its outcome is
// kept for its own time and with its own size.
func TestKeptAgain(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		h := newHandover()
		leave := func(key int, do func() Result[string]) {
			ctx, cancel := context.WithCancel(bg)
			a := ask(h, ctx, 1, key, do)
			cancel()
			a.want(t, "a request that leaves", "", Running)
		}
		leave(1, refuse)
		time.Sleep(20 * time.Second)
		leave(2, slow)
		if h.bytes != len("login") || len(h.kept) != 1 {
			t.Errorf("%d kept, %d bytes", len(h.kept), h.bytes)
		}
		time.Sleep(20 * time.Second)
		ask(h, bg, 1, 2, never).want(t, "later", "login", Unused)
		wantEmpty(t, h)
	})
}

// TestDeadline: a request waits for another one's outcome until its deadline,
// and no longer.
func TestDeadline(t *testing.T) {
	for wait, want := range map[time.Duration]Outcome{
		100 * time.Millisecond: Running, 400 * time.Millisecond: Unused,
	} {
		bubble.Test(t, func(t *testing.T) {
			h := newHandover()
			first := ask(h, bg, 1, 1, slow)
			began := time.Now()
			value, before := h.Get(bg, Try[string]{
				ID: usedID(1), Key: [32]byte{1}, Now: began, Until: began.Add(life),
				Deadline: began.Add(wait), Do: func(bool) Result[string] { return never() },
			})
			if before != want || (value == "login") != (want == Unused) || time.Since(began) > wait {
				t.Errorf("%v: got %q, %d after %v; want %d", wait, value, before, time.Since(began), want)
			}
			// Of the two, the request that waits no longer does not count.
			if want == Running {
				first.want(t, "first", "login", Unused)
			}
			<-first.done
		})
	}
}
