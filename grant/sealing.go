package grant

import (
	"bytes"
	"encoding/json"

	"example.com/authcode"
	"example.com/authcode/internal/seal"
	"example.com/authcode/internal/wire"
)

// maxPlain bounds what a record holds: sealed, it has the 1 MiB that a Store
// takes at most. A hostile provider could otherwise bring a token that the
// store refuses each time, and save would try for ever.
const maxPlain = 1<<20 - 64

// sealedAs says what the content of a record is bound to.
func sealedAs(key Key, version int64) seal.Record {
	return seal.Record{Kind: key.Kind, ID: key.ID, Version: version}
}

// digestOf returns what new records have for purpose and parts.
func digestOf(ring seal.Ring, purpose string, parts ...string) (d Digest) {
	copy(d[:], ring.Digests(purpose, parts...)[0])
	return d
}

// encode returns c as JSON that a Store takes. If there is no room for them, it
// drops access tokens for other resources, the oldest first.
func (c *content) encode() ([]byte, error) {
	plain, err := wire.Marshal(c)
	newest := 1 // which may be what somebody waits for
	if c.Pending != nil {
		newest = 0
	}
	for err == nil && len(plain) > maxPlain && len(c.More) > newest {
		c.More = c.More[1:]
		plain, err = wire.Marshal(c)
	}
	switch {
	case err != nil:
		return nil, authcode.NewError(authcode.Configuration, "grant.claims",
			"an Identity has claims that cannot be stored: keep what JSON can express", nil)
	case len(plain) > maxPlain:
		return nil, authcode.NewError(authcode.BadAnswer, "grant.size",
			"the tokens and claims of one person have more than 1 MiB: report it to the provider", nil)
	}
	return plain, nil
}

// decode reads what a record holds.
func decode(plain []byte) (*content, bool) {
	c := new(content)
	d := json.NewDecoder(bytes.NewReader(plain))
	d.UseNumber() // as in authcode.Identity.Claims
	if err := d.Decode(c); err != nil || c.ID == "" {
		return nil, false
	}
	return c, true
}
