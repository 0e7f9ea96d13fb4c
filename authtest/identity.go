package authtest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// User is a person who can sign in.
type User struct {
	Subject       string // sub; also what the consent page's form sends
	Name          string
	Email         string
	EmailVerified bool
	Picture       string // a URL; not shown by the server
}

func defaultUsers() []User {
	return []User{
		{"alice", "Alice Example", "alice@example.com", true, "https://example.com/alice.png"},
		{"bob", "Bob Example", "bob@example.com", true, "https://example.com/bob.png"},
		{"carol", "Carol Example", "carol@example.com", false, "https://example.com/carol.png"},
	}
}

// SetUser chooses who signs in from now on, by subject. It panics if there is no such user. A
// login_hint that names a user by subject or e-mail address goes first.
func (s *Server) SetUser(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, ok := s.userNamed(subject)
	if !ok {
		panic(fmt.Sprintf("authtest: SetUser(%q): no such user", subject))
	}
	s.user = user
}

// userNamed finds a user by subject; s.users never changes.
func (s *Server) userNamed(subject string) (User, bool) {
	i := slices.IndexFunc(s.users, func(u User) bool { return u.Subject == subject })
	if i < 0 {
		return User{}, false
	}
	return s.users[i], true
}

// userFor returns the user that hint names, or else the chosen one; the caller holds s.mu.
func (s *Server) userFor(hint string) User {
	for _, u := range s.users {
		if hint != "" && (hint == u.Subject || hint == u.Email) {
			return u
		}
	}
	return s.user
}

// claims returns what scopes allow to know about u (OpenID Connect Core section 5.4).
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
	return fields
}

// idToken makes an ID token (OpenID Connect Core section 2); the caller holds s.mu.
func (s *Server) idToken(g *grant, nonce, access string) string {
	now := s.now()
	fields := []field{
		member("iss", s.URL),
		member("aud", g.client),
		member("iat", now.Unix()),
		member("exp", now.Add(tokenLifetime).Unix()),
		member("at_hash", s.keys[0].accessHash(access)),
	}
	if nonce != "" {
		fields = append(fields, member("nonce", nonce))
	}
	if g.authTime != 0 {
		fields = append(fields, member("auth_time", g.authTime))
	}
	fields = append(fields, g.user.claims(g.scopes)...)
	faults := s.visitLocked(IDToken)
	text := s.signed("JWT", edited(fields, faults), faults)
	s.state.idTokens[text] = g
	return text
}

// discovery serves OpenID Connect Discovery section 3 and RFC 8414 section 2.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	methods := []AuthMethod{Basic, Post, None}
	s.record(Request{
		Place: Discovery, Method: r.Method, Header: r.Header.Clone(), Form: url.Values{},
	})
	s.answer(w, r, Discovery, nil, func([]Fault) *reply {
		return newReply(
			member("issuer", s.URL),
			member("authorization_endpoint", s.URL+"/authorize"),
			member("token_endpoint", s.URL+"/token"),
			member("userinfo_endpoint", s.URL+"/userinfo"),
			member("revocation_endpoint", s.URL+"/revoke"),
			member("jwks_uri", s.URL+"/jwks"),
			member("end_session_endpoint", s.URL+"/logout"),
			member("scopes_supported", []string{"openid", "profile", "email"}),
			member("response_types_supported", []string{"code"}),
			member("response_modes_supported", []string{"query", "form_post"}),
			member("grant_types_supported", []string{"authorization_code", "refresh_token"}),
			member("subject_types_supported", []string{"public"}),
			member("id_token_signing_alg_values_supported", []string{s.alg}),
			member("token_endpoint_auth_methods_supported", methods),
			member("revocation_endpoint_auth_methods_supported", methods),
			member("code_challenge_methods_supported", []string{"S256"}),
			member("prompt_values_supported", []string{"none", "login", "consent", "select_account"}),
			member("claims_supported", []string{"sub", "name", "picture", "email", "email_verified"}),
			member("authorization_response_iss_parameter_supported", true),
			member("request_parameter_supported", false),
			member("request_uri_parameter_supported", false),
		)
	})
}

// userinfo is a small protected API (OpenID Connect Core section 5.3). It takes the token from
// the Authorization header only (RFC 6750 section 2.1).
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.record(Request{
		Place: UserInfo, Method: r.Method, Header: r.Header.Clone(), Form: url.Values{},
	})
	s.answer(w, r, UserInfo, nil, func(faults []Fault) *reply {
		scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		s.mu.Lock()
		t, ok := s.live(text)
		s.mu.Unlock()
		refusal := &failure{status: http.StatusUnauthorized, code: "invalid_token"}
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodPost:
			refusal = wrongMethod("GET, POST")
		case !strings.EqualFold(scheme, "Bearer"):
			refusal.challenge = `Bearer realm="authtest"` // RFC 6750 section 3.1: no error code
		case !ok || len(r.Header.Values("Authorization")) != 1:
			refusal.challenge = `Bearer realm="authtest", error="invalid_token"`
		case !slices.Contains(t.scopes, "openid"):
			refusal = &failure{
				status: http.StatusForbidden, code: "insufficient_scope",
				challenge: `Bearer realm="authtest", error="insufficient_scope", scope="openid"`,
			}
		default:
			fields := t.grant.user.claims(t.scopes)
			if slices.ContainsFunc(faults, asJWT) {
				fields = append(fields, member("iss", s.URL), member("aud", t.grant.client))
			}
			return newReply(fields...)
		}
		return refusal.reply()
	})
}
