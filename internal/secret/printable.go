package secret

// Printable is an error that has no secret, such as one of a database that sees
// sealed values only. A line in the log may show its text, which operators need:
// it says that a table is missing, for example.
type Printable struct{ Err error }

// Error returns the text of Err.
func (p Printable) Error() string { return p.Err.Error() }

// Unwrap returns Err.
func (p Printable) Unwrap() error { return p.Err }
