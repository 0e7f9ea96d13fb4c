package session

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

// content is what a sealed record of a session holds.
type content struct {
	Grant   string // its ID
	Origin  grant.Origin
	Handle  string // names the session to the person
	Issuer  string
	Subject string
	SID     string

	Provider string
	Account  string
	Label    string
	Scopes   string // separated by spaces; a provider may send many thousands
	Values   map[string]string

	// Life is how long the session can last from the sign-in on, in milliseconds.
	// What the record's Expires lacks of it has passed since then, by the store's
	// clock.
	Life int64

	// ACR is the claim acr. AuthAge is how long before the sign-in the provider
	// had asked the person, in milliseconds; negative if it did not say.
	ACR     string
	AuthAge int64

	// Asked counts the calls of Sessions.Revalidate. Confirmed is what it was when
	// a renewal began that has confirmed the session: a call that comes during
	// the renewal is not lost.
	Asked, Confirmed int64

	Keep bool // the grant outlives the session

	// Identity is the JSON of an authcode.Identity, or empty. Most requests do
	// not look at it, so it is decoded when somebody asks.
	Identity string
}

// version changes with the layout. It comes first, so that any later layout can
// be recognized.
const version = 3

const flagKeep = 1

// texts are the fields that are texts, in their order in the record.
func (c *content) texts() []*string {
	return []*string{
		&c.Grant, &c.Origin.Issuer, &c.Origin.ClientID, &c.Origin.TokenURL, &c.Handle, &c.Issuer,
		&c.Subject, &c.SID, &c.Provider, &c.Account, &c.Label, &c.ACR, &c.Origin.Tenant, &c.Scopes,
	}
}

// numbers are the fields that are numbers, in their order in the record.
func (c *content) numbers() [4]*int64 {
	return [4]*int64{&c.Life, &c.AuthAge, &c.Asked, &c.Confirmed}
}

// encode returns c as bytes: version, flags, numbers, then texts with their
// lengths in front, and the identity. Not JSON: every request decodes it, and
// JSON costs three times as much as the rest of a request.
func (c *content) encode() []byte {
	flags := byte(0)
	if c.Keep {
		flags |= flagKeep
	}
	b := make([]byte, 0, 256+len(c.Identity))
	b = append(b, version, flags)
	for _, n := range c.numbers() {
		b = binary.AppendVarint(b, *n)
	}
	for _, text := range c.texts() {
		b = appendText(b, *text)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Values)))
	for key, value := range c.Values {
		b = appendText(appendText(b, key), value)
	}
	return append(b, c.Identity...)
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// decode reverses encode.
func decode(b []byte) (*content, bool) {
	r := reader{rest: string(b)} // the texts share its memory
	if len(b) < 2 || b[0] != version || b[1]&^flagKeep != 0 {
		return nil, false
	}
	r.rest = r.rest[2:]
	c := &content{Keep: b[1]&flagKeep != 0}
	for _, n := range c.numbers() {
		*n = r.signed()
	}
	for _, text := range c.texts() {
		*text = r.text()
	}
	for n := r.count(); n > 0 && !r.bad; n-- {
		if c.Values == nil {
			c.Values = make(map[string]string)
		}
		key := r.text()
		c.Values[key] = r.text()
	}
	c.Identity = r.rest
	if r.bad || c.Grant == "" || c.Handle == "" || c.Life <= 0 {
		return nil, false
	}
	return c, true
}

// reader takes values off the front of a text. What is not there makes it bad.
type reader struct {
	rest string
	bad  bool
}

// count reads a number.
func (r *reader) count() uint64 {
	for n, shift := uint64(0), 0; shift < 63 && shift/7 < len(r.rest); shift += 7 {
		c := r.rest[shift/7]
		n |= uint64(c&0x7f) << shift
		if c < 0x80 {
			r.rest = r.rest[shift/7+1:]
			return n
		}
	}
	r.bad = true
	return 0
}

// signed reads a number that may be negative, as binary.AppendVarint writes it.
func (r *reader) signed() int64 {
	n := r.count()
	return int64(n>>1) ^ -int64(n&1)
}

// text reads a text.
func (r *reader) text() string {
	n := r.count()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// who decodes the identity. It is nil if nobody knows who signed in.
func (c *content) who() *authcode.Identity {
	if c.Identity == "" {
		return nil
	}
	id := new(authcode.Identity)
	d := json.NewDecoder(strings.NewReader(c.Identity))
	d.UseNumber() // as in authcode.Identity.Claims
	if d.Decode(id) != nil {
		return nil
	}
	return id
}

// life is how long the session can last from the sign-in on.
func (c *content) life() time.Duration { return time.Duration(c.Life) * time.Millisecond }
