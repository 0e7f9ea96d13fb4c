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

// slowToken is how long the token endpoint takes here.
const slowToken = 300 * time.Millisecond

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

// TestCallbackDeliveredTwice: the browser drops a request and sends the same
// callback again, at each step of the login (D21). The person is signed in,
// once, and the code is sent once.
func TestCallbackDeliveredTwice(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		for claim, row := range map[string]struct {
			dropAfter, sendAfter time.Duration
			drop                 bool
			first, second        int
		}{
			"dropped while the code is redeemed": {slowToken / 3, slowToken / 2, true, 0,
				303},
			"sent again before the first is dropped": {slowToken / 2, slowToken / 3, true, 0,
				303},
			"dropped, and sent again after the answer": {slowToken / 3, 2 * slowToken, true, 0,
				303},
			"both live":                              {0, slowToken / 3, false, 409, 303},
			"both live, the second after the answer": {0, 2 * slowToken, false, 303, 409},
		} {
			t.Run(fmt.Sprintf("%s, HTTP/2 %t", claim, http2), func(t *testing.T) {
				t.Parallel()
				w := world.Open(t, world.Setup{HTTP2: http2})
				w.Server.SetFaults(authserver.Token, authserver.Delay(slowToken))
				b := w.Browser()
				callback := b.Callback("")
				cookies := b.LoginCookies()
				first := send(w, b, callback)
				if row.drop {
					time.AfterFunc(row.dropAfter, first.drop)
				}
				time.Sleep(row.sendAfter)
				// A browser that has dropped the first answer has kept its
				// cookie.
				for _, c := range cookies {
					b.SetCookie(c.Name, c.Value)
				}
				second := send(w, b, callback)
				if got := first.status(); got != row.first {
					t.Errorf("the first answer is %d, want %d", got, row.first)
				}
				if got := second.status(); got != row.second {
					t.Errorf("the second answer is %d, want %d", got, row.second)
				}
				w.WantTokenRequests(1)
				if got := len(w.Logins()); got != 1 {
					t.Errorf("%d logins, want 1", got)
				}
			})
		}
	}
}

// TestNewestRequestGetsTheLogin: of ten that live, the one that came last; the
// others hear that another request finishes it.
func TestNewestRequestGetsTheLogin(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Token, authserver.Delay(2*slowToken))
	b := w.Browser()
	callback := b.Callback("")
	var all []*sent
	for range 10 {
		all = append(all, send(w, b, callback))
		time.Sleep(slowToken / 10)
	}
	for n, s := range all {
		want := http.StatusConflict
		if n == len(all)-1 {
			want = http.StatusSeeOther
		}
		if got := s.status(); got != want {
			t.Errorf("request %d: %d, want %d", n, got, want)
		}
	}
	w.WantTokenRequests(1)
}

// TestAnotherBrowserGetsNothing: who has the link but not the cookie neither
// waits for the login nor disturbs it.
func TestAnotherBrowserGetsNothing(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Token, authserver.Delay(slowToken))
	b := w.Browser()
	callback := b.Callback("")
	first := send(w, b, callback)
	time.Sleep(slowToken / 3)
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.running")
	first.drop()
	w.WantFailure(w.Browser().Get(callback), authcode.AlreadyUsed, "state.running")
	if got := send(w, b, callback).status(); got != http.StatusSeeOther {
		t.Errorf("the browser itself got %d", got)
	}
	resp := w.Browser().Get(callback)
	w.WantFailure(resp, authcode.AlreadyUsed, "state.used")
	w.WantTokenRequests(1)
}

// TestRefusalIsDeliveredToo: the outcome of a code that the provider refuses is
// for the newest request as well.
func TestRefusalIsDeliveredToo(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Token,
		authserver.Delay(slowToken), authserver.Error(400, "invalid_grant", ""))
	b := w.Browser()
	callback := b.Callback("")
	first := send(w, b, callback)
	time.Sleep(slowToken / 3)
	first.drop()
	second := send(w, b, callback)
	if got := second.status(); got != http.StatusBadRequest {
		t.Errorf("the second answer is %d, want 400", got)
	}
	w.WantTokenRequests(1)
}

// TestTwoClientsOfOneConfig: in one process they redeem a login once.
func TestTwoClientsOfOneConfig(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Token, authserver.Delay(slowToken))
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
