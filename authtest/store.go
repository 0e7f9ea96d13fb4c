package authtest

import "time"

const (
	codeLifetime    = time.Minute
	requestLifetime = 10 * time.Minute
	tokenLifetime   = time.Hour
)

// store is what the server remembers. Server.mu guards it.
type store struct {
	clients map[string]ClientRegistration
	pending map[string]pending // by the id in the consent page
	codes   map[string]*code
	access  map[string]accessToken
	refresh map[string]*refreshToken

	idTokens map[string]*grant
}

// grant is one approval: everything issued from it falls together.
type grant struct {
	client   string
	user     User
	scopes   []string
	nonce    string
	authTime int64 // seconds since the epoch; 0: max_age was not requested
	revoked  bool
}

type pending struct {
	request authRequest
	expires time.Time
}

type code struct {
	grant       *grant
	redirectURI string
	challenge   string
	expires     time.Time
	used        bool
}

type accessToken struct {
	grant   *grant
	scopes  []string
	expires time.Time
}

type refreshToken struct {
	grant *grant
	used  bool
}

func newStore() store {
	return store{
		clients: map[string]ClientRegistration{},
		pending: map[string]pending{},
		codes:   map[string]*code{},
		access:  map[string]accessToken{},
		refresh: map[string]*refreshToken{},

		idTokens: map[string]*grant{},
	}
}

// issueCode makes a code for an approved request; the caller holds s.mu.
func (s *Server) issueCode(req authRequest, user User, challenge string) string {
	g := &grant{client: req.client.ID, user: user, scopes: req.scopes, nonce: req.nonce}
	if req.maxAge {
		g.authTime = s.now().Unix()
	}
	text := randomText()
	s.state.codes[text] = &code{
		grant:       g,
		redirectURI: req.redirectURI,
		challenge:   challenge,
		expires:     s.now().Add(codeLifetime),
	}
	s.issued = append(s.issued, text)
	return text
}

// issueAccess makes an access token; the caller holds s.mu.
func (s *Server) issueAccess(g *grant, scopes []string) string {
	text := randomText()
	s.state.access[text] = accessToken{
		grant: g, scopes: scopes, expires: s.now().Add(tokenLifetime),
	}
	s.issued = append(s.issued, text)
	return text
}

// issueRefresh makes a refresh token; the caller holds s.mu.
func (s *Server) issueRefresh(g *grant) string {
	text := randomText()
	s.state.refresh[text] = &refreshToken{grant: g}
	s.issued = append(s.issued, text)
	return text
}

// live returns the access token that text is, if it is still good; the caller holds s.mu.
func (s *Server) live(text string) (accessToken, bool) {
	t, ok := s.state.access[text]
	return t, ok && !t.grant.revoked && s.now().Before(t.expires)
}
