package authserver

import (
	"fmt"
	"maps"
	"slices"
)

// User is a person who can sign in.
type User struct {
	Subject       string // sub; also what the consent page's form sends
	Name          string
	Email         string
	EmailVerified bool
	Picture       string // a URL; not shown by the server

	// Claims are further claims, which are sent whatever the scopes are. The
	// values are encoded as JSON. A claim replaces one that a field above
	// makes. It must not be one that the server makes itself.
	Claims map[string]any
}

func defaultUsers() []User {
	return []User{
		{"alice", "Alice Example", "alice@example.com", true, "https://example.com/alice.png", nil},
		{"bob", "Bob Example", "bob@example.com", true, "https://example.com/bob.png", nil},
		{"carol", "Carol Example", "carol@example.com", false, "https://example.com/carol.png", nil},
	}
}

// SetUser chooses who signs in from now on, by subject. It panics if there is
// no such user. A login_hint that names a user by subject or e-mail address
// takes precedence.
func (s *Server) SetUser(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, ok := s.userNamed(subject)
	if !ok {
		panic(fmt.Sprintf("authserver: SetUser(%q): no such user", subject))
	}
	s.user = user
}

// userNamed finds a user by subject. It needs no lock, since s.users never
// changes.
func (s *Server) userNamed(subject string) (User, bool) {
	i := slices.IndexFunc(s.users, func(u User) bool { return u.Subject == subject })
	if i < 0 {
		return User{}, false
	}
	return s.users[i], true
}

// userFor returns the user that hint names, or else the chosen one. The caller
// holds s.mu.
func (s *Server) userFor(hint string) User {
	for _, u := range s.users {
		if hint != "" && (hint == u.Subject || hint == u.Email) {
			return u
		}
	}
	return s.user
}

// claims returns the claims about u that scopes allow (OpenID Connect Core
// section 5.4).
func (u User) claims(scopes []string) []field {
	fields := []field{member("sub", u.Subject)}
	if slices.Contains(scopes, "profile") {
		fields = append(fields, member("name", u.Name))
		if u.Picture != "" {
			fields = append(fields, member("picture", u.Picture))
		}
	}
	if slices.Contains(scopes, "email") && u.Email != "" {
		fields = append(fields, member("email", u.Email), member("email_verified", u.EmailVerified))
	}
	for _, name := range slices.Sorted(maps.Keys(u.Claims)) {
		fields = Set(name, member(name, u.Claims[name]).value).edit(fields)
	}
	return fields
}

// idToken makes an ID token (OpenID Connect Core section 2). The caller holds
// s.mu.
func (s *Server) idToken(g *grant, nonce, access string) string {
	now := s.now()
	fields := []field{
		member("iss", s.URL),
		member("aud", g.client),
		member("iat", now.Unix()),
		member("exp", now.Add(tokenLifetime).Unix()),
		member("at_hash", s.signerFor(g.client).accessHash(access)),
	}
	if nonce != "" {
		fields = append(fields, member("nonce", nonce))
	}
	// OpenID Connect Core section 2: auth_time is required after max_age.
	if g.maxAge {
		fields = append(fields, member("auth_time", g.authTime))
	}
	if g.acr != "" {
		fields = append(fields, member("acr", g.acr))
	}
	fields = append(fields, g.user.claims(g.scopes)...)
	faults := s.visitLocked(IDToken)
	text := s.signed(g.client, "JWT", applyEdits(fields, faults), faults)
	s.state.idTokens[text] = g
	return text
}
