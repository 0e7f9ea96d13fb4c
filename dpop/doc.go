// Package dpop binds tokens to keys of the app's (DPoP, RFC 9449): whoever steals a token cannot use it without
// the key, which never leaves the app.
//
//	client, err := authcode.New(authcode.Config{
//		Binding: dpop.New(key), // a crypto.Signer: ECDSA P-256, Ed25519 or RSA
//		…
//	})
//
// Logins, refreshes and the requests of [authcode.TokenSource.APIClient] then carry a proof each, and a token
// that the provider did not bind is refused. Nothing else changes for the app.
//
// # Keys
//
// [New] takes one key for all people, which a KMS or an HSM may hold, and former ones. [PerSession] derives a key for
// each login from a secret. The name of the key is kept in the login cookie and then with the token, also by
// [authcode.MarshalToken], and nothing else has to be stored. If a key is gone, its tokens can no
// longer be used. They are refreshed with a current key if the server lets it: refresh tokens are bound to the
// key for an app that is [authcode.Public] only (RFC 9449 section 5).
//
// # Proofs
//
// A proof names one request: its method and its URL without query and fragment, byte for byte as the server sees it. It
// has an identifier that is never used again, also not when a request is repeated: by this package, or by
// an [*http.Transport] that lost a connection. A transport of another kind that repeats requests by
// itself repeats the proof, which a server may refuse. A resource server sees the hash of the token too.
//
// A server's clock may differ from the app's by as much as the server tolerates. One that does not trust the app's clock
// demands nonces.
//
// # Nonces
//
// What a server names in DPoP-Nonce, in any answer, goes into the next proof for it. Nonces are kept in memory for
// the last 256 servers, by origin, and apart for authorization servers and resource servers. If a server refuses a
// proof because of its nonce and names another, the request is made again, once. A request to an
// API whose body cannot be had again (no GetBody) is not: its answer is 401, and the next request has the nonce.
//
// # Errors
//
// An error is an [*authcode.Error] with Reason [authcode.Configuration] and one of these Checks, which are stable:
//
//	dpop.config  a key or secret cannot be used: see Binding.Validate
//	dpop.key     the token or login is bound to a key that is not, or no longer, among the app's
//	dpop.sign    the key did not sign
//	dpop.url     the request's URL cannot be named: its host is not ASCII, or it is not one of scheme, host and path
//
// A token of another type than DPoP is refused by package authcode (token.token_type).
package dpop
