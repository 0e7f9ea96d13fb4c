package bubble_test

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
)

// TestRandom: many goroutines of a bubble read random bytes, which differ from
// those of the bubble before.
func TestRandom(t *testing.T) {
	seen := make(map[string]bool)
	for range 2 {
		t.Run("", func(t *testing.T) {
			bubble.Test(t, func(*testing.T) {
				var mu sync.Mutex
				var all sync.WaitGroup
				for range 100 {
					all.Go(func() {
						time.Sleep(time.Second)
						text := rand.Text()
						mu.Lock()
						defer mu.Unlock()
						seen[text] = true
					})
				}
				all.Wait()
			})
		})
	}
	if len(seen) != 200 {
		t.Errorf("%d of 200 texts differ", len(seen))
	}
}
