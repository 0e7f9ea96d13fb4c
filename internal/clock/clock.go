// Package clock tells a Client the time. It is the real time, unless package
// authtest moves it, so that a test sees a login or a token expire without
// waiting.
//
// An app cannot move it. authcode.Config embeds a [Carrier] under an unexported
// name, and only this module can import this package and make a Clock that runs
// ahead.
package clock

import (
	"sync/atomic"
	"time"
)

// Clock tells the time. A nil *Clock and the zero Clock tell the real time. It
// is safe for concurrent use.
type Clock struct {
	ahead atomic.Int64
	slow  atomic.Int64 // see Slow
}

// Now returns the time by c.
func (c *Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	return time.Now().Add(time.Duration(c.ahead.Load()))
}

// Advance moves c forward by d. A negative d moves it back. It is a function
// and not a method, because an app could call a method through the Config that
// embeds the Clock.
func Advance(c *Clock, d time.Duration) { c.ahead.Add(int64(d)) }

// Budget returns the time that something may take which usually has d.
func (c *Clock) Budget(d time.Duration) time.Duration {
	if c == nil {
		return d
	}
	return d * time.Duration(max(1, c.slow.Load()))
}

// Slow multiplies the budget of a login, for tests that start so many logins
// that the machine is what takes the time.
func Slow(c *Clock, times int64) { c.slow.Store(times) }

// Carrier takes a Clock along in a struct that embeds it.
type Carrier struct{ Clock *Clock }
