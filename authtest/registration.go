package authtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"net/url"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// Registration describes a further client of the server: another app, or an app
// that does not authenticate by a secret.
type Registration struct {
	// ClientID is the client identifier. If empty, Register makes one.
	ClientID string

	// ClientSecret is the client's secret, sent with HTTP Basic. If it is empty
	// and there are no Keys, the client is public. It sends only its id, and
	// PKCE protects its codes.
	ClientSecret string

	// Keys are the public keys of a client that authenticates with
	// private_key_jwt, as by clientauth.PrivateKeyJWT: an *rsa.PublicKey of
	// 2048 bits or more for PS256, an *ecdsa.PublicKey on P-256 for ES256, or
	// an ed25519.PublicKey for EdDSA. A client with Keys has no ClientSecret.
	Keys []crypto.PublicKey

	// FAPI makes the server demand what the FAPI 2.0 Security Profile demands
	// of a client with Keys: pushed authorization requests, and access tokens
	// that are bound by DPoP.
	FAPI bool

	// RedirectURLs are the app's callbacks. A request must name one of them
	// byte for byte.
	RedirectURLs []string

	// PostLogoutRedirectURLs are where the app may have people sent after they
	// have signed out at the server (post_logout_redirect_uri of OpenID Connect
	// RP-Initiated Logout 1.0). A request must name one of them byte for byte.
	PostLogoutRedirectURLs []string
}

// Register adds a client, or replaces the one with the same ClientID, and
// returns its configuration, like [Server.Config], with the first of
// r.RedirectURLs. The caller sets ClientAuth for a client with Keys, and
// Binding for one with FAPI. Register panics if r is incomplete or contradicts
// itself.
func (s *Server) Register(r Registration) authcode.Config {
	r.check()
	reg := authserver.ClientRegistration{
		ID: r.ClientID, Secret: r.ClientSecret, AuthMethod: authserver.None,
		RedirectURIs: r.RedirectURLs, PostLogoutRedirectURIs: r.PostLogoutRedirectURLs,
		RequirePAR: r.FAPI, RequireDPoP: r.FAPI,
	}
	if r.FAPI {
		reg.Algorithm = "ES256" // the profile forbids RS256
	}
	if reg.ID == "" {
		reg.ID, reg.Name = rand.Text(), "your app" // the server's page shows the name
	}
	if reg.Secret != "" {
		reg.AuthMethod = authserver.Basic
		s.remember(reg.Secret)
	}
	for _, key := range r.Keys {
		reg.AuthMethod = authserver.PrivateKeyJWT
		reg.Keys = append(reg.Keys, authserver.Key{Public: key})
	}
	cfg := s.server.Register(reg)
	cfg.Provider = oidc.Provider(s.URL)
	cfg.Provider.Name = "authtest"
	cfg.Clock = &s.clock // of the embedded struct: see package internal/clock
	return cfg
}

// check panics with what is wrong with r.
func (r *Registration) check() {
	switch {
	case r.ClientSecret != "" && len(r.Keys) > 0:
		panic("authtest: Registration has both ClientSecret and Keys: set one of them")
	case r.FAPI && len(r.Keys) == 0:
		panic("authtest: Registration.FAPI needs Keys: set the public keys of the client")
	case len(r.RedirectURLs) == 0:
		panic("authtest: Registration.RedirectURLs is empty: set the app's callback")
	}
	for _, text := range r.RedirectURLs {
		checkURL("Registration.RedirectURLs", text)
	}
	for i, key := range r.Keys {
		switch key.(type) {
		case *ecdsa.PublicKey, ed25519.PublicKey, *rsa.PublicKey:
		default:
			panic(fmt.Sprintf("authtest: Registration.Keys[%d] is a %T, not a public key "+
				"for PS256, ES256 or EdDSA", i, key))
		}
	}
}

// checkURL panics unless text is absolute and has no fragment (RFC 6749 section
// 3.1.2).
func checkURL(field, text string) *url.URL {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Fragment != "" {
		panic(fmt.Sprintf("authtest: %s: %q is not an absolute http or https URL "+
			"without a fragment", field, text))
	}
	return u
}

// remember keeps a client's secret for Secrets.
func (s *Server) remember(secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.secrets, secret) {
		s.secrets = append(s.secrets, secret)
	}
}
