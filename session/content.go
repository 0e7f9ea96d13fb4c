package session

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
)

// content is what a sealed record of a session holds.
type content struct {
	Grant   string       `json:"grant"` // its ID
	Origin  grant.Origin `json:"origin"`
	Handle  string       `json:"handle"` // names the session to the person
	Issuer  string       `json:"iss,omitempty"`
	Subject string       `json:"sub,omitempty"`
	SID     string       `json:"sid,omitempty"`

	Provider string            `json:"provider,omitempty"`
	Account  string            `json:"account,omitempty"`
	Label    string            `json:"label,omitempty"`
	Scopes   []string          `json:"scopes,omitempty"`
	Values   map[string]string `json:"values,omitempty"`

	// Life is what the record's Expires was at first, in milliseconds: what is
	// missing of it has passed since the person signed in, by the store's clock.
	Life int64 `json:"life"`

	// ACR is the claim acr. AuthAge is how long before the sign-in the provider
	// had asked the person, in milliseconds; negative if it did not say.
	ACR     string `json:"acr,omitempty"`
	AuthAge int64  `json:"auth_age"`

	Keep       bool `json:"keep,omitempty"`       // the grant outlives the session
	Revalidate bool `json:"revalidate,omitempty"` // see Sessions.Revalidate

	// identity is the JSON of an authcode.Identity, or empty. It stands beside
	// the rest, because most requests do not look at it.
	identity []byte
}

const version = 1 // of the layout

// encode returns the version, the length of the first part, that part, and the
// identity.
func (c *content) encode() ([]byte, error) {
	head, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, 5+len(head)+len(c.identity))
	b = append(b, version)
	b = binary.BigEndian.AppendUint32(b, uint32(len(head)))
	return append(append(b, head...), c.identity...), nil
}

// decode reverses encode.
func decode(b []byte) (*content, bool) {
	if len(b) < 5 || b[0] != version {
		return nil, false
	}
	size, rest := binary.BigEndian.Uint32(b[1:5]), b[5:]
	if uint64(size) > uint64(len(rest)) {
		return nil, false
	}
	c := new(content)
	if json.Unmarshal(rest[:size], c) != nil || c.Grant == "" || c.Handle == "" || c.Life <= 0 {
		return nil, false
	}
	c.identity = rest[size:]
	return c, true
}

// who decodes the identity. It is nil if nobody knows who signed in.
func (c *content) who() *authcode.Identity {
	if len(c.identity) == 0 {
		return nil
	}
	id := new(authcode.Identity)
	d := json.NewDecoder(bytes.NewReader(c.identity))
	d.UseNumber() // as in authcode.Identity.Claims
	if d.Decode(id) != nil {
		return nil
	}
	return id
}

// life is how long the session could last when the person signed in.
func (c *content) life() time.Duration { return time.Duration(c.Life) * time.Millisecond }
