package grant_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
)

// result is what came of a renewal whose holder was stopped.
type result struct {
	requests int
	outcomes string
	lives    bool // the grant
}

var (
	renewed   = result{1, "renewed", true}
	takenOver = result{1, "taken_over retried renewed", true} // nothing had been sent
	again     = result{2, "taken_over retried renewed", true} // the spent token, which the provider accepts
	lost      = result{2, "taken_over retried lost", false}
	checked   = result{1, "taken_over renewed", true} // the answer was there, and is checked
	late      = result{1, "taken_over renewed renewed", true}
	overtaken = result{2, "taken_over retried renewed overtaken", true}
)

// transitions has each step of a renewal at which its holder stops, and what
// comes of it, at a provider that refuses a spent token (strict) and at one that
// accepts it for ten seconds.
var transitions = []struct {
	step             string
	strict, reuse    result // the holder dies, and another instance asks
	frozen, frozen10 result // it wakes up after five seconds
	abandoned        int    // requests at the strict provider if only Run is there
}{
	{"before load", renewed, renewed, renewed, renewed, 0},
	{"after load", renewed, renewed, renewed, renewed, 0},
	{"before take", renewed, renewed, renewed, renewed, 0},
	{"after take", takenOver, takenOver, takenOver, takenOver, 1},
	// Nothing can keep a process from being stopped between its last look at the
	// clock and the first byte that it sends.
	{"before send", takenOver, takenOver, result{2, "taken_over retried renewed", false}, overtaken, 1},
	{"after send", lost, again, lost, overtaken, 2},
	{"before unchecked", lost, again, result{2, "taken_over retried lost save_failed", false},
		result{2, "taken_over retried renewed save_failed overtaken", true}, 2},
	{"after unchecked", checked, checked, late, late, 1},
	{"before check", checked, checked, late, late, 1},
	{"before save", checked, checked, result{1, "taken_over renewed save_failed renewed", true},
		result{1, "taken_over renewed save_failed renewed", true}, 1},
	{"after save", result{1, "", true}, result{1, "", true}, renewed, renewed, 1},
}

// TestHolderStops stops the holder at each transition of a renewal.
func TestHolderStops(t *testing.T) {
	const window = 10 * time.Second
	for _, row := range transitions {
		for _, c := range []struct {
			claim         string
			freeze, reuse time.Duration
			want          result
		}{
			{"dies, strict", 0, 0, row.strict},
			{"dies, reuse", 0, window, row.reuse},
			{"is frozen for less than its lease, strict", 2 * time.Second, 0, renewed},
			{"is frozen for less than its lease, reuse", 2 * time.Second, window, renewed},
			{"is frozen, strict", 5 * time.Second, 0, row.frozen},
			{"is frozen, reuse", 5 * time.Second, window, row.frozen10},
		} {
			t.Run(row.step+" "+c.claim, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) { holderStops(t, row.step, c.freeze, c.reuse, c.want) })
			})
		}
	}
}

func holderStops(t *testing.T, step string, freeze, reuse time.Duration, want result) {
	a, p := newWorld(t, reuse)
	first, second := a.node(t), a.node(t)
	id := a.save(t, first.Grants, login())
	time.Sleep(2 * time.Minute)
	first.stop(step, freeze, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := make(chan error, 1)
	go func() {
		_, err := first.Handle(id).Token(ctx)
		got <- err
	}()
	time.Sleep(100 * time.Millisecond)
	short, end := context.WithTimeout(ctx, 7*time.Second)
	defer end()
	_, err := second.Handle(id).Token(short)
	wantLife(t, "the second caller", err, want.lives || step == "before send")
	time.Sleep(20 * time.Second)
	if n, outcomes := a.asked(), a.outcomesOf(); n != want.requests || outcomes != want.outcomes {
		t.Errorf("%d requests and the outcomes %q, want %d, %q", n, outcomes, want.requests, want.outcomes)
	}
	if p.overlapped() {
		t.Error("two requests at the same time")
	}
	select { // a frozen process returns what is in the store when it wakes up
	case err := <-got:
		if freeze > 0 && step != "before take" {
			wantLife(t, "the first caller", err, want.lives || step == "before send")
		}
	default:
		if freeze > 0 {
			t.Error("the first caller still waits")
		}
	}
	time.Sleep(2 * time.Minute)
	_, err = second.Handle(id).Token(t.Context())
	wantLife(t, "the grant", err, want.lives)
}

// wantLife checks that err is nil, or says that the grant has ended.
func wantLife(t *testing.T, who string, err error, lives bool) {
	t.Helper()
	if lives && err != nil {
		t.Errorf("%s got %v", who, err)
	}
	if !lives {
		wantError(t, err, authcode.GrantRejected, true)
	}
}

// TestRunTakesUp: a renewal that nobody asks for any more is taken up in time.
func TestRunTakesUp(t *testing.T) {
	for _, row := range transitions {
		for _, reuse := range []time.Duration{0, 10 * time.Second} {
			t.Run(fmt.Sprint(row.step, reuse), func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					a, _ := newWorld(t, reuse)
					first, second := a.node(t), a.node(t)
					id := a.save(t, first.Grants, login())
					time.Sleep(2 * time.Minute)
					running(t, first, second)
					first.stop(row.step, 0, nil)
					go first.Handle(id).Token(t.Context())
					time.Sleep(20 * time.Second)
					if n := a.asked(); n != row.abandoned {
						t.Errorf("%d requests, want %d", n, row.abandoned)
					}
					// Nobody renews what nobody uses.
					time.Sleep(time.Hour)
					if n := a.asked(); n != row.abandoned {
						t.Errorf("%d requests after an hour, want %d", n, row.abandoned)
					}
					_, err := second.Handle(id).Token(t.Context())
					wantLife(t, "the grant", err, row.strict.lives || reuse > 0)
				})
			})
		}
	}
}

// TestLateHolderSaves: the answer is saved long after the lease has run out, if
// nobody has replaced the token.
func TestLateHolderSaves(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		first, second := a.node(t), a.node(t)
		id := a.save(t, first.Grants, login())
		time.Sleep(2 * time.Minute)
		first.stop("after send", 10*time.Second, nil)
		token(t, first.Grants, id, "at-1")
		token(t, second.Grants, id, "at-1")
		if got := a.outcomesOf(); got != "renewed" || a.asked() != 1 {
			t.Errorf("%d requests, %s", a.asked(), got)
		}
	})
}

// TestGiveUpStops: the holder is stopped when it gives up, or ends the grant.
func TestGiveUpStops(t *testing.T) {
	for step, want := range map[string]result{
		"before give up": {2, "in_doubt taken_over retried renewed", true},
		"after give up":  {2, "in_doubt retried renewed", true},
		"before delete":  {2, "taken_over retried lost", false},
		"after delete":   {1, "", false},
	} {
		t.Run(step, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, p := newWorld(t, 0)
				first, second := a.node(t), a.node(t)
				id := a.save(t, first.Grants, login())
				time.Sleep(2 * time.Minute)
				if p.ended = !want.lives; want.lives {
					p.busyFor = 1
				}
				first.stop(step, 0, nil)
				go first.Handle(id).Token(t.Context())
				time.Sleep(10 * time.Second)
				_, err := second.Handle(id).Token(t.Context())
				wantLife(t, "the second caller", err, want.lives)
				if n, outcomes := a.asked(), a.outcomesOf(); n != want.requests || outcomes != want.outcomes {
					t.Errorf("%d requests and the outcomes %q, want %v", n, outcomes, want)
				}
			})
		})
	}
}

// TestLostAnswers: the store executes an operation, and its answer is lost.
func TestLostAnswers(t *testing.T) {
	for step, want := range map[string]result{
		"after take":      {1, "taken_over retried renewed", true},
		"after unchecked": {1, "save_failed renewed", true},
		"after save":      {1, "save_failed renewed", true},
		"after load":      {1, "renewed", true},
		"after give up":   {2, "in_doubt retried renewed", true},
		"after delete":    {1, "", false},
	} {
		t.Run(step, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a, p := newWorld(t, 0)
				first := a.node(t)
				id := a.save(t, first.Grants, login())
				time.Sleep(2 * time.Minute)
				p.ended = !want.lives
				if step == "after give up" {
					p.busyFor = 1
				}
				first.stop(step, 0, errLost)
				first.Handle(id).Token(t.Context())
				time.Sleep(10 * time.Second)
				_, err := first.Handle(id).Token(t.Context())
				wantLife(t, "the next caller", err, want.lives)
				if n, outcomes := a.asked(), a.outcomesOf(); n != want.requests || outcomes != want.outcomes {
					t.Errorf("%d requests and the outcomes %q, want %v", n, outcomes, want)
				}
			})
		})
	}
}

// TestLostCreate: an app that saves a login again gets the same grant.
func TestLostCreate(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		n, l := a.node(t), login()
		n.stop("after create", 0, errLost)
		if _, err := n.Save(t.Context(), a.client, l); err == nil {
			t.Error("Save succeeds although the store failed")
		}
		id := a.save(t, n.Grants, l)
		if again := a.save(t, n.Grants, l); again != id {
			t.Errorf("the grant has the IDs %s and %s", id, again)
		}
		token(t, n.Grants, id, "at-0")
		if keys := slices.Compact(n.created); len(keys) != 1 {
			t.Errorf("the keys of the records are %v, want one", keys)
		}
	})
}
