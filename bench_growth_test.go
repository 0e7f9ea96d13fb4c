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
	"example.com/authcode/test/measure"
)

// BenchmarkForeignCookies: what a site's own cookies, of 1 kB each, add to a
// start and to a finish.
func BenchmarkForeignCookies(b *testing.B) {
	for _, n := range []int{0, 5, 20} {
		foreign := ""
		for i := range n {
			foreign += fmt.Sprintf("; site%d=%s", i, strings.Repeat("x", 1000))
		}
		s := newModule(b)
		b.Run(fmt.Sprintf("start/%d", n), func(b *testing.B) {
			r := startRequest()
			r.Header.Set("Cookie", "a=b"+foreign)
			b.ReportAllocs()
			for b.Loop() {
				s.start(&discard{header: make(http.Header, 8)}, r)
			}
		})
		b.Run(fmt.Sprintf("finish/%d", n), func(b *testing.B) {
			var callbacks []*http.Request
			for range b.N {
				rec := httptest.NewRecorder()
				r := callbackFor(s.start(rec, startRequest()), rec)
				r.Header.Set("Cookie", r.Header.Get("Cookie")+foreign)
				callbacks = append(callbacks, r)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for _, r := range callbacks {
				if _, _, err := s.finish(&discard{header: make(http.Header, 8)}, r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAtOnce: what one of n logins costs to finish while the others wait
// for the same provider, in CPU time, and what it holds meanwhile, its garbage
// included.
func BenchmarkAtOnce(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := &gate{n: n}
			m := module{b, benchClient(b, g, ""), authcode.ReturnTo(benchReturn)}
			cost := func() time.Duration { return g.cost(b, m) }
			b.ReportMetric(measure.Medians(b.N, cost)[0], "CPU-ns/login")
			b.ReportMetric(float64(g.held)/float64(n)/1e3, "kB-held/login")
			b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
		})
	}
}

// gate answers when n requests have arrived.
type gate struct {
	n       int
	arrived sync.WaitGroup
	held    int64
}

func (g *gate) RoundTrip(r *http.Request) (*http.Response, error) {
	g.arrived.Done()
	g.arrived.Wait()
	return stubToken.RoundTrip(r)
}

// cost returns the CPU time of one login of a hundred or more.
func (g *gate) cost(b *testing.B, m module) time.Duration {
	var batches [][]*http.Request
	logins := 0
	for logins < 100 {
		var batch []*http.Request
		for range g.n {
			rec := httptest.NewRecorder()
			batch = append(batch, callbackFor(m.start(rec, startRequest()), rec))
		}
		batches, logins = append(batches, batch), logins+g.n
	}
	return measure.CPU(func() {
		before := heapInUse()
		for _, batch := range batches {
			g.finish(b, m, batch)
		}
		g.held = (g.held - before) / int64(len(batches))
	}) / time.Duration(logins)
}

// finish finishes n logins at once.
func (g *gate) finish(b *testing.B, m module, callbacks []*http.Request) {
	g.arrived.Add(g.n + 1)
	var all sync.WaitGroup
	for _, r := range callbacks {
		all.Go(func() {
			if _, _, err := m.finish(&discard{header: make(http.Header, 8)}, r); err != nil {
				b.Error(err)
			}
		})
	}
	g.arrived.Done()
	g.arrived.Wait()
	g.held = heapInUse()
	all.Wait()
}

// heapInUse returns the bytes of heap and stacks in use, with what is garbage.
func heapInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkClients: what a login costs in an app that has n Clients, which take
// turns, and what each of them holds.
func BenchmarkClients(b *testing.B) {
	for _, n := range []int{1, 100, 1_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			runtime.GC()
			before := heapInUse()
			var clients []subject
			for range n {
				clients = append(clients, newModule(b))
			}
			runtime.GC()
			b.ReportMetric(float64(heapInUse()-before)/float64(n)/1e3, "kB/Client")
			next := 0
			cost := func(of func(subject) time.Duration) func() time.Duration {
				return func() time.Duration {
					next = (next + 1) % n
					return of(clients[next]) / roundLogins
				}
			}
			got := measure.Medians(b.N, cost(startCost),
				cost(func(s subject) time.Duration { return finishCost(b, s) }))
			b.ReportMetric(got[0], "CPU-ns/start")
			b.ReportMetric(got[1], "CPU-ns/finish")
			b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
		})
	}
}
