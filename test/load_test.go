package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/clock"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// patience is the budget of whatever a busy machine may slow down. Nothing in
// these tests is meant to take so long.
const patience = 10 * time.Minute

// settled waits for the number of goroutines to come back to about what it was:
// connections end after the servers do, on a busy machine many seconds after.
func settled(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(patience / 10); time.Now().Before(end); {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before,
		stacks[:runtime.Stack(stacks, true)])
}

func TestAThousandLoginsAtOnceOverTwoProviders(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	before := measure.Heap()
	thousandLogins(t, 1000)
	settled(t, goroutines)
	if after := measure.Heap(); after > before+16<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

// sockets is how many requests of browsers there are at a time. Logins there
// are more: it is for the machine's limits.
const sockets = 20

func thousandLogins(t *testing.T, n int) {
	w := world.Open(t, world.Setup{
		Options: []authserver.Option{authserver.CodeLifetime(patience)}, Config: unhurried,
	})
	w.Quiet()
	keepConnections(w)
	other := addProvider(t, w)
	for _, srv := range []*authserver.Server{w.Server, other} {
		srv.SetFaults(authserver.Token, authserver.Every(10, authserver.Delay(time.Second/10)))
	}
	var wg sync.WaitGroup
	gate := make(chan struct{}, sockets)
	for i := range n {
		wg.Go(func() {
			b := w.Browser()
			var callback string
			var resp *world.Response
			gated(gate, func() {
				link := []string{"/login", "/other"}[i%2]
				start := b.Get(w.App.URL + link + fmt.Sprintf("?next=/%d", i))
				callback = b.Approve(start.Header.Get("Location"))
			})
			gated(gate, func() { resp = b.Get(callback) })
			got := resp.Header.Get("Location")
			if resp.StatusCode != http.StatusSeeOther || got != fmt.Sprintf("/%d", i) {
				t.Errorf("login %d: status %d to %q", i, resp.StatusCode, got)
			}
		})
	}
	wg.Wait()
	wantLogins(t, w, other, n)
	w.App.Client().CloseIdleConnections()
	w.App.Close()
	other.Close()
	w.Server.Close()
}

// unhurried raises the ten seconds of a callback.
func unhurried(c *config) {
	c.Clock = new(clock.Clock)
	clock.Slow(c.Clock, int64(patience/(10*time.Second)))
}

// gated runs f while it holds one of the places of gate. A failure in f, which
// ends its goroutine, gives the place back: the others must not wait for ever.
func gated(gate chan struct{}, f func()) {
	gate <- struct{}{}
	defer func() { <-gate }()
	f()
}

// keepConnections has browsers share connections. Handshakes would take most of
// the time, and they are not ours.
func keepConnections(w *world.World) {
	for _, transport := range []http.RoundTripper{w.App.Client().Transport, w.Server.Transport()} {
		transport.(*http.Transport).MaxIdleConnsPerHost = sockets
	}
}

// addProvider gives the app a second provider, whose logins begin at /other.
func addProvider(t *testing.T, w *world.World) *authserver.Server {
	t.Helper()
	other := authserver.NewTLSServer(authserver.CodeLifetime(patience))
	t.Cleanup(other.Close)
	w.Server.Transport().TLSClientConfig.RootCAs.AddCert(other.Certificate())
	cfg := other.Config(w.App.URL + "/other/callback")
	cfg.Provider.Name = "other"
	cfg.CookieKeys = w.Config.CookieKeys
	unhurried(&cfg)
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", w.Handler(w.Client))
	mux.Handle("/other", client.LoginHandler())
	mux.Handle("/other/callback", client.CallbackHandler(http.HandlerFunc(w.Welcome)))
	w.Serve(mux)
	return other
}

func TestAbandonedLoginsCostNoMemory(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	abandon := func(n int) {
		for range n {
			if _, _, err := world.Start(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	abandon(1000)
	before := measure.Heap()
	abandon(20_000)
	if after := measure.Heap(); after > before+1<<19 {
		t.Errorf("the heap grew from %d to %d bytes over 20,000 abandoned logins", before, after)
	}
}

func TestOversizedAnswersCostLittleMemory(t *testing.T) {
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(`{"a":"` + strings.Repeat("x", 1<<16))
		for range 1600 { // 100 MB
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer huge.Close()
	client := clientAt(t, huge.URL, nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		if _, err := world.Begin(t, client, nil).Exchange(client); err == nil {
			t.Fatal("the answer was accepted")
		}
	}
	runtime.ReadMemStats(&after)
	// All that was ever allocated, by the server too: 10 answers of 256 KiB,
	// doubled while they grow.
	if total := after.TotalAlloc - before.TotalAlloc; total > 24<<20 {
		t.Errorf("10 answers of 100 MB made the process allocate %d bytes", total)
	}
}

// wantLogins: n logins, and no token request more.
func wantLogins(t *testing.T, w *world.World, other *authserver.Server, n int) {
	t.Helper()
	if got := len(w.Logins()); got != n {
		t.Errorf("%d logins, want %d", got, n)
	}
	if got := len(w.Server.TokenRequests()) + len(other.TokenRequests()); got != n {
		t.Errorf("%d token requests, want %d", got, n)
	}
}
