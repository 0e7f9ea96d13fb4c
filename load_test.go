package authcode_test

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
)

// settled waits for the number of goroutines to come back to about what it was: connections end
// a moment after the servers do.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 500 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAThousandLoginsAtOnceOverTwoProviders(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	before := heap()
	thousandLogins(t, 1000)
	settled(t, goroutines)
	if after := heap(); after > before+16<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
}

func thousandLogins(t *testing.T, n int) {
	w := newWorld(t)
	w.quiet = true
	other := authserver.NewServer()
	defer other.Close()
	cfg := other.Config(w.app.URL + "/other/callback")
	cfg.Provider.Name = "other"
	cfg.CookieKeys = w.cfg.CookieKeys
	second, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", w.handlerFor(w.client))
	mux.Handle("/other", second.LoginHandler(authcode.ReturnToParam("next")))
	mux.Handle("/other/callback", second.CallbackHandler(http.HandlerFunc(w.welcome)))
	w.use(mux)
	for _, srv := range []*authserver.Server{w.srv, other} {
		srv.SetFaults(authserver.Token, authserver.Every(10, authserver.Delay(time.Second)))
	}
	var wg sync.WaitGroup
	gate := make(chan struct{}, 200) // sockets at a time, not logins: what a machine's limits allow
	for i := range n {
		wg.Go(func() {
			b := w.browser()
			gate <- struct{}{}
			callback := b.approve(b.get(w.app.URL + []string{"/login", "/other"}[i%2] + fmt.Sprintf("?next=/%d", i)).Header.Get("Location"))
			<-gate
			gate <- struct{}{}
			resp := b.get(callback)
			<-gate
			if got := resp.Header.Get("Location"); resp.StatusCode != http.StatusSeeOther || got != fmt.Sprintf("/%d", i) {
				t.Errorf("login %d: status %d to %q", i, resp.StatusCode, got)
			}
		})
	}
	wg.Wait()
	if got := w.loginCount(); got != n {
		t.Errorf("%d logins, want %d", got, n)
	}
	if got := len(w.srv.TokenRequests()) + len(other.TokenRequests()); got != n {
		t.Errorf("%d token requests, want %d", got, n)
	}
	w.app.Client().CloseIdleConnections()
	w.app.Close()
	w.srv.Close()
}

func TestAbandonedLoginsCostNoMemory(t *testing.T) {
	s := benchAuthcode(t)
	abandon := func(n int) {
		for range n {
			rec, r := recorderAndRequest()
			s.start(rec, r)
		}
	}
	abandon(1000)
	before := heap()
	abandon(50_000)
	if after := heap(); after > before+1<<20 {
		t.Errorf("the heap grew from %d to %d bytes over 50,000 abandoned logins", before, after)
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
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "huge", Endpoints: authcode.Endpoints{AuthURL: huge.URL, TokenURL: huge.URL}},
		ClientID: "c", ClientAuth: authcode.Public(), RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{benchKey(32)},
	})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 10 {
		rec, r := recorderAndRequest()
		target, err := client.AuthCodeURL(rec, r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Exchange(httptest.NewRecorder(), callbackFor(target, rec)); err == nil {
			t.Fatal("the answer was accepted")
		}
	}
	runtime.ReadMemStats(&after)
	// All that was ever allocated, by the server too: 10 answers of 256 KiB, doubled while they grow.
	if total := after.TotalAlloc - before.TotalAlloc; total > 24<<20 {
		t.Errorf("10 answers of 100 MB made the process allocate %d bytes", total)
	}
}
