package clock_test

import (
	"testing"
	"time"

	"example.com/authcode/internal/clock"
)

func TestNow(t *testing.T) {
	moved := new(clock.Clock)
	clock.Advance(moved, 2*time.Hour)
	clock.Advance(moved, -time.Hour)
	for claim, row := range map[string]struct {
		clock *clock.Clock
		ahead time.Duration
	}{
		"no clock tells the real time":         {nil, 0},
		"a new clock tells the real time":      {new(clock.Clock), 0},
		"a moved clock is as far as moved":     {moved, time.Hour},
		"an empty carrier tells the real time": {clock.Carrier{}.Clock, 0},
	} {
		t.Run(claim, func(t *testing.T) {
			before := time.Now().Add(row.ahead)
			now := row.clock.Now()
			if after := time.Now().Add(row.ahead); now.Before(before) || now.After(after) {
				t.Errorf("got %v, want a time between %v and %v", now, before, after)
			}
		})
	}
}

func TestBudget(t *testing.T) {
	slow := new(clock.Clock)
	clock.Slow(slow, 60)
	for claim, row := range map[string]struct {
		clock *clock.Clock
		want  time.Duration
	}{
		"no clock changes nothing":         {nil, time.Second},
		"a new clock changes nothing":      {new(clock.Clock), time.Second},
		"a slow clock has so many of them": {slow, time.Minute},
	} {
		if got := row.clock.Budget(time.Second); got != row.want {
			t.Errorf("%s: %v, want %v", claim, got, row.want)
		}
	}
}
