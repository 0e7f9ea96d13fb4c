package recent_test

import (
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/recent"
)

// TestCache: the newest value is kept for its time, and a dropped one is gone.
func TestCache(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := recent.New[string, int](time.Second)
		want := func(claim string, want int) {
			t.Helper()
			if got := c.Get("a"); got != want {
				t.Errorf("%s: got %d, want %d", claim, got, want)
			}
		}
		began := time.Now()
		want("nothing is there", 0)
		c.Put("a", 1, began)
		c.Put("a", 2, began)
		want("of two with one time, the later one counts", 2)
		c.Put("a", 3, began.Add(-time.Millisecond))
		want("an older one is not kept", 2)
		time.Sleep(time.Second)
		want("it is kept for its time", 2)
		time.Sleep(time.Nanosecond)
		want("and no longer", 0)
		c.Put("a", 4, time.Now())
		c.Drop("a")
		want("a dropped one is gone", 0)
		c.Put("a", 5, time.Now())
		want("what was read when it was dropped is not kept", 0)
		time.Sleep(time.Nanosecond)
		c.Put("a", 6, time.Now())
		want("what was read afterwards is", 6)
		none := recent.New[string, int](0)
		if none.Put("a", 1, time.Now()); none.Get("a") != 0 {
			t.Error("a Cache for no time has kept something")
		}
	})
}

// TestCacheIsBounded: it keeps 10,000 values.
func TestCacheIsBounded(t *testing.T) {
	c := recent.New[int, bool](time.Hour)
	const n = 10_100
	for i := range n {
		c.Put(i, true, time.Now())
	}
	kept := 0
	for i := range n {
		if c.Get(i) {
			kept++
		}
	}
	if kept > 10_000 || kept < 9_000 {
		t.Errorf("%d of %d are kept", kept, n)
	}
}
