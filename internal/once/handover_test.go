package once

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode/internal/bubble"
)

func newHandover() *Handover[string] {
	return &Handover[string]{Used: &Set{Max: 100}, KeepFor: 30 * time.Second, MaxKept: 3, MaxBytes: 100,
		Size: func(value string) int { return len(value) }}
}

// attempt is a request for the outcome of an id, and what it got.
type attempt struct {
	value  string
	before Outcome
	done   chan struct{}
}

func ask(h *Handover[string], ctx context.Context, id, key int, do func() Result[string]) *attempt {
	a := &attempt{done: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer func() {
			if recover() != nil {
				a.value = "panic"
			}
		}()
		a.value, a.before = h.Get(ctx, Try[string]{ID: usedID(id), Key: [32]byte{byte(key)}, Now: time.Now(), Until: time.Now().Add(life), Do: func(bool) Result[string] { return do() }})
	}()
	synctest.Wait()
	return a
}

func (a *attempt) want(t *testing.T, claim, value string, before Outcome) {
	t.Helper()
	<-a.done
	if a.value != value || a.before != before {
		t.Errorf("%s: got %q, %d; want %q, %d", claim, a.value, a.before, value, before)
	}
}

var bg = context.Background()

// leaving is the context of a request that leaves after its outcome was made.
type leaving struct {
	context.Context
	asked bool
}

func (l *leaving) Err() error {
	if l.asked {
		return context.Canceled
	}
	l.asked = true
	return nil
}

func slow() Result[string] {
	time.Sleep(300 * time.Millisecond)
	return Result[string]{Value: "login", Done: true}
}

func refuse() Result[string] {
	time.Sleep(300 * time.Millisecond)
	return Result[string]{Value: "refused", Again: true}
}

func never() Result[string] { panic("tried twice") }

// handovers are requests for one login, and what each of them gets.
var handovers = map[string]func(t *testing.T, h *Handover[string]){
	"one request gets it, and later ones hear that": func(t *testing.T, h *Handover[string]) {
		ask(h, bg, 1, 1, slow).want(t, "first", "login", Unused)
		ask(h, bg, 1, 1, never).want(t, "second", "", Done)
	},
	"of two that live the newer gets it": func(t *testing.T, h *Handover[string]) {
		a, b := ask(h, bg, 1, 1, slow), ask(h, bg, 1, 1, never)
		b.want(t, "second", "login", Unused)
		a.want(t, "first", "", Done)
	},
	"the first is given up before the outcome": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		a, b := ask(h, ctx, 1, 1, slow), ask(h, bg, 1, 1, never)
		cancel()
		b.want(t, "second", "login", Unused)
		a.want(t, "first", "", Done)
	},
	"the newest is given up, so the one before it gets it": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		a, b, c := ask(h, bg, 1, 1, slow), ask(h, bg, 1, 1, never), ask(h, ctx, 1, 1, never)
		cancel()
		c.want(t, "third", "", Running)
		b.want(t, "second", "login", Unused)
		a.want(t, "first", "", Done)
	},
	"nobody is left, and a later request gets it, once": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		a := ask(h, ctx, 1, 1, slow)
		cancel()
		a.want(t, "first", "", Running)
		time.Sleep(29 * time.Second)
		ask(h, bg, 1, 1, never).want(t, "later", "login", Unused)
		ask(h, bg, 1, 1, never).want(t, "last", "", Done)
	},
	"nobody comes in time": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		a := ask(h, ctx, 1, 1, slow)
		cancel()
		a.want(t, "first", "", Running)
		time.Sleep(31 * time.Second)
		ask(h, bg, 1, 1, never).want(t, "later", "", Done)
	},
	"a dead request gets nothing, and leaves what is kept": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		a := ask(h, ctx, 1, 1, slow)
		cancel()
		a.want(t, "first", "", Running)
		ask(h, ctx, 1, 1, never).want(t, "dead", "", Running)
		ask(h, bg, 1, 1, never).want(t, "later", "login", Unused)
	},
	"a refusal is an outcome too": func(t *testing.T, h *Handover[string]) {
		a, b := ask(h, bg, 1, 1, refuse), ask(h, bg, 1, 1, never)
		b.want(t, "second", "refused", Unused)
		a.want(t, "first", "", Running)
		ask(h, bg, 1, 2, never).want(t, "later", "", Failed)
	},
	"another code is tried after a refusal": func(t *testing.T, h *Handover[string]) {
		a, b := ask(h, bg, 1, 1, refuse), ask(h, bg, 1, 2, slow)
		b.want(t, "second", "login", Unused)
		a.want(t, "first", "", Running)
	},
	"a fourth code is not tried": func(t *testing.T, h *Handover[string]) {
		long := func() Result[string] { time.Sleep(time.Second); return Result[string]{Value: "refused", Again: true} }
		a := ask(h, bg, 1, 1, long)
		b := ask(h, bg, 1, 2, long)
		time.Sleep(1500 * time.Millisecond)
		c := ask(h, bg, 1, 3, long)
		time.Sleep(time.Second)
		d := ask(h, bg, 1, 4, never)
		d.want(t, "the fourth", "refused", Unused)
		for _, older := range []*attempt{a, b, c} {
			older.want(t, "an older one", "", Running)
		}
	},
	"a panic stays where it is, and the id has failed": func(t *testing.T, h *Handover[string]) {
		a := ask(h, bg, 1, 1, func() Result[string] { time.Sleep(time.Second); panic("do") })
		b := ask(h, bg, 1, 1, never)
		a.want(t, "first", "panic", Unused)
		b.want(t, "second", "", Failed)
		ask(h, bg, 1, 1, never).want(t, "later", "", Failed)
	},
	"kept outcomes are bounded in number": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		for id := range 5 {
			ask(h, ctx, id, 1, slow)
			time.Sleep(time.Millisecond)
		}
		cancel()
		time.Sleep(time.Second)
		for id, want := range []Outcome{Done, Done, Unused, Unused, Unused} {
			value := map[Outcome]string{Unused: "login"}[want]
			ask(h, bg, id, 1, never).want(t, "kept", value, want)
		}
	},
	"and in bytes": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		for id := range 2 {
			ask(h, ctx, id, 1, func() Result[string] {
				time.Sleep(time.Second)
				return Result[string]{Value: strings.Repeat("x", 60), Done: true}
			})
			time.Sleep(time.Millisecond)
		}
		cancel()
		time.Sleep(2 * time.Second)
		ask(h, bg, 0, 1, never).want(t, "the older", "", Done)
		ask(h, bg, 1, 1, never).want(t, "the newer", strings.Repeat("x", 60), Unused)
	},
	"of a request that leaves at the last moment, one is counted, too": func(t *testing.T, h *Handover[string]) {
		for id := range 2 {
			ask(h, &leaving{Context: bg}, id, 1, func() Result[string] {
				return Result[string]{Value: strings.Repeat("x", 60), Done: true}
			})
			time.Sleep(time.Millisecond)
		}
		ask(h, bg, 0, 1, never).want(t, "the older", "", Done)
		ask(h, bg, 1, 1, never).want(t, "the newer", strings.Repeat("x", 60), Unused)
	},
	"nobody waits while one is counted": func(t *testing.T, h *Handover[string]) {
		counted := 0
		h.Size = func(string) int {
			counted++
			if !h.mu.TryLock() {
				t.Error("the lock is held")
				return 0
			}
			h.mu.Unlock()
			return 60
		}
		ctx, cancel := context.WithCancel(bg)
		ask(h, ctx, 1, 1, slow)
		cancel()
		time.Sleep(time.Second)
		ask(h, bg, 1, 1, never).want(t, "kept", "login", Unused)
		if counted != 1 {
			t.Errorf("it was counted %d times", counted)
		}
	},
	"of many, a failure goes before a login": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		for id, do := range []func() Result[string]{slow, refuse, slow, refuse, refuse} {
			ask(h, ctx, id, 1, do)
			time.Sleep(time.Millisecond)
		}
		cancel()
		time.Sleep(time.Second)
		for id, want := range []Outcome{Unused, Failed, Unused, Failed, Unused} {
			value := map[int]string{0: "login", 2: "login", 4: "refused"}[id]
			ask(h, bg, id, 1, never).want(t, "kept", value, want)
		}
	},
	"of too many bytes, the largest goes": func(t *testing.T, h *Handover[string]) {
		ctx, cancel := context.WithCancel(bg)
		for id, size := range []int{30, 60, 40} {
			ask(h, ctx, id, 1, func() Result[string] {
				time.Sleep(time.Second)
				return Result[string]{Value: strings.Repeat("x", size), Done: true}
			})
			time.Sleep(time.Millisecond)
		}
		cancel()
		time.Sleep(2 * time.Second)
		ask(h, bg, 0, 1, never).want(t, "the small", strings.Repeat("x", 30), Unused)
		ask(h, bg, 1, 1, never).want(t, "the large", "", Done)
		ask(h, bg, 2, 1, never).want(t, "the middle", strings.Repeat("x", 40), Unused)
	},
	"a request with another key gets the login too": func(t *testing.T, h *Handover[string]) {
		a, b := ask(h, bg, 1, 1, slow), ask(h, bg, 1, 2, never)
		b.want(t, "second", "login", Unused)
		a.want(t, "first", "", Done)
	},
}

func TestHandover(t *testing.T) {
	for claim, run := range handovers {
		t.Run(claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				h := newHandover()
				run(t, h)
				wantEmpty(t, h)
			})
		})
	}
}

// TestHandoverUnderRace: whatever the order, one request of each id gets the outcome, and one makes it.
func TestHandoverUnderRace(t *testing.T) {
	h := newHandover()
	var mu sync.Mutex
	made, got := map[int]int{}, map[int]int{}
	var wg sync.WaitGroup
	for n := range 400 {
		wg.Go(func() {
			id := n % 20
			value, before := h.Get(t.Context(), Try[string]{ID: usedID(id), Now: time.Now(), Until: time.Now().Add(life), Do: func(bool) Result[string] {
				mu.Lock()
				made[id]++
				mu.Unlock()
				return Result[string]{Value: "login", Done: true}
			}})
			if before == Unused && value == "login" {
				mu.Lock()
				got[id]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for id := range 20 {
		if made[id] != 1 || got[id] != 1 {
			t.Errorf("id %d: made %d times, taken %d times", id, made[id], got[id])
		}
	}
}
