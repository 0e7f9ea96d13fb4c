package grant_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode/internal/bubble"
)

// TestRunLogsAnOutage: somebody who has forgotten the store's table learns so, by
// one line for each outage.
func TestRunLogsAnOutage(t *testing.T) {
	var b bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	defer slog.SetDefault(old)
	bubble.Test(t, func(t *testing.T) {
		n := newApp(t).node(t)
		running(t, n)
		for want := range 3 {
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := strings.Count(b.String(), errAway.Error()); got != want {
				t.Errorf("%d lines, want %d: %s", got, want, b.String())
			}
			n.outage(30 * time.Second)
		}
	})
}
