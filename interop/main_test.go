package interop

import (
	"os"
	"slices"
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
	for _, stop := range slices.Backward(atEnd.stops) { // a folder goes after its server
		stop()
	}
	os.Exit(code)
}
