package authcode

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"
	"time"

	"github.com/gorilla/securecookie"
)

const (
	loginLifetime = 10 * time.Minute
	clockSkew     = time.Minute // how far ahead another instance's clock may be
)

// state is the state parameter (RFC 6749 section 10.12): 16 random bytes, 6 bytes of start time
// in milliseconds and a flag, and a tag of 10 bytes over both. The tag proves that
// this app made it, so a callback whose cookie is gone can still be explained. Nothing is ever
// accepted on the state alone.
type state [32]byte

const (
	stateTimeAt = 16
	stateTagAt  = 22
)

// strict64 refuses the other spellings of the same bytes that base64 allows.
var strict64 = base64.RawURLEncoding.Strict()

func (s *state) encode() string { return text64(*s) }

func (s *state) stamp() uint64 {
	return binary.BigEndian.Uint64(s[stateTimeAt-2:]) & (1<<48 - 1)
}

func (s *state) started() time.Time { return time.UnixMilli(int64(s.stamp() >> 1)) }

// elsewhere reports that the login began on another host than RedirectURL's, where its
// cookie cannot follow.
func (s *state) elsewhere() bool { return s.stamp()&1 == 1 }

// id is what the used states are keyed on: it tells nothing about the state.
func (s *state) id() [32]byte { return sha256.Sum256(s[:]) }

func parseState(text string) (s state, ok bool) {
	if base64.RawURLEncoding.DecodedLen(len(text)) != len(s) {
		return s, false
	}
	n, err := strict64.Decode(s[:], []byte(text))
	return s, err == nil && n == len(s)
}

// sealer holds what is made of one cookie key: three independent keys by HKDF (RFC 5869).
type sealer struct {
	cookie *securecookie.SecureCookie
	tags   *sync.Pool // of HMACs with the tag key: making one costs more than using it
}

func newSealer(key []byte) (*sealer, error) {
	keys, err := hkdf.Key(sha256.New, key, nil, "authcode login v2", 96)
	if err != nil {
		return nil, err
	}
	cookie := securecookie.New(keys[:32], keys[32:64]).
		SetSerializer(securecookie.NopEncoder{}).
		MaxLength(maxCookie).
		MaxAge(0) // the state's own start time decides, for cookie and state alike
	tags := &sync.Pool{New: func() any { return hmac.New(sha256.New, keys[64:]) }}
	return &sealer{cookie, tags}, nil
}

// newLogin makes the random parts of a login.
func (k *sealer) newLogin(now time.Time, elsewhere bool) (s state, v verifier) {
	var random [stateTimeAt + len(v)]byte
	rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	copy(v[:], random[stateTimeAt:])
	stamp := uint64(now.UnixMilli()) << 1
	if elsewhere {
		stamp |= 1
	}
	binary.BigEndian.PutUint64(s[stateTimeAt-2:], stamp)
	copy(s[:stateTimeAt], random[:])
	copy(s[stateTagAt:], k.tag(&s))
	return s, v
}

func (k *sealer) tag(s *state) []byte {
	mac := k.tags.Get().(hash.Hash)
	defer k.tags.Put(mac)
	mac.Reset()
	mac.Write(s[:stateTagAt])
	return mac.Sum(nil)[:len(s)-stateTagAt]
}

// sealerOf returns the key that made s, nil if none did.
func (c *Client) sealerOf(s *state) *sealer {
	for _, k := range c.sealers {
		if hmac.Equal(k.tag(s), s[stateTagAt:]) {
			return k
		}
	}
	return nil
}

// seal encrypts and signs plain for the cookie name. plain is overwritten.
func (k *sealer) seal(name string, plain []byte) (string, error) { return k.cookie.Encode(name, plain) }

// open returns what seal was given, if name and key are the same.
func (k *sealer) open(name, value string) (plain []byte, err error) {
	err = k.cookie.Decode(name, value, &plain)
	return plain, err
}
