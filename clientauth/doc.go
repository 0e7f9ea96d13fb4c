// Package clientauth proves to a provider who the app is without sending it a
// secret, binds tokens to a certificate, and signs authorization requests. This
// is what banks, health services and governments ask of a client (FAPI 2.0).
//
//	key := clientauth.Key{Signer: privateKey, ID: "2026-11"} // or a crypto.Signer of a KMS
//	client, err := authcode.New(authcode.Config{
//		ClientAuth: clientauth.PrivateKeyJWT(key),
//		…
//	})
//
// # Methods
//
//	private_key_jwt              PrivateKeyJWT: an assertion signed by the private key
//	client_secret_jwt            SecretJWT: an assertion signed by a secret, which is not sent
//	tls_client_auth              MutualTLS: a certificate from an authority that the provider trusts
//	self_signed_tls_client_auth  MutualTLS: a certificate that the provider has on file
//
// Every authenticated request (to the token, PAR, revocation and introspection
// endpoints) carries exactly one of them, and the client id in its body. None
// of them adds an Authorization header. Each request has a new assertion, also
// when a request is sent again.
//
// [CertificateBound] binds tokens to the certificate of
// [authcode.Config.Certificate] (RFC 8705 section 3), with [MutualTLS] or with
// another method. [SignRequests] is for [authcode.Config.MessageSigning].
//
// # Keys
//
// A key is RSA of 2048 bits or more, P-256 or Ed25519, in memory or behind any
// crypto.Signer. The algorithm follows from the key, PS256 for RSA; RS256 must
// be asked for. [RotatingKeys] asks one of the app's functions for the key of
// each signature. [authcode.Config.Algorithms] limits which algorithms may
// sign.
//
// # Certificates
//
// Config.Certificate is a function that returns the certificate; [Certificate]
// makes one from a fixed certificate. The certificate is shown to the token,
// PAR, revocation and introspection endpoints (to their mtls_endpoint_aliases,
// where the provider has them) and, with [CertificateBound], to UserInfo and
// the APIs that the tokens are for. Discovery and key sets are fetched without
// it.
//
// # Audience
//
// The audience of an assertion is the issuer, as one plain string.
// [TokenURLAudience] explains why, and which providers want another one.
//
// # Errors
//
// The values of this package keep what is wrong with their arguments in Err,
// and [authcode.New] lists it together with all other faults. What goes wrong
// later is an [*authcode.Error] with Reason [authcode.Configuration] and one of
// these Checks, which are stable:
//
//	client_auth.audience      the provider has no issuer, or no endpoint that could be the audience
//	client_auth.key           the key or secret is weak or unsuitable, or its algorithm not admitted
//	client_auth.keys          the function of RotatingKeys returned an error
//	client_auth.sign          the key's Sign returned an error
//	client_auth.certificate   the certificate is missing, faulty or expired, or cannot be shown
//	messages.audience         the provider has no issuer
//	messages.params           a request object cannot have this parameter, or this value of it
//	messages.key              like client_auth.key, for SignRequests
//	messages.keys             like client_auth.keys
//	messages.sign             like client_auth.sign
//
// # Concurrency
//
// Everything here is safe for concurrent use, as far as the app's signers and
// functions are. The package starts no goroutines.
package clientauth
