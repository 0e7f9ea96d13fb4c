package authtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"example.com/authcode/internal/authserver"
)

// User is a person who can sign in. Name and Picture are told to an app that
// asks for the scope profile, Email and EmailVerified to one that asks for
// email (OpenID Connect Core section 5.4). The app finds all claims in the ID
// token and at /userinfo.
type User struct {
	Subject       string // sub: names the person, and must not be empty
	Name          string // name
	Email         string // email; if empty, neither email nor email_verified is sent
	EmailVerified bool   // email_verified
	Picture       string // picture: a URL

	// Claims are further claims, by name, whatever the scopes: groups, hd, tid,
	// amr, sid and so on. The values are encoded as JSON. A claim replaces what
	// one of the fields above says. What the server sets itself (iss, sub, aud,
	// exp, iat, nonce, at_hash, auth_time and acr) is refused.
	Claims map[string]any
}

var defaultUsers = []User{
	{Subject: "alice", Name: "Alice Example", Email: "alice@example.com", EmailVerified: true},
	{Subject: "bob", Name: "Bob Example", Email: "bob@example.com", EmailVerified: true},
	{Subject: "carol", Name: "Carol Example", Email: "carol@example.com"},
}

// serverClaims are the claims that the server makes. Another value would be a
// fault, not a user.
var serverClaims = []string{
	"iss", "sub", "aud", "exp", "iat", "nonce", "at_hash", "auth_time", "acr",
}

// SetUser chooses who signs in from now on, by subject. A login_hint in the
// app's request, with a subject or an e-mail address, comes first. SetUser
// panics if there is no such user.
func (s *Server) SetUser(subject string) {
	if !isUser(s.users, subject) {
		panic(fmt.Sprintf("authtest: SetUser: no user has the subject %q", subject))
	}
	s.server.SetUser(subject)
}

func isUser(users []User, subject string) bool {
	return slices.ContainsFunc(users, func(u User) bool { return u.Subject == subject })
}

// checked converts users. It panics if a user is incomplete, or if two users
// have the same Subject.
func checked(users []User) (all []authserver.User) {
	for i, u := range users {
		switch {
		case u.Subject == "":
			panic(fmt.Sprintf("authtest: NewServer: user %d has no Subject: set it", i))
		case isUser(users[:i], u.Subject):
			panic(fmt.Sprintf("authtest: NewServer: two users have the Subject %q: change one", u.Subject))
		}
		for name := range u.Claims {
			if slices.Contains(serverClaims, name) {
				panic(fmt.Sprintf("authtest: NewServer: Claims of %q: the server sets %s itself: "+
					"drop it", u.Subject, name))
			}
		}
		if _, err := json.Marshal(u.Claims); err != nil {
			panic(fmt.Sprintf("authtest: NewServer: Claims of %q: %v", u.Subject, err))
		}
		u.Claims = maps.Clone(u.Claims)
		all = append(all, authserver.User(u))
	}
	return all
}
