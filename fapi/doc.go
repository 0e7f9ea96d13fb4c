// Package fapi is one switch for high-security clients: the FAPI 2.0 Security
// Profile and FAPI 2.0 Message Signing, for package authcode. Banks, health
// services and governments ask for these profiles.
//
//	client, err := fapi.New(fapi.Security, authcode.Config{
//		Provider:   oidc.Provider("https://bank.example"),
//		ClientAuth: clientauth.PrivateKeyJWT(key),
//		Binding:    dpop.New(proofKey),
//		…
//	})
//
// # What New does
//
// [New] is authcode.New under a [Profile]. It turns on what the profile
// requires and the app cannot choose. It refuses what the profile forbids, and
// lists all faults in one error:
//
//	turned on    pushed authorization requests, always; iss in every
//	             authorization response; TLS 1.2 or later with the cipher
//	             suites of BCP 195; only PS256, ES256 and EdDSA, for what the
//	             app signs and for what the provider signs, ID tokens included
//	refused      http anywhere, also on loopback; a client secret, a public
//	             client, client_secret_jwt, RS256, an assertion whose
//	             audience is not the issuer; bearer tokens; a provider without
//	             issuer or without PAR; a transport that skips verification,
//	             allows old TLS, or has another name, clock or source of
//	             randomness for TLS, or a log of its keys; weak keys; with
//	             [MessageSigning], plain requests and plain responses
//
// APIs are called over https only, too.
//
// # How it is enforced
//
// The profile is data. New narrows Config.Algorithms, Config.Transport,
// Provider.RequirePAR and Provider.RequireIss, and reads the facts in
// ClientAuth, Binding and MessageSigning. Package authcode hands the rules to
// every part and checks the outcome at every login: the algorithm and the
// audience of an assertion, one DPoP proof in each request and its algorithm,
// the algorithm of a request object and of an ID token. So the app may wrap any
// part, for tracing or in tests.
//
// Some rules of the profiles need no switch, because package authcode follows
// them in every login: only the authorization code grant, S256 PKCE, a new
// state and nonce for each login, exact redirect URIs, no redirects followed,
// each code redeemed once.
//
// New cannot see what Config.Wrap puts around the transport, nor what the app's
// own functions check. These are the app's responsibility.
//
// # Errors
//
// What is wrong with the Config is an [*authcode.Error] with Reason
// [authcode.Configuration] that New returns. One Check appears later, and is
// stable:
//
//	fapi.http  a request to an API was about to go over http (Configuration)
package fapi
