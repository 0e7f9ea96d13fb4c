package authcode

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"example.com/authcode/internal/once"
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

// newLogin makes the state, the verifier and the id of a login.
func (k *sealer) newLogin(now time.Time, otherHost bool) (s state, v verifier, id once.ID) {
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
	tag, id := k.sign(&s)
	copy(s[stateTagAt:], tag[:])
	return s, v, id
}

// sign returns the tag and the id of s, two parts of one keyed hash. The id names
// the login in its cookie and in the used states.
func (k *sealer) sign(s *state) (tag [stateTagLen]byte, id once.ID) {
	// 80 bits are enough for the tag: a forged one only changes the words of an
	// error, and nobody can try tags faster than the app answers.
	//
	// The cookie has the id in place of the state, so the id has 128 bits, like the
	// state. Without the key, nobody can find a second state with the same id, and a
	// list of cookie names reveals no state.
	//
	// An HMAC (RFC 2104) would hash four blocks where this hashes one. It prevents
	// that somebody appends to a message, and all states have the same length.
	var b [len(k.tagKey) + stateTagAt]byte
	copy(b[copy(b[:], k.tagKey[:]):], s[:stateTagAt])
	sum := sha256.Sum256(b[:])
	return [stateTagLen]byte(sum[:]), once.ID(sum[stateTagLen:])
}

// sealerFor returns the sealer that made s, and the login's id. The sealer is nil
// if this app did not make s.
func (c *Client) sealerFor(s *state) (*sealer, once.ID) {
	// Every key, not only the first: a login may have begun before a rotation.
	for _, k := range c.sealers {
		// In constant time. Otherwise the time of the answer would tell how
		// many bytes of a forged tag are right.
		if tag, id := k.sign(s); hmac.Equal(tag[:], s[stateTagAt:]) {
			return k, id
		}
	}
	return nil, once.ID{}
}
