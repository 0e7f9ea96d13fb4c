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
