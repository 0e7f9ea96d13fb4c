package session

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
)

// Freshness says how somebody must have signed in.
type Freshness struct {
	// MaxAge is how long ago the provider may have asked the person to prove who
	// they are (auth_time). If zero, it does not matter.
	MaxAge time.Duration

	// ACR are the authentication context classes that are good enough, the
	// preferred one first. They are compared exactly. If nil, all are.
	ACR []string

	// Scopes must have been granted.
	Scopes []string
}

// freshValue is the name of the login's value that says what it is for.
const freshValue = "session.fresh"

// freshLogin is a login that RequireFresh has begun.
type freshLogin struct {
	Person string   `json:"p"` // digest of who must sign in
	MaxAge int64    `json:"m,omitempty"`
	ACR    []string `json:"a,omitempty"`
	Scopes []string `json:"s,omitempty"`
}

// RequireFresh is [Sessions.Require], and demands a sign-in as f says. If the
// session's is not like that, a person who opens a page is sent to the provider
// and comes back. A form is answered with a page that leads there; nothing is
// saved or repeated. A script gets status 401 and WWW-Authenticate with
// insufficient_user_authentication (RFC 9470).
//
// The same person has to sign in, so logins need an Identity. When this app saw
// the person last is no substitute for auth_time: many providers send a person
// back without asking anything. Without an Identity, the answer is an error that
// says so ([authcode.Configuration]). If another person signs in, or if the
// provider does less than f asks for, a page says so and the session stays as it
// was. A new sign-in has a new session with the scopes of the old one and those
// of f. RequireFresh panics if f is empty, or too long for a login's cookie.
func (s *Sessions) RequireFresh(f Freshness, next http.Handler) http.Handler {
	mustHandle("RequireFresh", next)
	f.ACR, f.Scopes = slices.Clone(f.ACR), slices.Clone(f.Scopes)
	switch all := strings.Join(slices.Concat(f.ACR, f.Scopes), `","`); {
	case f.MaxAge <= 0 && all == "":
		panic("session: RequireFresh needs a Freshness that demands something: see Require")
	case !headers.IsVisible(all) || strings.Contains(all, " "):
		panic("session: RequireFresh: put one value of printable ASCII into each element of ACR " +
			"and Scopes")
	case len(all) > 300:
		panic("session: RequireFresh: the ACR and Scopes have more than 300 bytes")
	}
	return s.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if FromContext(r.Context()).IsFresh(f) {
			next.ServeHTTP(w, r)
			return
		}
		s.StepUp(w, r, f)
	}))
}

// IsFresh reports whether the person has signed in as f says.
func (s *Session) IsFresh(f Freshness) bool {
	o := s.opened()
	return f.check(o.content, o.signedIn()) == nil
}

// check returns what is missing, for a session that began that long ago.
func (f *Freshness) check(c *content, ago time.Duration) error {
	age := time.Duration(c.AuthAge)*time.Millisecond + ago
	switch {
	// The clocks of app and provider may differ, so package oidc allows this,
	// too. To be stricter would send the person back and forth.
	case f.MaxAge > 0 && (c.AuthAge < 0 || age > f.MaxAge+skew):
		return authcode.NewError(authcode.InteractionRequired, "session.auth_time",
			"the provider did not ask the person again, or did not say so (auth_time)", nil)
	case len(f.ACR) > 0 && !slices.Contains(f.ACR, c.ACR):
		return authcode.NewError(authcode.InteractionRequired, "session.acr",
			"the provider did not sign the person in with the acr that is needed", nil)
	}
	for _, scope := range f.Scopes {
		if !slices.Contains(strings.Fields(c.Scopes), scope) {
			return authcode.NewError(authcode.InteractionRequired, "session.scopes",
				"the provider or the person did not grant a scope that is needed", nil)
		}
	}
	return nil
}

// checkFresh checks the login that RequireFresh has begun.
func (s *Sessions) checkFresh(login *authcode.Login, c *content) error {
	value, ok := login.Values[freshValue]
	if !ok {
		return nil
	}
	var want freshLogin
	if json.Unmarshal([]byte(value), &want) != nil || !s.isPerson(want.Person, c) {
		return &noticeError{
			authcode.NewError(authcode.NotAdmitted, "session.person",
				"a different person answered a RequireFresh: nothing has changed", nil),
			"Somebody else signed in",
			"To go on, the person who is signed in here has to confirm the sign-in. Nothing has " +
				"changed. To use another account, sign out first.",
		}
	}
	f := Freshness{time.Duration(want.MaxAge) * time.Second, want.ACR, want.Scopes}
	if err := f.check(c, 0); err != nil {
		return &noticeError{err, "This sign-in is not enough",
			"The sign-in service did not do what this page needs. You are still signed in as before. " +
				"Please try again, or ask for help."}
	}
	return nil
}

// isPerson reports whether digest is of c's person.
func (s *Sessions) isPerson(digest string, c *content) bool {
	return c.Subject != "" && slices.Contains(s.persons(c), digest)
}

// persons are the digests of c's person, by each key, as text.
func (s *Sessions) persons(c *content) (all []string) {
	for _, sum := range s.ring.Reveal().Digests("fresh", c.Issuer, c.Subject) {
		all = append(all, encodeID(sum))
	}
	return all
}

// seconds rounds up: nobody is asked again earlier than necessary.
func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }
