package grant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"

	"example.com/authcode/internal/secret"
)

// UseState implements the method of [authcode.UsedStates] with a record of s.
func UseState(ctx context.Context, s Store, id string, until time.Time) (fresh bool, err error) {
	r := Record{Key: Key{Kind: "used", ID: sha256.Sum256([]byte(id))}, Version: newVersion()}
	// The login's time is the app's. A minute more is harmless, one less would
	// let a login be used twice at the end of its time.
	if r.Expires = time.Until(until) + time.Minute; r.Expires <= 0 {
		return false, nil
	}
	// A driver may repeat the statement. The version tells our own record from
	// another one.
	err = s.Create(ctx, r)
	switch {
	case errors.Is(err, ErrExists):
		return false, nil
	case err != nil:
		return false, secret.Printable{Err: err} // the id is not secret
	}
	return true, nil
}

// newVersion returns the first version of a record. It is random, so that a
// record which is deleted and created again never has a version twice: a holder
// that still works on the old one could otherwise overwrite it.
func newVersion() int64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return int64(binary.BigEndian.Uint64(b[:])>>2) + 1
}
