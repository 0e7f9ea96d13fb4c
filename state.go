package authcode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

const (
	loginLifetime = 10 * time.Minute
	clockSkew     = time.Minute // how far ahead another instance's clock may be
)

// state is the state parameter (RFC 6749 section 10.12): 16 random bytes, 6
// bytes with the start time and a flag, and a tag of 10 bytes over both.
//
// The tag proves that this app made the state, so that a callback without a
// cookie can still be explained. Nothing is accepted because of the state
// alone.
type state [32]byte

const (
	stateTimeAt = 16
	stateTagAt  = 22
	stateTagLen = 10
)

// strict64 refuses the other spellings that base64 allows for the same bytes.
// Otherwise an attacker could change a state without changing its meaning.
var strict64 = base64.RawURLEncoding.Strict()

func (s *state) encode() encoded { return base64URL(*s) }

// stamp returns 47 bits of milliseconds and, in the lowest bit, the flag.
func (s *state) stamp() uint64 {
	return binary.BigEndian.Uint64(s[stateTimeAt-2:]) & (1<<48 - 1)
}

func (s *state) started() time.Time { return time.UnixMilli(int64(s.stamp() >> 1)) }

// onOtherHost reports whether the login began on a host that is not
// RedirectURL's. Browsers do not send its cookie to the callback.
func (s *state) onOtherHost() bool { return s.stamp()&1 == 1 }

// id is what the cookie's name has of the state: a hash, so that a list
// of cookie names reveals no state.
func (s *state) id() [32]byte { return sha256.Sum256(s[:]) }

// parseState returns the zero state and false if text is not a state.
func parseState(text string) (s state, ok bool) {
	// Check the length first: the text comes from anybody, and Decode panics if
	// its result is longer than s.
	if base64.RawURLEncoding.DecodedLen(len(text)) != len(s) {
		return state{}, false
	}
	// With an error, Decode stops before the end.
	if n, _ := strict64.Decode(s[:], []byte(text)); n != len(s) {
		return state{}, false
	}
	return s, true
}

// newLogin makes the state and the verifier of a login.
func (k *sealer) newLogin(now time.Time, otherHost bool) (s state, v verifier) {
	var random [stateTimeAt + len(v)]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	// RFC 7636 section 7.1: a verifier should have 256 bits of entropy. RFC
	// 6749 section 10.10: guessing a state must have a probability of 2^-128 or
	// less.
	copy(v[:], random[stateTimeAt:])
	stamp := uint64(now.UnixMilli()) << 1
	if otherHost {
		stamp |= 1
	}
	// The eight bytes begin two bytes early. The random bytes then overwrite
	// the zeros there, so this order matters.
	binary.BigEndian.PutUint64(s[stateTimeAt-2:], stamp)
	copy(s[:stateTimeAt], random[:])
	tag := k.tag(&s)
	copy(s[stateTagAt:], tag[:])
	return s, v
}

// tag returns the first 80 bits of an HMAC.
func (k *sealer) tag(s *state) [stateTagLen]byte {
	// 80 bits are enough: a forged tag only changes the words of an error, and
	// nobody can try tags faster than the app answers.
	sum := k.hmac(s[:stateTagAt])
	return [stateTagLen]byte(sum[:])
}

// usedID returns the key of s in the used states. Equal states of different
// cookie keys have different IDs.
func (k *sealer) usedID(s *state) [32]byte {
	// Hash all 32 bytes of the state. A tag covers 22, so no id contains one.
	return k.hmac(s[:])
}

// sealerFor returns the sealer that made s, or nil if none did.
func (c *Client) sealerFor(s *state) *sealer {
	// Every key, not only the first: a login may have begun before a rotation.
	for _, k := range c.sealers {
		// In constant time. Otherwise the time of the answer would tell how
		// many bytes of a forged tag are right.
		if tag := k.tag(s); hmac.Equal(tag[:], s[stateTagAt:]) {
			return k
		}
	}
	return nil
}
