package authtest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/url"
	"slices"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// AuthMethod is a way in which a client authenticates, by its registered name
// (OpenID Connect Core section 9).
type AuthMethod string

// The client authentication methods that the server knows.
const (
	Basic AuthMethod = "client_secret_basic" // HTTP Basic (RFC 6749 section 2.3.1)
	Post  AuthMethod = "client_secret_post"  // id and secret in the body
	None  AuthMethod = "none"                // a public client: the id alone
)

// ClientRegistration describes an app that may use the server.
type ClientRegistration struct {
	// ID is the client identifier. It must not be empty.
	ID string

	// Secret is the client secret; empty for [None] and required for the others.
	Secret string

	// AuthMethod is the only accepted way to authenticate. If empty, [Basic].
	AuthMethod AuthMethod

	// RawBasic makes the server take Basic credentials as they stand. If false, it decodes
	// them as RFC 6749 section 2.3.1 says.
	RawBasic bool

	// RedirectURIs are compared with a request's redirect_uri byte for byte.
	RedirectURIs []string

	// PostLogoutRedirectURIs are compared with a logout's post_logout_redirect_uri byte for byte.
	PostLogoutRedirectURIs []string

	// Name is shown to people. If empty, ID.
	Name string
}

const defaultClient = "authtest-client"

// Provider returns the description of this server for [authcode.Config]: Basic client
// authentication, iss required, all endpoints filled in, no Identifier.
func (s *Server) Provider() authcode.Provider {
	return authcode.Provider{
		Name:          "authtest",
		AuthURL:       s.URL + "/authorize",
		TokenURL:      s.URL + "/token",
		RevocationURL: s.URL + "/revoke",
		AuthStyle:     oauth2.AuthStyleInHeader,
		Issuer:        s.URL,
		RequireIss:    true,
		Scopes:        []string{"openid", "profile", "email"},
	}
}

// Config registers redirectURL for the server's default client, which has a secret and
// authenticates with Basic, and returns a configuration that [authcode.New] accepts. Every call
// makes a new cookie key; earlier redirect URLs stay registered.
func (s *Server) Config(redirectURL string) authcode.Config {
	reg := ClientRegistration{
		ID: defaultClient, Secret: randomText(), Name: "Test app",
		RedirectURIs: []string{redirectURL},
	}
	reg.complete()
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

// Register adds a client, or replaces the one of the same ID, and returns a configuration for
// it whose RedirectURL is the first of reg.RedirectURIs. It panics if reg makes no sense.
func (s *Server) Register(reg ClientRegistration) authcode.Config {
	reg.complete()
	s.mu.Lock()
	s.state.clients[reg.ID] = reg
	s.mu.Unlock()
	return s.configFor(reg)
}

func (s *Server) configFor(reg ClientRegistration) authcode.Config {
	cfg := authcode.Config{
		Provider:    s.Provider(),
		ClientID:    reg.ID,
		ClientAuth:  authcode.Public(),
		RedirectURL: reg.RedirectURIs[0],
		CookieKeys:  [][]byte{randomBytes()},
	}
	cfg.Provider.RawBasic = reg.RawBasic
	if reg.AuthMethod == Post {
		cfg.Provider.AuthStyle = oauth2.AuthStyleInParams
	}
	if reg.AuthMethod != None {
		cfg.ClientAuth = authcode.Secret(reg.Secret)
	}
	if s.cert != nil {
		cfg.HTTPClient = s.Client()
	}
	return cfg
}

// complete fills in what is left out and panics on what makes no sense.
func (reg *ClientRegistration) complete() {
	if reg.AuthMethod == "" {
		reg.AuthMethod = Basic
	}
	if reg.Name == "" {
		reg.Name = reg.ID
	}
	reg.RedirectURIs = slices.Clone(reg.RedirectURIs)
	reg.PostLogoutRedirectURIs = slices.Clone(reg.PostLogoutRedirectURIs)
	if fault := reg.fault(); fault != "" {
		panic("authtest: ClientRegistration." + fault)
	}
}

func (reg *ClientRegistration) fault() string {
	switch {
	case reg.ID == "":
		return "ID is empty"
	case reg.AuthMethod != Basic && reg.AuthMethod != Post && reg.AuthMethod != None:
		return fmt.Sprintf("AuthMethod is %q", reg.AuthMethod)
	case (reg.Secret == "") != (reg.AuthMethod == None):
		return "Secret must be set, unless AuthMethod is None"
	case len(reg.RedirectURIs) == 0:
		return "RedirectURIs is empty"
	}
	for _, uri := range reg.RedirectURIs {
		// RFC 6749 section 3.1.2: absolute, without a fragment.
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Host == "" ||
			u.Fragment != "" {
			return fmt.Sprintf("RedirectURIs: %q is not an absolute URI without fragment", uri)
		}
	}
	return ""
}

func randomBytes() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// randomText is 256 random bits as 43 URL-safe characters.
func randomText() string { return base64.RawURLEncoding.EncodeToString(randomBytes()) }
