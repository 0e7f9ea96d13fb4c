package authcode_test

import (
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"testing"
)

// TestAllocations holds what a start and a finish allocate. Time depends on the
// machine; this does not. The numbers include three for the answer's header, and
// six for the stub's in a finish.
func TestAllocations(t *testing.T) {
	const runs = 100
	starts, finishes := 26.0, 76.0
	// The race detector makes sync.Pool drop values at random.
	if build, ok := debug.ReadBuildInfo(); ok && slices.Contains(build.Settings,
		debug.BuildSetting{Key: "-race", Value: "true"}) {
		starts, finishes = 2*starts, 2*finishes
	}
	s, r := newModule(t), startRequest()
	got := testing.AllocsPerRun(runs, func() { s.start(&discard{header: make(http.Header, 8)}, r) })
	if got > starts {
		t.Errorf("a start makes %v allocations, want at most %v", got, starts)
	}
	var callbacks []*http.Request
	for range runs + 1 { // AllocsPerRun calls its function once more
		rec := httptest.NewRecorder()
		callbacks = append(callbacks, callbackFor(s.start(rec, startRequest()), rec))
	}
	got = testing.AllocsPerRun(runs, func() {
		if _, _, err := s.finish(&discard{header: make(http.Header, 8)}, callbacks[0]); err != nil {
			t.Fatal(err)
		}
		callbacks = callbacks[1:]
	})
	if got > finishes {
		t.Errorf("a finish makes %v allocations, want at most %v", got, finishes)
	}
}
