// Package fapi is one switch for high-security clients: the FAPI 2.0 Security Profile, and FAPI 2.0 Message
// Signing, for package authcode.
//
//	client, err := fapi.New(fapi.Security, authcode.Config{
//		Provider:   oidc.Provider("https://bank.example"),
//		ClientAuth: clientauth.PrivateKeyJWT(key),
//		Binding:    dpop.New(proofKey),
//		…
//	})
//
// [New] is authcode.New under a [Profile]. It turns on what the profile asks of a client and the app has no
// choice in, and refuses, all in one error, what the profile forbids:
//
//	turned on    pushed authorization requests, always; iss in every authorization response; TLS 1.2 or later
//	             with the cipher suites of BCP 195; PS256, ES256 and EdDSA alone, for what the app signs and
//	             for what the provider does, ID tokens included
//	refused      http anywhere, on loopback too; a client secret, a public client, client_secret_jwt, RS256, an
//	             assertion for another audience than the issuer; bearer tokens; a provider without issuer or
//	             without PAR; a transport that skips verification or allows old TLS; weak keys; with
//	             [MessageSigning], plain requests and plain responses
//
// An API is called over https only, too. What the profile cannot see is up to the app: what Config.Wrap puts
// around the transport, and what functions of the app's own look at.
//
// The profile is data: New narrows Config.Algorithms, Config.Transport, Provider.RequirePAR and
// Provider.RequireIss, and reads the facts of ClientAuth, Binding and MessageSigning. Package authcode hands
// the rules to every part and checks what the parts did: the algorithm and the audience of an assertion, the
// algorithm of a request object and of an ID token. So a part may be wrapped in any way.
//
// What package authcode does for every login is asked by the profiles too: the authorization code grant alone, S256
// PKCE, a state and nonce of each login's own, exact redirect URIs, no redirects followed, one code redeemed
// once.
//
// What a provider's metadata says is held to the same rules when it is loaded: Check "fapi.metadata".
package fapi
