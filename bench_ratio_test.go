package authcode_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode/test/measure"
)

// BenchmarkRatio compares like BenchmarkStart and BenchmarkFinish, but by CPU
// time and in turns. It reports the ratios of the medians.
func BenchmarkRatio(b *testing.B) {
	m, t, f := newModule(b), newTutorial(b), newFloor(b)
	start := func(s subject) func() time.Duration {
		return func() time.Duration { return startCost(s) }
	}
	finish := func(s subject) func() time.Duration {
		return func() time.Duration { return finishCost(b, s) }
	}
	got := measure.Medians(b.N, start(m), start(t), start(f), finish(m), finish(t), finish(f))
	b.ReportMetric(got[0]/got[1], "start/tutorial")
	b.ReportMetric(got[0]/got[2], "start/floor")
	b.ReportMetric(got[3]/got[4], "finish/tutorial")
	b.ReportMetric(got[3]/got[5], "finish/floor")
	b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
}

const roundLogins = 100 // in one round of a subject

func startCost(s subject) time.Duration {
	r := startRequest()
	run := func() {
		for range roundLogins {
			s.start(&discard{header: make(http.Header, 8)}, r)
		}
	}
	run() // so that no subject pays for what the one before it has left in the caches
	return measure.CPU(run)
}

func finishCost(b *testing.B, s subject) time.Duration {
	var callbacks []*http.Request
	for range 2 * roundLogins {
		rec := httptest.NewRecorder()
		callbacks = append(callbacks, callbackFor(s.start(rec, startRequest()), rec))
	}
	run := func() {
		for _, r := range callbacks[:roundLogins] {
			if _, _, err := s.finish(&discard{header: make(http.Header, 8)}, r); err != nil {
				b.Fatal(err)
			}
		}
		callbacks = callbacks[roundLogins:]
	}
	run() // as in startCost
	return measure.CPU(run)
}
