package authcode

import (
	"encoding/binary"
	"math"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func usedID(n int) (id [32]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return id
}

func TestUsedOnce(t *testing.T) {
	var u usedStates
	id, now := usedID(0), time.Now()
	for _, step := range []struct {
		claim string
		got   func() outcome
		want  outcome
	}{
		{"a state is unused at first", func() outcome { return u.outcome(id) }, unused},
		{"the first to begin may go on", func() outcome { return u.begin(id, now) }, unused},
		{"the second may not", func() outcome { return u.begin(id, now) }, running},
		{"another state is not touched", func() outcome { return u.begin(usedID(1), now) }, unused},
		{"an end is remembered", func() outcome { u.end(id, failed); return u.outcome(id) }, failed},
		{"a failed one cannot begin again", func() outcome { return u.begin(id, now) }, failed},
		{"an end is final", func() outcome { u.end(id, done); return u.outcome(id) }, failed},
		{"the other may end in another way", func() outcome { u.end(usedID(1), done); return u.begin(usedID(1), now) }, done},
		{"the end of what never began is not remembered", func() outcome { u.end(usedID(2), done); return u.outcome(usedID(2)) }, unused},
	} {
		if got := step.got(); got != step.want {
			t.Errorf("%s: got %d, want %d", step.claim, got, step.want)
		}
	}
}

func TestUsedOnceUnderRace(t *testing.T) {
	var u usedStates
	var first atomic.Int32
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if u.begin(usedID(0), time.Now()) == unused {
				first.Add(1)
				u.end(usedID(0), done)
			}
		})
	}
	wg.Wait()
	if n := first.Load(); n != 1 {
		t.Errorf("%d of 100 were told to go on, want 1", n)
	}
}

// A state is remembered for as long as it would be accepted, even one by a clock that is ahead.
func TestUsedIsRememberedLongEnough(t *testing.T) {
	var u usedStates
	now := time.UnixMilli(1_800_000_000_000)
	u.begin(usedID(0), now)
	lastFresh := now.Add(clockSkew + loginLifetime) // of a login that began at now+clockSkew
	u.begin(usedID(1), lastFresh)
	if u.outcome(usedID(0)) != running {
		t.Error("a state is forgotten while it would be accepted")
	}
	u.begin(usedID(2), lastFresh.Add(time.Millisecond))
	if u.outcome(usedID(0)) != unused || len(u.entries) != 2 || len(u.queue) != 2 {
		t.Errorf("a state is kept for too long: %d entries, %d in the queue", len(u.entries), len(u.queue))
	}
	u.end(usedID(0), done)
	if u.outcome(usedID(0)) != unused {
		t.Error("the end of a login that has left the set brings it back")
	}
	u.begin(usedID(3), lastFresh.Add(time.Hour))
	if len(u.entries) != 1 || len(u.queue) != 1 {
		t.Errorf("%d entries, %d in the queue; want the new one alone", len(u.entries), len(u.queue))
	}
}

func TestUsedIsBounded(t *testing.T) {
	var u usedStates
	now := time.Now()
	for n := range maxUsed + 10 {
		if u.begin(usedID(n), now) != unused {
			t.Fatalf("state %d is taken for used", n)
		}
	}
	if len(u.entries) != maxUsed || len(u.queue) != maxUsed {
		t.Errorf("%d entries, %d in the queue; want %d", len(u.entries), len(u.queue), maxUsed)
	}
	for n, want := range map[int]outcome{0: unused, 9: unused, 10: running, maxUsed + 9: running} {
		if got := u.outcome(usedID(n)); got != want {
			t.Errorf("state %d: got %d, want %d: the oldest go first", n, got, want)
		}
	}
}

func TestAttemptSurvivesTheCookie(t *testing.T) {
	own := []string{"openid", "profile"}
	for claim, change := range map[string]func(*attempt){
		"a login without options":              func(*attempt) {},
		"a return path of any bytes":           func(a *attempt) { a.returnTo = "/\x00\xff?" + string(make([]byte, 500)) },
		"scopes of its own":                    func(a *attempt) { a.scoped, a.scopes = true, []string{"a", "", "b"} },
		"no scopes at all, which is not own":   func(a *attempt) { a.scoped, a.scopes = true, []string{} },
		"a max_age":                            func(a *attempt) { a.maxAge = math.MaxInt32 },
		"a max_age of zero, which is not none": func(a *attempt) { a.maxAge = 0 },
		"values":                               func(a *attempt) { a.values = map[string]string{"": "", "k": "v", "v": "k\x00"} },
		"all of it": func(a *attempt) {
			a.scoped, a.scopes, a.maxAge, a.values = true, []string{"x"}, 1, map[string]string{"k": "v"}
		},
	} {
		t.Run(claim, func(t *testing.T) {
			a := stateAttempt(stateClient(t, nil), time.Now())
			a.scopes = own
			change(a)
			got, err := unmarshal(a.marshal(), own)
			if err != nil || !reflect.DeepEqual(got, a) {
				t.Errorf("got %+v, %v; want %+v", got, err, a)
			}
		})
	}
}

func TestAttemptRefused(t *testing.T) {
	a := stateAttempt(stateClient(t, nil), time.Now())
	plain := a.marshal()
	head := plain[:65]
	tail := func(b ...byte) []byte { return append(append([]byte(nil), head...), b...) }
	long := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01} // 2^64-1
	for claim, b := range map[string][]byte{
		"nothing":                               nil,
		"another version":                       append([]byte{cookieVersion + 1}, plain[1:]...),
		"a state and half a verifier":           plain[:50],
		"no return path":                        head,
		"a return path longer than the rest":    tail(5, '/', 0, 0),
		"a return path of 2^64-1 bytes":         tail(append(long, '/', 1, 0)...),
		"a length of eleven bytes":              tail(append([]byte{0xff}, append(long, 1, 0)...)...),
		"no key":                                tail(1, '/'),
		"no resource":                           tail(1, '/', 0),
		"no max_age":                            tail(1, '/', 0, 0),
		"no count of scopes":                    tail(1, '/', 0, 0, 1),
		"2^64-1 scopes":                         tail(append([]byte{1, '/', 0, 0, 1}, long...)...),
		"one scope of two":                      tail(1, '/', 0, 0, 1, 3, 1, 'a'),
		"a key without a value":                 tail(1, '/', 0, 0, 1, 0, 1, 'k'),
		"a value longer than the rest":          tail(1, '/', 0, 0, 1, 0, 1, 'k', 2, 'v'),
		"a length that is cut in its own bytes": tail(1, '/', 0, 0, 1, 0, 1, 'k', 0x80),
	} {
		t.Run(claim, func(t *testing.T) {
			if got, err := unmarshal(b, nil); err == nil {
				t.Errorf("%x was read as %+v", b, got)
			}
		})
	}
	if _, err := unmarshal(tail(1, '/', 0, 0, 1, 0), nil); err != nil {
		t.Errorf("the shortest login is refused: %v", err)
	}
}
