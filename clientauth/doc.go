// Package clientauth proves to a provider who the app is without sending it a secret, binds tokens to a
// certificate, and signs authorization requests: what banks, health services and governments ask of a
// client (FAPI 2.0).
//
//	key := clientauth.Key{Signer: privateKey, ID: "2026-11"} // or a crypto.Signer from a KMS
//	client, err := authcode.New(authcode.Config{
//		ClientAuth: clientauth.PrivateKeyJWT(key),
//		…
//	})
//
// # Methods
//
//	private_key_jwt              PrivateKeyJWT: an assertion under the app's private key
//	client_secret_jwt            SecretJWT: an assertion under a client secret, which is not sent
//	tls_client_auth              MutualTLS: a certificate by an authority that the provider trusts
//	self_signed_tls_client_auth  MutualTLS: a certificate that the provider has
//
// A request carries exactly one of them, at the token, PAR and revocation endpoints and in whatever else
// package authcode authenticates, and the client id in its body. Nothing adds an Authorization header.
// Every request has an assertion of its own, also where it is made again.
//
// [MutualTLS] is a binding too, by itself or beside [PrivateKeyJWT]: tokens are then of use under the
// certificate only (RFC 8705 section 3). [SignRequests] is for [authcode.Config.Messages].
//
// # Keys
//
// RSA of 2048 bits or more, P-256 and Ed25519, from memory or from any crypto.Signer. The algorithm follows
// from the key, PS256 for RSA; RS256 has to be asked for. [RotatingKeys] and [RotatingMutualTLS] ask a function
// of the app's for each request. Restrict holds [Assertion] and [RequestSigner] to the algorithms of a
// profile.
//
// # Audience
//
// An assertion is for the issuer, as one plain string. [TokenURLAudience] tells why, and which providers want
// another one.
//
// # Errors
//
// [authcode.New] asks each value here for what is wrong with it, by its method Validate, and reports that with
// all other faults. What turns up later is an [*authcode.Error] with Reason [authcode.Configuration] and one of
// these Checks, which are stable:
//
//	client_auth.audience      the provider has no issuer, or no endpoint that is to be the audience
//	client_auth.key           the key or the secret is weak, of the wrong kind, or not allowed
//	client_auth.keys          the function of RotatingKeys failed
//	client_auth.sign          the key's Sign failed
//	client_auth.certificate   what MTLS.Validate reports, for client authentication
//	binding.certificate       and for a binding
//	messages.audience         the provider has no issuer
//	messages.params           a request object cannot have this parameter, or this value of it
//	messages.key, keys, sign  as above
//	response.verify           a signed response that nobody asked for (Forged)
//
// A certificate that cannot be had, or has a fault, when a request is made is client_auth.certificate too.
//
// # Concurrency
//
// Everything here is safe for concurrent use, as far as the app's signers and functions are. There are no
// goroutines but those of net/http's transports.
package clientauth
