// Package secret keeps secrets out of logs, error texts and dumps.
package secret

import "fmt"

const shown = "REDACTED"

// Value holds a secret inside a function. Neither package fmt nor an encoder
// that works by reflection can look into a function. This protects a Value at
// any depth, even in an unexported field, where fmt does not call the methods
// below. The zero Value holds the zero T.
type Value[T any] struct{ reveal func() T }

// Hide returns a Value that holds v.
func Hide[T any](v T) Value[T] { return Value[T]{func() T { return v }} }

// Reveal returns the secret.
func (v Value[T]) Reveal() T {
	if v.reveal == nil {
		var zero T
		return zero
	}
	return v.reveal()
}

// Format prints REDACTED, whatever the verb.
func (v Value[T]) Format(f fmt.State, _ rune) { f.Write([]byte(shown)) }

// MarshalText returns REDACTED, so that encoders print nothing else.
func (v Value[T]) MarshalText() ([]byte, error) { return []byte(shown), nil }

// Redacted is embedded in a struct that has secrets among its fields. The
// struct then prints and marshals as REDACTED. Where such a struct is an
// unexported field of another struct, fmt does not call its methods, so our own
// structs also keep each secret in a [Value].
type Redacted struct{}

// Format prints REDACTED, whatever the verb.
func (Redacted) Format(f fmt.State, _ rune) { f.Write([]byte(shown)) }

// MarshalText returns REDACTED, so that encoders print nothing else.
func (Redacted) MarshalText() ([]byte, error) { return []byte(shown), nil }
