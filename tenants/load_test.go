package tenants_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// TestOneLoad: callers at the same time cause one load, and one that leaves fails
// nobody else.
func TestOneLoad(t *testing.T) {
	a := newApp(t, 1)
	r := a.tenant("slow", a.provider())
	r.gate = make(chan struct{})
	a.set("slow", r)
	a.tenant("quick", a.provider())
	registry := a.instances[0]
	request := httptest.NewRequest(http.MethodGet, a.URL, nil)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := registry.Client(request.WithContext(ctx), "slow")
		left <- err
	}()
	for a.loaded("slow") == 0 {
		time.Sleep(time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := registry.Client(request, "slow"); err != nil {
				t.Error(err)
			}
		})
	}
	leave()
	world.WantError(t, <-left, authcode.Canceled, "tenants.load")
	// A slow one delays nobody else.
	if _, err := registry.Client(request, "quick"); err != nil {
		t.Error(err)
	}
	close(r.gate)
	wg.Wait()
	if n := a.loaded("slow"); n != 1 {
		t.Errorf("%d loads, want 1", n)
	}
}

// loads is a registry with one Load after the other.
type loads struct {
	registry *tenants.Registry
	n        int
	load     func(ctx context.Context, key string) (authcode.Config, string, error)
}

func newLoads(t *testing.T, change func(*tenants.Config)) *loads {
	l := &loads{}
	cfg := tenants.Config{
		Load: func(ctx context.Context, key string) (authcode.Config, string, error) {
			l.n++
			return l.load(ctx, key)
		},
		CookieKeys: [][]byte{world.Key('t')}, RedirectURL: "https://app.example/callback",
	}
	if change != nil {
		change(&cfg)
	}
	var err error
	if l.registry, err = tenants.New(cfg); err != nil {
		t.Fatal(err)
	}
	l.load = l.version("1", nil)
	return l
}

// version returns a Load with one answer.
func (l *loads) version(
	version string, err error,
) func(context.Context, string) (authcode.Config, string, error) {
	cfg := world.Config(&world.Provider{}, func(c *authcode.Config) {
		c.RedirectURL, c.Provider.RequireIss = "", true
		c.ClientID = version
	})
	return func(context.Context, string) (authcode.Config, string, error) { return cfg, version, err }
}

// loadHangs is a Load that ignores its context for a minute.
func loadHangs(context.Context, string) (authcode.Config, string, error) {
	time.Sleep(time.Minute)
	return authcode.Config{}, "", errors.New("late")
}

// want checks the version of the Client, or the Check of the error, how long it
// took to get it, and how many loads there were so far.
func (l *loads) want(t *testing.T, version, check string, took time.Duration, n int) {
	t.Helper()
	began := time.Now()
	client, err := l.registry.Client(httptest.NewRequest(http.MethodGet, "https://app.example/", nil), "k")
	var e *authcode.Error
	got, gotCheck := "", ""
	if errors.As(err, &e) {
		gotCheck = e.Check
	} else if conn, err := client.Connection(t.Context()); err == nil {
		got = conn.Config.ClientID
	}
	synctest.Wait()
	if d := time.Since(began); got != version || gotCheck != check || d != took || l.n != n {
		t.Errorf("version %q, check %q after %v and %d loads, want %q, %q after %v and %d",
			got, gotCheck, d, l.n, version, check, took, n)
	}
}

func TestTheLifeOfATenant(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLoads(t, nil)
		l.load = loadHangs
		l.want(t, "", "tenants.load", 10*time.Second, 1)
		l.load = l.version("", errors.New("down"))
		l.want(t, "", "tenants.load", 0, 2)
		l.want(t, "", "tenants.load", 0, 3) // nothing is kept of a failure
		l.load = func(context.Context, string) (authcode.Config, string, error) { panic("secret") }
		l.want(t, "", "tenants.panic", 0, 4)
		l.load = l.version("1", nil)
		l.want(t, "1", "", 0, 5)
		l.load = l.version("2", nil)
		time.Sleep(59 * time.Second)
		l.want(t, "1", "", 0, 5)
		time.Sleep(time.Second)
		l.want(t, "2", "", 0, 6)
		// While the table is away, the former Config remains.
		l.load = l.version("", errors.New("down"))
		time.Sleep(time.Minute)
		l.want(t, "2", "", 0, 7)
		l.want(t, "2", "", 0, 7)
		time.Sleep(5 * time.Second)
		l.load = loadHangs
		l.want(t, "2", "", time.Second, 8)
		l.load = l.version("3", nil)
		time.Sleep(time.Minute)
		l.want(t, "3", "", 0, 9)
		// What the app has called wrong is not used again.
		l.registry.Forget("k")
		l.load = l.version("", errors.New("down"))
		l.want(t, "", "tenants.load", 0, 10)
		time.Sleep(time.Minute) // the hanging ones end
	})
}

func TestARemovedTenant(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLoads(t, nil)
		l.want(t, "1", "", 0, 1)
		// A tenant that was removed is gone, without Forget, too.
		l.load = l.version("", tenants.ErrNotFound)
		time.Sleep(time.Minute)
		l.want(t, "", "tenants.unknown", 0, 2)
		l.load = l.version("", errors.New("down"))
		l.want(t, "", "tenants.load", 0, 3)
	})
}

// TestForgetDuringALoad: what was read before Forget is not kept.
func TestForgetDuringALoad(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		l := newLoads(t, nil)
		slow, read := l.load, make(chan struct{})
		l.load = func(ctx context.Context, key string) (authcode.Config, string, error) {
			<-read
			return slow(ctx, key)
		}
		done := make(chan struct{})
		go func() {
			l.want(t, "1", "", time.Second, 1)
			close(done)
		}()
		synctest.Wait()
		l.registry.Forget("k")
		time.Sleep(time.Second)
		close(read)
		<-done
		l.load = l.version("2", nil)
		l.want(t, "2", "", 0, 2)
	})
}

// TestBounded: the tenant that was used least recently goes.
func TestBounded(t *testing.T) {
	l := newLoads(t, func(cfg *tenants.Config) { cfg.MaxTenants = 2 })
	for i, step := range []struct {
		key   string
		loads int
	}{{"a", 1}, {"b", 2}, {"a", 2}, {"c", 3}, {"a", 3}, {"b", 4}} {
		r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
		if _, err := l.registry.Client(r, step.key); err != nil || l.n != step.loads {
			t.Errorf("step %d: %d loads, want %d: %v", i, l.n, step.loads, err)
		}
	}
}

// TestAChangeDuringALogin: a login ends with the Config that it began with, where
// the instance still has that, and elsewhere nothing is sent to anybody.
func TestAChangeDuringALogin(t *testing.T) {
	a := newApp(t, 2)
	old, moved := a.provider(), a.provider()
	a.tenant("k", old)
	b := a.browser()
	first, second := b.callback("k", old), b.callback("k", old)
	a.at.Store(1)
	b.wantSignIn("k", old) // the other instance knows it, too
	old.Forget()
	r := a.tenant("k", moved)
	r.version = "2"
	a.set("k", r)
	a.forget("k")
	if status, text := b.deliver(old, first); status != http.StatusOK {
		t.Errorf("the former Config: %d %s, %v", status, text, a.lastError())
	}
	wantNothingSent(t, moved)
	wantNothingSentSince(t, old, 1)
	// A third instance, which has never seen the former one.
	a.instances[0] = a.instances[1]
	fresh := newApp(t, 1, func(cfg *tenants.Config) { cfg.Load, cfg.RedirectURL = a.load, a.URL+"/callback" })
	a.muxes[1] = fresh.muxes[0]
	fresh.transport.TLSClientConfig.RootCAs.AddCert(moved.Certificate())
	fresh.transport.TLSClientConfig.RootCAs.AddCert(old.Certificate())
	status, _ := b.deliver(old, second)
	fresh.wantRefusal(status, authcode.Forged, "cookie.client")
	wantNothingSent(t, moved)
	wantNothingSentSince(t, old, 1)
	// A removed tenant finishes no login.
	a.muxes[1] = a.routes(a.instances[1])
	third := b.callback("k", moved)
	a.remove("k")
	status, _ = b.deliver(moved, third)
	a.wantRefusal(status, authcode.NotFound, "tenants.unknown")
	wantNothingSent(t, moved)
}
