// Package dpop binds tokens to keys of the app (DPoP, RFC 9449). A thief cannot
// use a stolen token without the key, which never leaves the app.
//
//	client, err := authcode.New(authcode.Config{
//		Binding: dpop.New(key), // a crypto.Signer: ECDSA P-256, Ed25519 or RSA
//		…
//	})
//
// Logins, refreshes and the requests of [authcode.TokenSource.APIClient] then
// carry a proof each, and a token that the provider did not bind is refused.
// Nothing else changes for the app.
//
// # Keys
//
// [New] takes one key for all people, which a KMS or an HSM may hold, and
// former keys. [PerSession] derives a key for each login from a secret. The
// name of the key is kept in the login cookie and later with the token, by
// [authcode.MarshalToken] too; nothing else has to be stored. If a key is gone,
// its tokens can no longer be used. They can be refreshed with a current key if
// the server accepts that: a refresh token is bound to the key only if the app
// is [authcode.Public] (RFC 9449 section 5).
//
// # Proofs
//
// A proof names one request: its method, and its URL without query and
// fragment, byte for byte as the server sees it. A resource server also gets
// the hash of the token. The identifier of a proof is never used again, also
// not when a request is repeated, by package authcode after a server asked for
// a nonce, or by an [*http.Transport] that lost a connection. There is one
// exception: if [authcode.Config.Wrap] sends copies of requests, a request that
// the http.Transport repeats by itself has the same proof as before, which a
// server may refuse.
//
// A proof carries the time. A server refuses it if its own clock differs from
// the app's by more than it tolerates. A server that does not trust the clocks
// of apps demands nonces.
//
// # Nonces
//
// What a server sends as DPoP-Nonce, in any answer, goes into the next proof
// for it. Nonces are kept in memory for the 256 servers that were used last, by
// origin, and separately for authorization servers and resource servers. If a
// server refuses a proof because it demands a nonce, package authcode sends the
// request again, once. It cannot do so for a request to an API whose body
// cannot be read again (no GetBody): the app gets the answer 401, and its next
// request has the nonce. The header is left in an answer only if it names one
// nonce that the proof did not have: nothing else is worth another try.
//
// # Errors
//
// The functions keep what is wrong with keys and secrets in the Binding's Err,
// and [authcode.New] lists it together with all other faults. What goes wrong
// later is an [*authcode.Error] with Reason [authcode.Configuration] and one of
// these Checks, which are stable:
//
//	dpop.config  a key or secret cannot be used: New lists why
//	dpop.key     the token or login is bound to a key that the app does not have
//	dpop.sign    the key failed to sign
//	dpop.url     a proof cannot name the request's URL: want scheme, ASCII host and path
//
// Package authcode refuses a token whose type is not DPoP (token.token_type).
package dpop
