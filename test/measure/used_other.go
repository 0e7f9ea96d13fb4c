//go:build !unix

package measure

import "time"

var began = time.Now()

// Used returns the time since the start of the process, by the clock: this
// system counts CPU time in another way.
func Used() time.Duration { return time.Since(began) }
