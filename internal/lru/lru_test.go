package lru_test

import (
	"testing"

	"example.com/authcode/internal/lru"
)

func TestTheLeastRecentlyUsedGoes(t *testing.T) {
	m := lru.Map[string, int]{Max: 2}
	m.Put("a", 1)
	m.Put("b", 2)
	m.Get("a") // b is older now
	if got := m.GetOrPut("c", func() int { return 3 }); got != 3 {
		t.Errorf("GetOrPut returned %d", got)
	}
	for key, want := range map[string]int{"a": 1, "b": 0, "c": 3} {
		if got, _ := m.Get(key); got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
	m.Put("c", 4)
	m.Delete("a")
	n := 0
	m.Each(func(key string, value int) {
		if n++; key != "c" || value != 4 {
			t.Errorf("%s is %d", key, value)
		}
	})
	if n != 1 || m.Len() != 1 {
		t.Errorf("%d values, Len says %d", n, m.Len())
	}
}
