package test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// TestTheExchangeOutlivesItsRequest: a browser that goes away does not end the
// exchange, which has its own bound.
func TestTheExchangeOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	w.Server.SetFaults(authserver.Token, authserver.Delay(300*time.Millisecond))
	ended := make(chan struct{})
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(rw, r)
		close(ended)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(w.Server.TokenRequests()) == 0 {
			time.Sleep(time.Millisecond) // the server tells nobody that a request has arrived
		}
		cancel()
	}()
	_, err := b.HTTP.Do(b.Request("GET", callback, "").WithContext(ctx))
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-ended
	err = w.LastError() // of the request that has gone; the login is kept for the next one
	if !errors.Is(err, authcode.Canceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("failed with %v, want canceled", err)
	}
	w.WantTokenRequests(1)
	if len(w.Logins()) != 0 {
		t.Error("a request without a client got the login")
	}
}

func TestTheCallersDeadlineCounts(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
		defer cancel()
		next.ServeHTTP(rw, r.WithContext(ctx))
	})
	b := w.Browser()
	callback := b.Callback("")
	w.Server.SetFaults(authserver.Token, authserver.Silent())
	w.WantFailure(b.Get(callback), authcode.Timeout, "provider.timeout")
}

func TestTenSecondsForAllOfExchange(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{
			Answer: func(r *world.Request) (*http.Response, error) {
				<-r.Context().Done()
				return nil, r.Context().Err()
			},
		})
		l := world.Begin(t, c, nil)
		began := time.Now()
		_, err := l.Exchange(c)
		world.WantError(t, err, authcode.Timeout, "provider.timeout")
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v hides its cause", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want 10 s", took)
		}
	})
}

// TestWaitingEndsAfterTenSeconds: a request that waits for another one of its
// login has its own ten seconds, also where the app's Identity ignores its context.
func TestWaitingEndsAfterTenSeconds(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{}, func(c *config) {
			c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				time.Sleep(time.Minute)
				return &authcode.Identity{Issuer: world.Issuer, Subject: "alice"}, nil
			}
		})
		l := world.Begin(t, c, nil)
		first := make(chan error)
		go func() {
			_, err := l.Exchange(c)
			first <- err
		}()
		time.Sleep(time.Second)
		began := time.Now()
		_, err := l.Exchange(c)
		world.WantError(t, err, authcode.Timeout, "provider.timeout")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want 10 s", took)
		}
		if err := <-first; err != nil {
			t.Error(err)
		}
	})
}

// TestAge: a login lasts ten minutes. Afterwards, and without its cookie, which
// the browser has dropped by then, the state itself tells why.
func TestAge(t *testing.T) {
	for _, row := range []struct {
		name string
		age  time.Duration
		ok   bool
	}{
		{"599 seconds pass", 599 * time.Second, true},
		{"601 seconds are too long", 601 * time.Second, false},
		{"a day is too long", 24 * time.Hour, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				c := world.Client(t, &world.Provider{})
				l := world.Begin(t, c, nil)
				time.Sleep(row.age)
				_, err := l.Exchange(c)
				if row.ok != (err == nil) || !row.ok && !errors.Is(err, authcode.Expired) {
					t.Errorf("got %v", err)
				}
				l.Cookies = nil
				_, err = l.Exchange(c)
				want := authcode.Expired
				if row.ok {
					want = authcode.AlreadyUsed
				}
				if !errors.Is(err, want) {
					t.Errorf("without the cookie: got %v, want %s", err, want)
				}
			})
		})
	}
}
