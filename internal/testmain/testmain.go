// Package testmain saves the tests of a package time that they would spend on
// what they do not test.
package testmain

import (
	"runtime/debug"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
)

// Run is for a TestMain: it runs the tests. Servers of package authserver have
// RSA keys of package testkey. Garbage lies for longer: to collect it took a
// sixth of the time.
func Run(m *testing.M) {
	debug.SetGCPercent(400)
	for range 10 {
		authserver.LendRSAKeys(testkey.RSA())
	}
	m.Run()
}
