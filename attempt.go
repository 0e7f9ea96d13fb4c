package authcode

import (
	"encoding/binary"
	"errors"
)

// attempt is one login between its start and its callback: what the cookie holds.
type attempt struct {
	state    state
	client   [16]byte // what the login belongs to: see loginDigest
	verifier verifier
	returnTo string
	scopes   []string // as requested by this login
	scoped   bool     // scopes differ from the Client's own, so the cookie carries them
	maxAge   int64    // seconds; negative: none was sent
	key      string   // the Binding's name for its key
	resource string   // that the token request names too
	values   map[string]string
}

const cookieVersion = 3

var errCookie = errors.New("not a login")

// marshal writes the attempt as bytes: version, state, verifier, digest, then strings and counts with
// their lengths in front. It is never larger than it must be: the cookie travels a lot.
func (a *attempt) marshal() []byte {
	b := make([]byte, 0, 176)
	b = append(b, cookieVersion)
	b = append(b, a.state[:]...)
	b = append(b, a.verifier[:]...)
	b = append(b, a.client[:]...)
	b = appendText(b, a.returnTo)
	b = appendText(appendText(b, a.key), a.resource)
	b = binary.AppendVarint(b, a.maxAge)
	if a.scoped {
		b = binary.AppendUvarint(b, uint64(len(a.scopes))+1)
		for _, s := range a.scopes {
			b = appendText(b, s)
		}
	} else {
		b = binary.AppendUvarint(b, 0)
	}
	for k, v := range a.values {
		b = appendText(appendText(b, k), v)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unmarshal reads what marshal wrote. The bytes were authenticated, yet it trusts no length.
func unmarshal(b []byte, own []string) (*attempt, error) {
	if len(b) < 81 || b[0] != cookieVersion {
		return nil, errCookie
	}
	a := &attempt{scopes: own}
	copy(a.state[:], b[1:33])
	copy(a.verifier[:], b[33:65])
	copy(a.client[:], b[65:81])
	r := reader{rest: b[81:]}
	a.returnTo = r.text()
	a.key, a.resource = r.text(), r.text()
	a.maxAge = r.varint()
	if n := r.uvarint(); n > 0 {
		a.scoped, a.scopes = true, []string{}
		for ; n > 1 && !r.bad; n-- {
			a.scopes = append(a.scopes, r.text())
		}
	}
	for len(r.rest) > 0 && !r.bad {
		if a.values == nil {
			a.values = make(map[string]string)
		}
		k := r.text()
		a.values[k] = r.text()
	}
	if r.bad {
		return nil, errCookie
	}
	return a, nil
}

type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	return v * r.advance(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	return v * int64(r.advance(n))
}

// advance takes n bytes off and returns 1, or marks r as bad and returns 0.
func (r *reader) advance(n int) uint64 {
	if n <= 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return 1
}

func (r *reader) text() string {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
