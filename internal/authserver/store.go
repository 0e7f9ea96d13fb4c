package authserver

import "time"

// RFC 6749 section 4.1.2 recommends at most ten minutes for a code. Good
// servers allow less.
const (
	requestLifetime = 10 * time.Minute
	tokenLifetime   = time.Hour
)

// store is what the server remembers. Server.mu guards it. Nothing is ever
// removed except by use: a test does not live long.
type store struct {
	clients map[string]ClientRegistration
	pending map[string]pending // by the id in the consent page
	pushed  map[string]pending // by request_uri
	codes   map[string]*code
	access  map[string]accessToken
	refresh map[string]*refreshToken

	idTokens map[string]*grant
	used     map[string]bool // jti of what clients signed
}

// grant is one approval by a person. All tokens issued from it are revoked
// together.
type grant struct {
	client    string
	user      User
	scopes    []string
	nonce     string
	authTime  int64 // when the person signed in, in seconds since the epoch
	maxAge    bool  // max_age was requested
	acr       string
	details   string   // authorization_details: JSON; empty: none
	resources []string // what access tokens are for; empty: anything
	revoked   bool
}

// binding says to what a token is bound (RFC 7800 section 3.1): to the key of a
// DPoP proof (jkt), to a client certificate (x5t), to both or to neither.
type binding struct{ jkt, x5t string }

// holds reports whether other proves the possession of everything in b.
func (b binding) holds(other binding) bool {
	return (b.jkt == "" || b.jkt == other.jkt) && (b.x5t == "" || b.x5t == other.x5t)
}

// tokenType returns the token_type of an access token (RFC 9449 section 5). A
// token that is bound to a certificate is still a bearer token (RFC 8705
// section 3).
func (b binding) tokenType() string {
	if b.jkt != "" {
		return "DPoP"
	}
	return "Bearer"
}

type pending struct {
	request authRequest
	expires time.Time
}

type code struct {
	grant       *grant
	redirectURI string
	challenge   string
	jkt         string // dpop_jkt (RFC 9449 section 10)
	expires     time.Time
	used        bool
}

type accessToken struct {
	grant     *grant
	scopes    []string
	resources []string
	details   string
	bound     binding
	issued    time.Time
	expires   time.Time
}

type refreshToken struct {
	grant *grant
	bound binding // empty unless the client is public
	used  bool
}

func newStore() store {
	return store{
		clients: map[string]ClientRegistration{},
		pending: map[string]pending{},
		pushed:  map[string]pending{},
		codes:   map[string]*code{},
		access:  map[string]accessToken{},
		refresh: map[string]*refreshToken{},

		idTokens: map[string]*grant{},
		used:     map[string]bool{},
	}
}

// issueCode makes a code for an approved request. The caller holds s.mu.
func (s *Server) issueCode(req authRequest, user User, challenge string) string {
	g := &grant{
		client: req.client.ID, user: user, scopes: req.scopes, nonce: req.nonce,
		authTime: s.now().Unix(), maxAge: req.maxAge, acr: req.acr,
		details: req.details, resources: req.resources,
	}
	text := randomText()
	s.state.codes[text] = &code{
		grant:       g,
		redirectURI: req.redirectURI,
		challenge:   challenge,
		jkt:         req.jkt,
		expires:     s.now().Add(s.codeLifetime),
	}
	s.issued = append(s.issued, text)
	return text
}

// issueAccess makes an access token. The caller holds s.mu.
func (s *Server) issueAccess(t accessToken) string {
	text := randomText()
	t.issued, t.expires = s.now(), s.now().Add(tokenLifetime)
	s.state.access[text] = t
	s.issued = append(s.issued, text)
	return text
}

// issueRefresh makes a refresh token. The caller holds s.mu. The refresh token
// of a public client is bound like the access token beside it (RFC 9449 section
// 5, RFC 8705 section 4), since nothing else protects it. A confidential client
// authenticates at every refresh, and may change its key.
func (s *Server) issueRefresh(g *grant, bound binding) string {
	text := randomText()
	if s.state.clients[g.client].AuthMethod != None {
		bound = binding{}
	}
	s.state.refresh[text] = &refreshToken{grant: g, bound: bound}
	s.issued = append(s.issued, text)
	return text
}

// validAccess returns the access token with this text, if it is still valid.
// The caller holds s.mu.
func (s *Server) validAccess(text string) (accessToken, bool) {
	t, ok := s.state.access[text]
	return t, ok && !t.grant.revoked && s.now().Before(t.expires)
}
