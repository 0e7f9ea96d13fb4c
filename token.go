package authcode

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// copyToken returns a token that the app and the source do not share: neither
// can change it under the other.
func copyToken(t *oauth2.Token) *oauth2.Token {
	if t == nil {
		return new(oauth2.Token)
	}
	own := *t
	return &own
}

// isValid is t.Valid by the clock of the Client.
func (c *Client) isValid(t *oauth2.Token) bool {
	// Ten seconds are left for the request that needs the token, as in
	// x/oauth2.
	early := c.cfg.Clock.Now().Add(10 * time.Second)
	return !isBlank(t.AccessToken) && (t.Expiry.IsZero() || !t.Expiry.Before(early))
}

// storedToken is the format of MarshalToken. A field that the answer has as well
// is nil, so that no token is stored twice.
type storedToken struct {
	AccessToken  *string     `json:"access_token,omitempty"`
	TokenType    *string     `json:"token_type,omitempty"`
	RefreshToken *string     `json:"refresh_token,omitempty"`
	Expiry       time.Time   `json:"expiry,omitzero"`
	Answer       wire.Object `json:"answer,omitempty"`
}

// MarshalToken returns t as JSON, with what encoding/json drops: Token.Extra,
// and what a [TokenSource] still has to check. It is secret: encrypt it.
func MarshalToken(t *oauth2.Token) ([]byte, error) {
	// An app that stores an empty token would only learn about it when it needs
	// the token.
	if t == nil || !isStorable(t.AccessToken, t.RefreshToken) {
		return nil, errorf(Malformed, "token.none", "there is no token to marshal: pass one that "+
			"has an access token or a refresh token")
	}
	// Copy the fields one by one: x/oauth2 may add fields, and a stored token
	// must keep its format.
	answer := membersOf(t)
	own := func(name, value string) *string {
		if text, ok := answer.Text(name); ok && text == value {
			return nil
		}
		return &value
	}
	return wire.Marshal(storedToken{
		own("access_token", t.AccessToken), own("token_type", t.TokenType),
		own("refresh_token", t.RefreshToken), t.Expiry, answer,
	})
}

// isStorable reports whether these are the tokens of a grant.
func isStorable(access, refresh string) bool {
	// A token that is not checked yet has no access token. A blank one is a
	// mistake.
	return !isBlank(access) || access == "" && !isBlank(refresh)
}

// UnmarshalToken reverses [MarshalToken]. Its error is a [Malformed] [*Error].
func UnmarshalToken(b []byte) (*oauth2.Token, error) {
	var s storedToken
	err := json.Unmarshal(b, &s)
	field := func(name string, own *string) string {
		if own != nil {
			return *own
		}
		text, _ := s.Answer.Text(name)
		return text
	}
	t := &oauth2.Token{
		AccessToken:  field("access_token", s.AccessToken),
		TokenType:    field("token_type", s.TokenType),
		RefreshToken: field("refresh_token", s.RefreshToken), Expiry: s.Expiry,
	}
	// The text of encoding/json's error may quote the bytes, so drop it.
	if err != nil || !isStorable(t.AccessToken, t.RefreshToken) {
		return nil, errorf(Malformed, "token.stored",
			"the bytes are not a token from MarshalToken: check where they were stored")
	}
	if s.Answer == nil {
		return t, nil
	}
	// The members include the name of the key that the token is bound to.
	// Without it, the stored token could not be used.
	return withMembers(t, s.Answer), nil
}

// membersKey is where Token.Extra keeps the answer as it was: x/oauth2 has no
// place for it.
const membersKey = ownMembers + "members"

// ownMembers begins the names of members that this package adds to tokens.
const ownMembers = "authcode."

// withMembers returns t with the members of the answer in Token.Extra.
func withMembers(t *oauth2.Token, obj wire.Object) *oauth2.Token {
	extra := make(map[string]any, len(obj)+1)
	for name, raw := range obj {
		if v, ok := wire.Any(raw); ok && name != uncheckedMember {
			extra[name] = v
		}
	}
	// MarshalToken and the next refresh need the exact bytes. A value that was
	// decoded and encoded again may differ, for example in a large number.
	extra[membersKey] = obj
	return t.WithExtra(extra)
}

// membersOf returns the members of the answer that t came with, or nil.
func membersOf(t *oauth2.Token) wire.Object {
	obj, _ := t.Extra(membersKey).(wire.Object)
	return obj
}

// keepOldMembers adds to the answer of a refresh what it lacks and t has, up to
// maxAnswer bytes together.
func keepOldMembers(answer wire.Object, t *oauth2.Token) {
	// A hostile server could send other members with each refresh. Without a
	// bound, the token would grow for as long as the login lasts.
	room := maxAnswer
	for name, raw := range answer {
		room -= len(name) + len(raw)
	}
	// An app may need them later, such as the ID token for a logout, or the URL
	// of an API. Servers send them with the first answer only.
	old := membersOf(t)
	for _, name := range append([]string{"id_token", "scope"}, slices.Sorted(maps.Keys(old))...) {
		raw, has := old[name]
		_, sent := answer[name]
		if size := len(name) + len(raw); has && !sent && !describesToken(name) && size <= room {
			answer[name] = raw
			room -= size
		}
	}
	// RFC 6749 section 6: the server may issue a new refresh token; if not, the
	// old one stays valid. Take it from the field, because an app may have set
	// it there without an answer.
	if next, ok := answer.Text("refresh_token"); ok && isBlank(next) {
		answer["refresh_token"] = jsonString(t.RefreshToken)
	}
}

// describesToken reports whether a member is about one token, and not about its
// grant.
func describesToken(name string) bool {
	switch name {
	case "access_token", "token_type", "expires_in", "refresh_token", uncheckedMember:
		return true
	}
	return false
}

// Members of a token that repeat what its request asked for. Each refresh asks
// for the same again.
const (
	resourceMember = ownMembers + "resource" // RFC 8707 section 2
	scopeMember    = ownMembers + "scope"    // what a refresh was narrowed to
)

// setOwnMembers replaces the members that this package adds to an answer.
func setOwnMembers(answer wire.Object, key string, form url.Values) {
	// A server must choose neither the key, nor where later refreshes go and
	// what they ask for, nor what counts as an unchecked token. So drop what it
	// sent.
	sent := len(answer)
	for name := range answer {
		if strings.HasPrefix(name, ownMembers) {
			delete(answer, name)
		}
	}
	if len(answer) < sent {
		answer.Detach() // Login.size counts what is left
	}
	for _, m := range [...]struct{ name, value string }{
		{keyMember, key}, {resourceMember, form.Get("resource")}, {scopeMember, form.Get("scope")},
	} {
		if m.value != "" {
			answer[m.name] = jsonString(m.value)
		}
	}
}

// uncheckedMember is the member of a stored token that holds the refreshed
// token, not yet checked, as JSON of MarshalToken. No server can send it.
const uncheckedMember = ownMembers + "unchecked"

// unchecked returns what an app may store of the token fresh, which redeemRefresh
// has returned, until it is known to belong to the same person as previous.
func unchecked(previous, fresh *oauth2.Token) *oauth2.Token {
	stored, _ := MarshalToken(fresh) // cannot fail: it has an access token
	// The members of previous, such as its ID token, are what fresh is compared
	// with, even if the app restarts in the meantime.
	obj := wire.Object{uncheckedMember: wire.Raw(stored)}
	for name, raw := range membersOf(previous) {
		if !describesToken(name) {
			obj[name] = raw
		}
	}
	// Leave the access token out, so that no app can use it by mistake. An app
	// that stores only the four fields of a token loses the ID token, but not
	// the grant.
	return withMembers(&oauth2.Token{RefreshToken: fresh.RefreshToken}, obj)
}

// uncheckedIn returns the unchecked token inside the stored token t, or nil.
func uncheckedIn(t *oauth2.Token) *oauth2.Token {
	if t == nil {
		return nil
	}
	raw, ok := membersOf(t)[uncheckedMember]
	if !ok {
		return nil
	}
	fresh, err := UnmarshalToken([]byte(raw))
	// The app may have put another token's fields around these members.
	if err != nil || t.AccessToken != "" || fresh.RefreshToken != t.RefreshToken {
		return nil
	}
	return fresh
}

func jsonString(s string) wire.Raw {
	b, _ := json.Marshal(s) // cannot fail for a string
	return wire.Raw(b)
}
