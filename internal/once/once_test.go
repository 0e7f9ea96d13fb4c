package once

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	maxUsed = 1 << 10
	life    = 11 * time.Minute
)

func begin(s *Set, id ID, now time.Time) Outcome { return s.Begin(id, now, now.Add(life)) }

func usedID(n int) (id ID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return id
}

func TestUsedOnce(t *testing.T) {
	u := Set{Max: maxUsed}
	id, now := usedID(0), time.Now()
	for _, step := range []struct {
		claim string
		got   func() Outcome
		want  Outcome
	}{
		{"a state is unused at first", func() Outcome { return u.Outcome(id) }, Unused},
		{"the first to begin may go on", func() Outcome { return begin(&u, id, now) }, Unused},
		{"the second may not", func() Outcome { return begin(&u, id, now) }, Running},
		{"another state is not touched", func() Outcome { return begin(&u, usedID(1), now) }, Unused},
		{"an end is remembered", func() Outcome { u.End(id, Failed); return u.Outcome(id) }, Failed},
		{"a failed one cannot begin again", func() Outcome { return begin(&u, id, now) }, Failed},
		{"an end is final", func() Outcome { u.End(id, Done); return u.Outcome(id) }, Failed},
		{"the other may end in another way", func() Outcome { u.End(usedID(1), Done); return begin(&u, usedID(1), now) }, Done},
		{"the end of what never began is not remembered", func() Outcome { u.End(usedID(2), Done); return u.Outcome(usedID(2)) }, Unused},
	} {
		if got := step.got(); got != step.want {
			t.Errorf("%s: got %d, want %d", step.claim, got, step.want)
		}
	}
}

func TestUsedOnceUnderRace(t *testing.T) {
	u := Set{Max: maxUsed}
	var first atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if begin(&u, usedID(0), time.Now()) == Unused {
				first.Add(1)
				u.End(usedID(0), Done)
			}
		})
	}
	wg.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("%d of 100 were told to go on, want 1", n)
	}
}

// TestUsedIsRememberedLongEnough: until its time is over, and no longer.
func TestUsedIsRememberedLongEnough(t *testing.T) {
	u := Set{Max: maxUsed}
	now := time.UnixMilli(1_800_000_000_000)
	begin(&u, usedID(0), now)
	lastFresh := now.Add(life)
	begin(&u, usedID(1), lastFresh)
	if u.Outcome(usedID(0)) != Running {
		t.Error("a state is forgotten while it would be accepted")
	}
	begin(&u, usedID(2), lastFresh.Add(time.Millisecond))
	if u.Outcome(usedID(0)) != Unused || len(u.entries) != 2 || len(u.queue) != 2 {
		t.Errorf("a state is kept for too long: %d entries, %d in the queue", len(u.entries), len(u.queue))
	}
	u.End(usedID(0), Done)
	if u.Outcome(usedID(0)) != Unused {
		t.Error("the end of a login that has left the set brings it back")
	}
	begin(&u, usedID(3), lastFresh.Add(time.Hour))
	if len(u.entries) != 1 || len(u.queue) != 1 {
		t.Errorf("%d entries, %d in the queue; want the new one alone", len(u.entries), len(u.queue))
	}
}

func TestUsedIsBounded(t *testing.T) {
	u := Set{Max: maxUsed}
	now := time.Now()
	for n := range maxUsed + 10 {
		if begin(&u, usedID(n), now) != Unused {
			t.Fatalf("state %d is taken for used", n)
		}
	}
	if len(u.entries) != maxUsed || len(u.queue) != maxUsed {
		t.Errorf("%d entries, %d in the queue; want %d", len(u.entries), len(u.queue), maxUsed)
	}
	for n, want := range map[int]Outcome{0: Unused, 9: Unused, 10: Running, maxUsed + 9: Running} {
		if got := u.Outcome(usedID(n)); got != want {
			t.Errorf("state %d: got %d, want %d: the oldest go first", n, got, want)
		}
	}
}

// TestUsedAgain: what ended as unused may begin again, and its first entry harms the second by nothing.
func TestUsedAgain(t *testing.T) {
	u := Set{Max: maxUsed}
	now := time.Now()
	begin(&u, usedID(0), now)
	u.End(usedID(0), Unused)
	if got := begin(&u, usedID(0), now); got != Unused {
		t.Errorf("got %d", got)
	}
	if got := begin(&u, usedID(0), now); got != Running {
		t.Errorf("then got %d", got)
	}
}

// TestFailuresGoFirst: a flood of failed logins does not push out one that succeeded.
func TestFailuresGoFirst(t *testing.T) {
	u := Set{Max: maxUsed}
	now := time.Now()
	begin(&u, usedID(0), now)
	u.End(usedID(0), Done)
	for n := 1; n < 3*maxUsed; n++ {
		begin(&u, usedID(n), now)
		u.End(usedID(n), Failed)
	}
	if got := u.Outcome(usedID(0)); got != Done || len(u.entries) != maxUsed {
		t.Errorf("the login that succeeded is %d, among %d entries", got, len(u.entries))
	}
	for n := range maxUsed { // and now they all succeed: the oldest go
		begin(&u, usedID(10*maxUsed+n), now)
		u.End(usedID(10*maxUsed+n), Done)
	}
	if len(u.entries) != maxUsed || u.Outcome(usedID(11*maxUsed-1)) != Done {
		t.Errorf("%d entries, the newest is %d", len(u.entries), u.Outcome(usedID(11*maxUsed-1)))
	}
}

// TestSweepIsBounded: one call removes some expired entries, later calls the rest, and nothing is left behind.
func TestSweepIsBounded(t *testing.T) {
	u := Set{Max: maxUsed}
	now := time.Now()
	for n := range 500 {
		begin(&u, usedID(n), now)
		u.End(usedID(n), Failed+Outcome(n%2))
	}
	later := now.Add(life + time.Second)
	begin(&u, usedID(1000), later)
	if removed := 501 - len(u.entries); removed < 1 || removed > 2*maxSweep {
		t.Errorf("one call removed %d entries", removed)
	}
	for n := range 20 {
		begin(&u, usedID(1001+n), later)
	}
	if len(u.entries) > 25 || len(u.queue) > 25 || len(u.failed) > 0 {
		t.Errorf("%d entries, %d in the queue, %d failed ones are left", len(u.entries), len(u.queue), len(u.failed))
	}
}

// TestForgottenAndBack: the old entry of an id that was forgotten and came again does not take the new one away.
func TestForgottenAndBack(t *testing.T) {
	u := Set{Max: 2}
	now := time.Now()
	begin(&u, usedID(0), now)
	u.End(usedID(0), Failed)
	begin(&u, usedID(1), now)
	begin(&u, usedID(2), now) // 0 is forgotten
	u.End(usedID(1), Unused)
	begin(&u, usedID(0), now.Add(time.Minute))
	begin(&u, usedID(3), now.Add(life+time.Second))
	if u.Outcome(usedID(0)) != Running {
		t.Errorf("the second coming is %d", u.Outcome(usedID(0)))
	}
}
