package clientauth

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"

	"example.com/authcode"
)

// MutualTLS authenticates the app with its TLS client certificate (RFC 8705
// section 2): the certificate of [authcode.Config.Certificate], which
// [authcode.New] then demands. The request itself carries the client id in its
// body and no secret.
//
//	authcode.Config{
//		ClientAuth:  clientauth.MutualTLS(),
//		Binding:     clientauth.CertificateBound(), // bind the tokens to the certificate too
//		Certificate: clientauth.Certificate(cert),
//		…
//	}
//
// It works for tls_client_auth, where the provider knows a name in the
// certificate and trusts the authority that issued it: the certificate then
// holds the whole chain except the root. It works for
// self_signed_tls_client_auth too, where the provider has the certificate
// itself, in the app's JWKS as x5c. An expired certificate is never sent, even
// where such a provider would still accept it. Public authorities no longer
// issue certificates with the extended key usage for client authentication,
// which most providers demand: use the provider's authority or a private one.
//
// A provider that asks for the certificate only after the handshake needs
// Renegotiation in the TLSClientConfig of [authcode.Config.Transport]. That
// works with TLS 1.2 and HTTP/1.1 only.
func MutualTLS() authcode.ClientAuth {
	return authcode.ClientAuth{
		Method: "tls_client_auth",
		Authenticate: func(_ context.Context, req *authcode.TokenRequest) error {
			req.Form.Set(req.Config.Provider.ClientIDParam, req.Config.ClientID)
			return nil
		},
	}
}

// CertificateBound binds tokens to the certificate of
// [authcode.Config.Certificate] (RFC 8705 section 3), which [authcode.New] then
// demands: a stolen token cannot be used without the certificate's key. The
// tokens are still sent as bearer tokens, under the certificate. It works
// with any client authentication, not only [MutualTLS].
func CertificateBound() authcode.Binding { return authcode.Binding{Certificate: true} }

// Certificate returns a function for [authcode.Config.Certificate] that always
// returns cert. For a certificate that is renewed while the app runs, write a
// function of your own: it is called for every request that shows the
// certificate, by many goroutines, and returns the same pointer or the same
// certificate until there is a new one. Access tokens stay bound to the
// certificate that they were issued under, so refresh them after a change; a
// provider may demand a new login.
func Certificate(cert tls.Certificate) func(context.Context) (*tls.Certificate, error) {
	return func(context.Context) (*tls.Certificate, error) { return &cert, nil }
}

// Thumbprint returns the x5t#S256 of a certificate (RFC 8705 section 3.1): a
// token that is bound to the certificate has it in cnf. It returns "" if there
// is no certificate.
func Thumbprint(cert tls.Certificate) string {
	if len(cert.Certificate) == 0 {
		return ""
	}
	sum := sha256.Sum256(cert.Certificate[0])
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
