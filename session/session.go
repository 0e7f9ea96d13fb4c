package session

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/secret"
	"golang.org/x/oauth2"
)

// Session is a browser in which somebody is signed in. It says what was true
// when the request arrived. It is safe for concurrent use. It prints and
// marshals as REDACTED.
type Session struct {
	secret.Redacted
	sessions *Sessions

	mu       sync.Mutex
	now      *opened
	decoded  bool
	identity *authcode.Identity
}

// contextKey is a type of its own, so that no other package can replace the
// session in a context.
type contextKey struct{}

// FromContext returns the session that [Sessions.Require] or
// [Sessions.Optional] has put into ctx. It returns nil if nobody is signed in,
// which cannot be behind Require. Methods of a nil Session panic with a text that
// says so: nobody must pass for a person without a name.
func FromContext(ctx context.Context) *Session {
	s, _ := ctx.Value(contextKey{}).(*Session)
	return s
}

// opened returns the newest state that is known.
func (s *Session) opened() *opened {
	s.mustBe()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// mustBe panics if there is no session.
func (s *Session) mustBe() {
	if s == nil {
		panic("session: there is no Session here: put the route behind Require, use the context of " +
			"the request that Require passes on, or ask whether FromContext returned nil")
	}
}

// Identity says who signed in. A user's key is (Issuer, Subject). It is nil if
// the provider does not say. Do not change it.
func (s *Session) Identity() *authcode.Identity {
	s.mustBe()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.decoded {
		s.decoded, s.identity = true, s.now.who()
	}
	return s.identity
}

// Account is what Config.SignedIn returned, or empty.
func (s *Session) Account() string { return s.opened().Account }

// Provider is the name of the provider that signed the person in.
func (s *Session) Provider() string { return s.opened().Provider }

// Handle names the session in a list of the person's devices. It is not secret,
// and signs nobody in.
func (s *Session) Handle() string { return s.opened().Handle }

// SignedIn is when the person signed in, by this machine's clock.
func (s *Session) SignedIn() time.Time { return time.Now().Add(-s.opened().signedIn()) }

// Ends is when the session ends if it is not used again, by this machine's
// clock.
func (s *Session) Ends() time.Time {
	o := s.opened()
	return o.asked.Add(o.record.Left)
}

// Grant returns the grant of the login: what the provider gave for this person.
func (s *Session) Grant() *grant.Grant {
	id := s.opened().Grant
	return s.sessions.grants.Handle(id)
}

// Token is [grant.Grant.Token]: it returns a valid access token, after a renewal
// if necessary. If the grant has ended, so has the session.
func (s *Session) Token(ctx context.Context, opts ...grant.Option) (*oauth2.Token, error) {
	t, err := s.Grant().Token(ctx, opts...)
	return t, s.checkGrant(ctx, err)
}

// APIClient is [grant.Grant.APIClient]: an HTTP client that adds the token to
// requests to origins, and to no others.
func (s *Session) APIClient(ctx context.Context, origins ...string) (*http.Client, error) {
	client, err := s.Grant().APIClient(ctx, origins...)
	return client, s.checkGrant(ctx, err)
}

// checkGrant ends the session if err says that its grant has ended. It returns
// err.
func (s *Session) checkGrant(ctx context.Context, err error) error {
	if !isEnded(err) {
		return err
	}
	// grantEnded may have been here already. If the store fails now, the next call
	// of Token ends the session.
	if now, failed := s.sessions.load(ctx, s.opened().record.Key, 0); now != nil && failed == nil {
		s.sessions.end(ctx, now, ByGrant)
	}
	return err
}

// isSealed reports whether err says that no key opens a grant.
func isSealed(err error) bool {
	e, ok := errors.AsType[*authcode.Error](err)
	return ok && e.Check == "grant.sealed"
}

// maxValues bounds the keys and values of one session, in bytes. Every request
// reads them.
const maxValues = 4096

// Value returns a value that SetValue has kept, or "".
func (s *Session) Value(key string) string { return s.opened().Values[key] }

// SetValue keeps a small value in the session, for all instances. An empty value
// removes it. More than 4,096 bytes of keys and values are refused with
// [authcode.Configuration]. In a session that has ended meanwhile, nothing is
// kept, and the error is [authcode.NoLogin].
func (s *Session) SetValue(ctx context.Context, key, value string) error {
	tooMuch := false
	return s.change(ctx, func(c *opened) bool {
		size := len(key) + len(value)
		for k, v := range c.Values {
			if k != key {
				size += len(k) + len(v)
			}
		}
		if tooMuch = value != "" && size > maxValues; tooMuch {
			return false
		}
		if value == "" {
			delete(c.Values, key)
			return true
		}
		if c.Values == nil {
			c.Values = make(map[string]string)
		}
		c.Values[key] = value
		return true
	}, func() error {
		if tooMuch {
			return authcode.NewError(authcode.Configuration, "session.values", "the Values of one "+
				"session have more than 4,096 bytes: keep a short key here and the data elsewhere", nil)
		}
		return nil
	})
}

// Keep lets the grant outlive the session, for work that goes on after a
// sign-out, and returns the grant's ID: store it with the person's account. From
// then on no sign-out ends the grant, and neither does [Sessions.End]. The app
// ends it with [grant.Grant.Delete], or the person at the provider, or time: 90
// days without use, or Config.Lifetime if that is longer.
func (s *Session) Keep(ctx context.Context) (grantID string, err error) {
	err = s.change(ctx, func(c *opened) bool { c.Keep = true; return true }, nil)
	return s.opened().Grant, err
}

// change changes the content. Afterwards it calls check, which may be nil.
func (s *Session) change(ctx context.Context, edit func(*opened) bool, check func() error) error {
	key := s.opened().record.Key
	o, err := s.sessions.change(ctx, key, edit)
	switch {
	case err != nil:
		return err
	case o == nil:
		return authcode.NewError(authcode.NoLogin, "session.ended",
			"the session has ended: the person has to sign in again", nil)
	}
	if check != nil {
		if err := check(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = o
	return nil
}
