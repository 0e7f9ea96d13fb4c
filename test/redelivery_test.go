package test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

// roundTrip is a function as an http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// sent is a callback that was sent: what came of it.
type sent struct {
	resp *world.Response // nil: the browser gave it up
	done chan struct{}
	drop context.CancelFunc
}

// send sends the callback over a connection of its own, so that dropping it
// cuts that connection (HTTP/1.1) or resets its stream (HTTP/2).
func send(w *world.World, b *world.Browser, callback string) *sent {
	ctx, drop := context.WithCancel(context.Background())
	s := &sent{done: make(chan struct{}), drop: drop}
	r := b.Request("GET", callback, "").WithContext(ctx)
	go func() {
		defer close(s.done)
		resp, err := b.HTTP.Do(r)
		if err == nil {
			s.resp = &world.Response{Response: resp}
			resp.Body.Close()
		}
	}()
	return s
}

func (s *sent) status() int {
	<-s.done
	if s.resp == nil {
		return 0
	}
	return s.resp.StatusCode
}

// redelivered are the steps at which a browser drops a callback (D21), and the
// statuses of both requests.
var redelivered = map[string]struct {
	steps         string // s: send again; d: drop; o: the provider answers
	first, second int
}{
	"dropped while the code is redeemed":       {"dso", 0, 303},
	"sent again before the first is dropped":   {"sdo", 0, 303},
	"dropped, and sent again after the answer": {"dos", 0, 303},
	"both live":                              {"so", 409, 303},
	"both live, the second after the answer": {"os", 303, 409},
}

// TestCallbackDeliveredTwice: the browser drops a request and sends the same
// callback again, at each step of the login. The person is signed in, once, and
// the code is sent once.
func TestCallbackDeliveredTwice(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for claim, row := range redelivered {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", claim, http2), func(t *testing.T) {
				w := world.Open(t, world.Setup{HTTP2: http2})
				first, second := redeliver(t, w, row.steps)
				if first != row.first || second != row.second {
					t.Errorf("the answers are %d and %d, want %d and %d", first, second, row.first, row.second)
				}
				w.WantTokenRequests(1)
				if got := len(w.Logins()); got != 1 {
					t.Errorf("%d logins, want 1", got)
				}
			})
		}
	}
}

// redeliver sends a callback and takes the steps, and returns both statuses.
func redeliver(t *testing.T, w *world.World, steps string) (int, int) {
	b := w.Browser()
	callback := b.Callback("")
	cookies := b.LoginCookies()
	g := newGate(t, w)
	first := send(w, b, callback)
	g.holding()
	var second *sent
	for n, step := range steps {
		switch step {
		case 'd':
			first.drop()
			g.until("the server sees that the browser is gone", func() bool { return g.dropped == 1 })
		case 'o':
			g.open()
			if second == nil {
				g.until("the first request is over", func() bool { return g.ended == 1 })
				<-first.done
			}
		case 's':
			// A browser that has dropped the first answer has kept its cookie.
			for _, c := range cookies {
				b.SetCookie(c.Name, c.Value)
			}
			second = send(w, b, callback)
			if n < len(steps)-1 {
				g.waiting(1)
			}
		}
	}
	return first.status(), second.status()
}

// TestNewestRequestGetsTheLogin: of ten that live, the one that came last; the
// others are told that it is finished, and where to go on.
func TestNewestRequestGetsTheLogin(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	g := newGate(t, w)
	all := []*sent{send(w, b, callback)}
	g.holding()
	for n := range 9 {
		all = append(all, send(w, b, callback))
		g.waiting(n + 1)
	}
	g.open()
	for n, s := range all {
		want := http.StatusConflict
		if n == len(all)-1 {
			want = http.StatusSeeOther
		}
		if got := s.status(); got != want {
			t.Errorf("request %d: %d, want %d", n, got, want)
		}
	}
	for _, err := range w.Errors() {
		if err.Check != "state.used" || err.ContinueURL != "/home" {
			t.Errorf("an older request got %v, which leads to %q", err, err.ContinueURL)
		}
	}
	w.WantTokenRequests(1)
}

// TestAnotherBrowserGetsNothing: who has the link but not the cookie neither
// waits for the login nor disturbs it.
func TestAnotherBrowserGetsNothing(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	g := newGate(t, w)
	first := send(w, b, callback)
	g.holding()
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.running")
	first.drop()
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.running")
	second := send(w, b, callback)
	g.waiting(1)
	g.open()
	if got := second.status(); got != http.StatusSeeOther {
		t.Errorf("the browser itself got %d", got)
	}
	// The first request hears of its end at its own pace.
	g.until("four requests are over", func() bool { return g.ended == 4 })
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.used")
	w.WantTokenRequests(1)
}

// TestRefusalIsDeliveredToo: the outcome of a code that the provider refuses is
// for the newest request as well.
func TestRefusalIsDeliveredToo(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Token, authserver.Error(400, "invalid_grant", ""))
	b := w.Browser()
	callback := b.Callback("")
	g := newGate(t, w)
	first := send(w, b, callback)
	g.holding()
	first.drop()
	second := send(w, b, callback)
	g.waiting(1)
	g.open()
	if got := second.status(); got != http.StatusBadRequest {
		t.Errorf("the second answer is %d, want 400", got)
	}
	w.WantTokenRequests(1)
}

// TestTwoClientsOfOneConfig: in one process they redeem a login once.
func TestTwoClientsOfOneConfig(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Server.SetFaults(authserver.Token, authserver.Delay(300*time.Millisecond))
	b := w.Browser()
	callback := b.Callback("")
	twin, err := authcode.New(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	handlers := []http.Handler{w.Handler(w.Client), w.Handler(twin)}
	var mu sync.Mutex
	turn := 0
	w.Serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[turn%2]
		turn++
		mu.Unlock()
		h.ServeHTTP(rw, r)
	}))
	first, second := send(w, b, callback), send(w, b, callback)
	got := map[int]int{first.status(): 1}
	got[second.status()]++
	if got[303] != 1 || got[409] != 1 {
		t.Errorf("answers %v, want 303 and 409", got)
	}
	w.WantTokenRequests(1)
}
