package authcode

import (
	"encoding/binary"
	"errors"
	"time"

	"example.com/authcode/internal/once"
	"example.com/authcode/internal/realm"
)

// attempt is one login between its start and its callback. The login cookie
// holds it.
type attempt struct {
	state    state     // not in the cookie; zero if the cookie was opened without it
	started  time.Time // in the cookie's name, as is id
	id       once.ID   // names its cookie and marks it as used
	digest   [16]byte  // what the login belongs to: see loginDigest
	deadline time.Time // of its callback; not in the cookie
	verifier verifier
	key      string // the Binding's name for its key
	name     string // of its cookie, once that was opened
	choices

	tenant realm.Login // of the Client that began it; zero outside package tenants
}

// choices are what the Client's defaults and the app's options say about a
// login.
type choices struct {
	returnTo string   // empty if it was dropped
	scopes   []string // as requested by this login
	scoped   bool     // scopes differ from the Client's own, so the cookie has them
	maxAge   int64    // seconds; negative if none was sent
	resource string   // what the token request repeats
	values   map[string]string
}

// cookieVersion changes with the layout. A login that began with another layout
// is refused instead of misread. A tenant's has tenantVersion, and the tenant
// behind the digest.
const (
	cookieVersion = 7
	tenantVersion = 8
)

var errCookie = errors.New("not a login")

// marshal appends the attempt to b: version, verifier and digest, then texts
// and numbers with their lengths in front.
func (a *attempt) marshal(b []byte) []byte {
	// Not JSON: every request of the browser carries the cookie, and base64
	// makes each byte longer by a third, twice.
	//
	// The version comes first, so that any later layout can be recognized.
	version := byte(cookieVersion)
	if a.tenant.Tenant != "" {
		version = tenantVersion
	}
	b = append(b, version)
	b = append(b, a.verifier[:]...)
	b = append(b, a.digest[:]...)
	if version == tenantVersion {
		b = appendText(appendText(b, a.tenant.Tenant), a.tenant.Version)
	}
	b = appendText(b, a.returnTo)
	// Most logins have none of the rest.
	if a.key == "" && a.resource == "" && a.maxAge < 0 && !a.scoped && len(a.values) == 0 {
		return b
	}
	b = appendText(appendText(b, a.key), a.resource)
	b = binary.AppendVarint(b, a.maxAge)
	// One more than their number: no scopes at all (1) differs from the
	// Client's own scopes (0), which need no bytes.
	if a.scoped {
		b = binary.AppendUvarint(b, uint64(len(a.scopes))+1)
		for _, s := range a.scopes {
			b = appendText(b, s)
		}
	} else {
		b = binary.AppendUvarint(b, 0)
	}
	// The values come last and need no count: they end where the bytes end.
	for k, v := range a.values {
		b = appendText(appendText(b, k), v)
	}
	return b
}

// appendText appends the length of s and s. It is not inlined, since its eight
// copies in marshal would be four times as large as the rest of it.
//
//go:noinline
func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unmarshalAttempt reads what marshal wrote. own are the Client's own scopes.
func unmarshalAttempt(b []byte, own []string) (*attempt, error) {
	// The bytes were authenticated, but a faulty version of this package may
	// have sealed them. So trust no length. Version, verifier and digest have 1,
	// 32 and 16 bytes.
	if len(b) < 49 || b[0] != cookieVersion && b[0] != tenantVersion {
		return nil, errCookie
	}
	a := &attempt{choices: choices{scopes: own}}
	copy(a.verifier[:], b[1:33])
	copy(a.digest[:], b[33:49])
	r := reader{rest: b[49:]}
	if b[0] == tenantVersion {
		a.tenant.Tenant, a.tenant.Version = r.text(), r.text()
	}
	a.returnTo, a.maxAge = r.text(), -1
	if len(r.rest) == 0 && !r.bad {
		return a, nil
	}
	a.key, a.resource = r.text(), r.text()
	a.maxAge = r.varint()
	// Read until the bytes end, and allocate nothing by the number: it could be
	// 2^64-1.
	if n := r.uvarint(); n > 0 {
		// Not nil: no scopes at all differs from the Client's own scopes.
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

// reader reads what marshal wrote. After a fault all of its methods return
// zero, so that its users check once, at the end.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint() uint64 {
	// advance returns 1 or 0, so a malformed number counts as zero.
	v, n := binary.Uvarint(r.rest)
	return v * r.advance(n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	return v * int64(r.advance(n))
}

// advance drops n bytes and returns 1. If there are fewer, or binary found no
// number, it marks r as bad and returns 0.
func (r *reader) advance(n int) uint64 {
	if n <= 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[n:]
	return 1
}

// text reads what appendText wrote.
func (r *reader) text() string {
	// Compare as uint64: as an int, a huge length would be negative and pass.
	n := r.uvarint()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return string(text)
}
