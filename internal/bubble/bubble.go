// Package bubble runs tests in bubbles of testing/synctest, in FIPS 140-3 mode,
// too. Go's random number generator then takes its entropy from the times that
// memory accesses need. In a bubble no time passes, and the generator panics as
// soon as two goroutines read it at once.
package bubble

import (
	"crypto/fips140"
	"crypto/rand"
	"encoding/binary"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
)

// Test is [synctest.Test]. In FIPS 140-3 mode, random bytes come from package
// cryptotest until t ends, from another seed each time, since no state, code or
// key of one test may come back in another. So t must not be parallel.
func Test(t *testing.T, f func(*testing.T)) {
	t.Helper()
	if fips140.Enabled() {
		var seed [8]byte
		rand.Read(seed[:])
		cryptotest.SetGlobalRandom(t, binary.LittleEndian.Uint64(seed[:]))
	}
	synctest.Test(t, f)
}
