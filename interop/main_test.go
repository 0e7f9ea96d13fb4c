package interop

import (
	"os"
	"sync"
	"testing"
)

// atEnd runs what stops the processes that tests share.
var atEnd struct {
	sync.Mutex
	stops []func()
}

func whenDone(stop func()) {
	atEnd.Lock()
	defer atEnd.Unlock()
	atEnd.stops = append(atEnd.stops, stop)
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range atEnd.stops {
		stop()
	}
	os.Exit(code)
}
