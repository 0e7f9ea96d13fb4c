// Package testmain saves the tests of a package time that they would spend on
// what they do not test.
package testmain

import (
	"flag"
	"os"
	"runtime/debug"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
)

// Run is for a TestMain: it runs the tests. Servers of package authserver have
// RSA keys of package testkey. Garbage is collected less often, which took a
// sixth of the time. TLS connections begin without ML-KEM, which took half of the
// time of their handshakes.
func Run(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" { // or measure programs as they are
		debug.SetGCPercent(400)
		os.Setenv("GODEBUG", os.Getenv("GODEBUG")+",tlsmlkem=0") // as if at the start
		for range 10 {
			authserver.LendRSAKeys(testkey.RSA())
		}
	}
	m.Run()
}
