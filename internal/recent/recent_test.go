package recent_test

import (
	"runtime"
	"testing"
	"time"
	"weak"

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
		c.Put("a", 1, 1, began)
		c.Put("a", 2, 1, began)
		want("of two with one time, the later one counts", 2)
		c.Put("a", 3, 1, began.Add(-time.Millisecond))
		want("an older one is not kept", 2)
		time.Sleep(time.Second)
		want("it is kept for its time", 2)
		time.Sleep(time.Nanosecond)
		want("and no longer", 0)
		c.Put("a", 4, 1, time.Now())
		c.Drop("a")
		want("a dropped one is gone", 0)
		c.Put("a", 5, 1, time.Now())
		want("what was read when it was dropped is not kept", 0)
		time.Sleep(time.Nanosecond)
		c.Put("a", 6, 1, time.Now())
		want("what was read afterwards is", 6)
		none := recent.New[string, int](0)
		if none.Put("a", 1, 1, time.Now()); none.Get("a") != 0 {
			t.Error("a Cache for no time has kept something")
		}
	})
}

// TestCacheIsBounded: it keeps up to 10,000 values, and 32 MiB of them.
func TestCacheIsBounded(t *testing.T) {
	for _, row := range []struct{ n, size, least, most int }{
		{10_100, 1, 5_000, 10_000},
		{100, 1 << 20, 16, 32},
	} {
		c := recent.New[int, bool](time.Hour)
		kept := 0
		for i := range row.n {
			c.Put(i, true, row.size, time.Now())
			c.Put(i, true, row.size, time.Now()) // again: it counts once
		}
		for i := range row.n {
			if c.Get(i) {
				kept++
			}
		}
		if kept > row.most || kept < row.least {
			t.Errorf("of %d values of %d bytes, %d are kept", row.n, row.size, kept)
		}
	}
}

// TestCacheForgets: what is too old to be used does not stay in memory.
func TestCacheForgets(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := recent.New[int, *[1 << 10]byte](time.Second)
		value := new([1 << 10]byte)
		left := weak.Make(value)
		c.Put(1, value, 1<<10, time.Now())
		value = nil
		for n := range 2 {
			time.Sleep(time.Second + time.Nanosecond)
			c.Drop(2 + n)
		}
		runtime.GC()
		if left.Value() != nil {
			t.Error("a value is in memory that is too old")
		}
		runtime.KeepAlive(c)
	})
}

// TestDropIsRemembered: what was read before a Drop is not kept after so many
// others that the Drop itself is forgotten.
func TestDropIsRemembered(t *testing.T) {
	c := recent.New[int, bool](time.Hour)
	before := time.Now()
	c.Drop(-1)
	for i := range 10_100 {
		c.Put(i, true, 1, time.Now())
	}
	if c.Put(-1, true, 1, before); c.Get(-1) {
		t.Error("what was read before the Drop is kept")
	}
}
