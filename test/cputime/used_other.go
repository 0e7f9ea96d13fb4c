//go:build !unix

package cputime

import "time"

var began = time.Now()

// used is the time on the clock: this system is asked in another way.
func used() time.Duration { return time.Since(began) }
