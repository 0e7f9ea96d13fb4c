package authserver

import (
	"crypto/rand"
	"encoding/base64"
	"slices"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const defaultClient = "authtest-client"

// Provider returns the description of this server for [authcode.Config]: Basic
// client authentication, iss required, all endpoints filled in, no Identity.
// PARURL is empty, so that requests are not pushed, unless the server has
// [OfferPAR] or [RequirePAR].
func (s *Server) Provider() authcode.Provider {
	p := authcode.Provider{
		Name: "authtest",
		Endpoints: authcode.Endpoints{
			AuthURL:       s.URL + "/authorize",
			TokenURL:      s.URL + "/token",
			RevocationURL: s.URL + "/revoke",
			AuthStyle:     oauth2.AuthStyleInHeader,
			RequireIss:    true,
			Ed25519:       s.renamed,
		},
		Issuer: s.URL,
		Scopes: []string{"openid", "profile", "email"},
	}
	if s.pushed.offered {
		p.PARURL, p.RequirePAR = s.URL+"/par", s.pushed.required
	}
	if s.MTLSURL != "" {
		p.MTLS = &authcode.Endpoints{
			TokenURL:      s.MTLSURL + "/token",
			RevocationURL: s.MTLSURL + "/revoke",
			PARURL:        s.MTLSURL + "/par",
		}
	}
	return p
}

// Config registers redirectURL for the server's default client, which has a
// secret and authenticates with Basic. It returns a configuration that
// [authcode.New] accepts. Every call makes a new cookie key. Earlier redirect
// URLs stay registered.
func (s *Server) Config(redirectURL string) authcode.Config {
	reg := ClientRegistration{
		ID: defaultClient, Secret: randomText(), Name: "your app",
		RedirectURIs: []string{redirectURL},
	}
	reg.complete(s)
	// A second app of the same test has the same client, so the secret of the
	// first call stays.
	s.mu.Lock()
	if known, ok := s.state.clients[defaultClient]; ok {
		reg = known
		if !slices.Contains(reg.RedirectURIs, redirectURL) {
			reg.RedirectURIs = append(slices.Clone(reg.RedirectURIs), redirectURL)
		}
	}
	s.state.clients[defaultClient] = reg
	s.mu.Unlock()
	cfg := s.configFor(reg)
	cfg.RedirectURL = redirectURL
	return cfg
}

// Register adds a client, or replaces the client with the same ID. It returns a
// configuration for it, whose RedirectURL is the first of reg.RedirectURIs. If
// the client authenticates with a key or a certificate, the caller sets
// ClientAuth. With RequirePAR, the Provider has a PARURL. Register panics if
// reg is incomplete or contradicts itself.
func (s *Server) Register(reg ClientRegistration) authcode.Config {
	reg.complete(s)
	s.mu.Lock()
	s.state.clients[reg.ID] = reg
	s.mu.Unlock()
	return s.configFor(reg)
}

// configFor returns a configuration for the client reg, without ClientAuth if
// only the caller has the credentials.
func (s *Server) configFor(reg ClientRegistration) authcode.Config {
	cfg := authcode.Config{
		Provider:    s.Provider(),
		ClientID:    reg.ID,
		RedirectURL: reg.RedirectURIs[0],
		CookieKeys:  [][]byte{randomBytes()},
	}
	cfg.Provider.RawBasic = reg.RawBasic
	switch reg.AuthMethod {
	case Post:
		cfg.Provider.AuthStyle = oauth2.AuthStyleInParams
		cfg.ClientAuth = authcode.Secret(reg.Secret)
	case Basic:
		cfg.ClientAuth = authcode.Secret(reg.Secret)
	case None:
		cfg.ClientAuth = authcode.Public()
	}
	if reg.RequirePAR {
		cfg.Provider.PARURL, cfg.Provider.RequirePAR = s.URL+"/par", true
	}
	if s.cert != nil {
		cfg.Transport = s.transport
	}
	return cfg
}

func randomBytes() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// randomText returns 256 random bits as 43 URL-safe characters. Nobody can
// guess such a code or token (RFC 6749 section 10.10).
func randomText() string { return base64.RawURLEncoding.EncodeToString(randomBytes()) }
