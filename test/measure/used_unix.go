//go:build unix

package measure

import (
	"syscall"
	"time"
)

// Used returns the CPU time that this process has used.
func Used() time.Duration {
	var u syscall.Rusage
	// It fails only for a wrong argument.
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
