package authserver

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
)

// AuthMethod is a way in which a client authenticates, by its registered name
// (OpenID Connect Core section 9, RFC 8705 section 2).
type AuthMethod string

// The client authentication methods that the server knows.
const (
	Basic         AuthMethod = "client_secret_basic"         // HTTP Basic (RFC 6749 section 2.3.1)
	Post          AuthMethod = "client_secret_post"          // id and secret in the body
	None          AuthMethod = "none"                        // a public client: the id alone
	PrivateKeyJWT AuthMethod = "private_key_jwt"             // an assertion by one of Keys (RFC 7523)
	SecretJWT     AuthMethod = "client_secret_jwt"           // an assertion by HS256 with Secret
	TLSClientAuth AuthMethod = "tls_client_auth"             // a certificate from an authority
	SelfSignedTLS AuthMethod = "self_signed_tls_client_auth" // one of Certificates (RFC 8705)
)

var authMethods = []AuthMethod{
	Basic, Post, None, PrivateKeyJWT, SecretJWT, TLSClientAuth, SelfSignedTLS,
}

// ClientRegistration describes an app that may use the server.
type ClientRegistration struct {
	// ID is the client identifier. It must not be empty.
	ID string

	// Secret is the client secret. It is required for [Basic], [Post] and
	// [SecretJWT], and must be empty otherwise. SecretJWT needs 32 bytes or
	// more (RFC 7518 section 3.2).
	Secret string

	// AuthMethod is the only accepted way to authenticate. If empty, [Basic].
	AuthMethod AuthMethod

	// RawBasic makes the server take Basic credentials as they are. If false,
	// it decodes them as RFC 6749 section 2.3.1 demands.
	RawBasic bool

	// Keys verify the assertions of [PrivateKeyJWT], and the request objects of
	// any client.
	Keys []Key

	// AssertionAudience is the aud that an assertion must have. If zero, it is
	// the issuer identifier.
	AssertionAudience Audience

	// Certificates are the client's certificates for [SelfSignedTLS]. The
	// client must show one of them.
	Certificates []*x509.Certificate

	// CertificateAuthority must have issued the certificate for
	// [TLSClientAuth].
	CertificateAuthority *x509.Certificate

	// CertificateSubject is the subject of that certificate, as
	// pkix.Name.String prints it (tls_client_auth_subject_dn, RFC 8705 section
	// 2.1.2).
	CertificateSubject string

	// CertificateBound binds access tokens to the certificate that is shown at
	// the token endpoint. Token requests without a certificate are refused (RFC
	// 8705 section 3.4).
	CertificateBound bool

	// RequireDPoP refuses token requests without a DPoP proof (RFC 9449 section
	// 5.2). If false, a request with a proof gets a token that is bound to its
	// key, and a request without one gets a bearer token.
	RequireDPoP bool

	// RequirePAR refuses authorization requests that have not been pushed (RFC
	// 9126 section 6).
	RequirePAR bool

	// RequireSignedRequest refuses authorization requests without a request
	// object (RFC 9101 section 10.5).
	RequireSignedRequest bool

	// Algorithm signs what the server makes for this client
	// (id_token_signed_response_alg, OpenID Connect Registration section 2). It
	// is one of those of the option [Algorithm]. If empty, it is the server's.
	Algorithm string

	// ResourceServer lets the client introspect all tokens. If false, it may
	// introspect only its own.
	ResourceServer bool

	// RedirectURIs are compared with a request's redirect_uri byte for byte.
	RedirectURIs []string

	// PostLogoutRedirectURIs are compared with a logout's
	// post_logout_redirect_uri byte for byte.
	PostLogoutRedirectURIs []string

	// Name is shown to people. If empty, ID.
	Name string
}

// FAPIClient returns the registration of a client that FAPI 2.0 allows
// (Security Profile section 5.3.3): private_key_jwt with keys, pushed requests,
// and tokens that are bound by DPoP. It panics if a key is for RS256, which
// FAPI 2.0 forbids.
//
// The caller may change the registration before [Server.Register]. For
// certificates, set AuthMethod to [SelfSignedTLS] or [TLSClientAuth], set
// Certificates or CertificateAuthority, set CertificateBound, and set
// RequireDPoP to false. For message signing, set RequireSignedRequest.
func FAPIClient(id, redirectURI string, keys ...Key) ClientRegistration {
	for _, k := range keys {
		if k.Algorithm == "RS256" {
			panic("authserver: FAPIClient: a key is for RS256, which FAPI 2.0 forbids: use PS256")
		}
	}
	return ClientRegistration{
		ID: id, AuthMethod: PrivateKeyJWT, Keys: keys, RedirectURIs: []string{redirectURI},
		RequireDPoP: true, RequirePAR: true,
	}
}

// complete fills in what is left out. It panics if the registration is
// incomplete or contradicts itself. The caller's slices are copied, so that a
// test cannot change a registered client by accident.
func (reg *ClientRegistration) complete(s *Server) {
	if reg.AuthMethod == "" {
		reg.AuthMethod = Basic
	}
	if reg.Name == "" {
		reg.Name = reg.ID
	}
	reg.RedirectURIs = slices.Clone(reg.RedirectURIs)
	reg.PostLogoutRedirectURIs = slices.Clone(reg.PostLogoutRedirectURIs)
	reg.Certificates = slices.Clone(reg.Certificates)
	reg.Keys = slices.Clone(reg.Keys)
	for i := range reg.Keys {
		if fault := reg.Keys[i].complete(); fault != "" {
			panic("authserver: ClientRegistration.Keys: " + fault)
		}
	}
	fault := reg.fault()
	if fault == "" {
		fault = reg.certificateFault(s)
	}
	if fault != "" {
		panic("authserver: ClientRegistration." + fault)
	}
}

// fault says what is wrong with reg, apart from its certificates.
func (reg *ClientRegistration) fault() string {
	method := reg.AuthMethod
	hasSecret := method == Basic || method == Post || method == SecretJWT
	switch {
	case reg.ID == "":
		return "ID is empty: set it"
	case !slices.Contains(authMethods, method):
		return fmt.Sprintf("AuthMethod is %q: want one of %q", method, authMethods)
	case (reg.Secret != "") != hasSecret:
		return "Secret must be set for Basic, Post and SecretJWT, and for no other AuthMethod"
	case method == SecretJWT && len(reg.Secret) < 32:
		return "Secret has fewer than 32 bytes, which SecretJWT needs"
	case method == PrivateKeyJWT && len(reg.Keys) == 0:
		return "Keys is empty: PrivateKeyJWT needs a key"
	case reg.RequireSignedRequest && len(reg.Keys) == 0:
		return "Keys is empty: RequireSignedRequest needs a key"
	case !reg.AssertionAudience.known():
		return fmt.Sprintf("AssertionAudience is %d: use one of the constants", reg.AssertionAudience)
	case len(reg.RedirectURIs) == 0:
		return "RedirectURIs is empty: set the app's callback"
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

// certificateFault says what is wrong with the certificates of reg, or whether
// s could never ask for one.
func (reg *ClientRegistration) certificateFault(s *Server) string {
	byTLS := reg.AuthMethod == TLSClientAuth || reg.AuthMethod == SelfSignedTLS
	switch {
	case reg.AuthMethod == SelfSignedTLS && len(reg.Certificates) == 0:
		return "Certificates is empty: SelfSignedTLS needs the client's certificate"
	case reg.AuthMethod == TLSClientAuth &&
		(reg.CertificateAuthority == nil || reg.CertificateSubject == ""):
		return "CertificateAuthority and CertificateSubject must be set for TLSClientAuth"
	case (byTLS || reg.CertificateBound) && !s.takesCertificates():
		return "AuthMethod or CertificateBound needs a server with MutualTLS or AskCertificates"
	}
	return ""
}
