// Package oidc finds out who signed in: OpenID Connect for package authcode, on go-jose.
//
//	login, err := authcode.New(authcode.Config{
//		Provider: oidc.Provider("https://accounts.example"),
//		…
//	})
//
// [Provider] needs the issuer identifier and nothing else, and does no I/O. The first login fetches
// the provider's metadata (OpenID Connect Discovery 1.0, RFC 8414) and keys. Both are cached, fetched
// anew after an hour and after a quarter of an hour, and serve while the provider is down: a key that
// it withdraws counts no longer than that, unless it cannot be asked. The identity is in
// [authcode.Login.Identity]; the key of a user is (Issuer, Subject).
//
// # What is checked
//
// Every ID token, also one that a refresh brings, is checked in full: OpenID Connect Core section
// 3.1.3.7, although the token came over TLS. No option turns a check off. A broken rule is an
// [*authcode.Error] with Reason [authcode.IdentityRefused], or that of the answer's failure, and one of
// these Checks, which are stable:
//
//	config.*              issuer, algorithms, restricted, plain, hosted_domain, metadata_url, tenants: an argument of New (Configuration)
//	discovery.form        the metadata is not one JSON object with members of the right types
//	discovery.issuer      its issuer is not byte for byte the configured one
//	discovery.pkce        code_challenge_methods_supported lists methods, and S256 is not among them
//	discovery.endpoints   it has no usable authorization_endpoint or token_endpoint
//	jwks.endpoint         there is no usable jwks_uri
//	jwks.form             the JWKS is not an object with an array of keys
//	jwks.key              no key has the token's kid, or fits its algorithm
//	id_token.missing      the token answer has no ID token
//	id_token.form         it is not a signed JWT in compact form, or has a critical header
//	id_token.alg          its algorithm is not one of the pinned ones; none and HMAC never are
//	id_token.signature    no fitting key of the provider's signed it; 32 are tried at most
//	id_token.typ          its typ is that of another kind of JWT
//	id_token.iss          its issuer is not the configured one, or not the one of tid and of the signing key
//	id_token.tid          its tenant is missing or not allowed
//	id_token.aud          the app is not among its audiences, or somebody else is who is not trusted
//	id_token.azp          it was given to another client, or has several audiences and no azp
//	id_token.exp          it has expired, or has no exp
//	id_token.iat          it was issued in the future, or has no iat
//	id_token.nbf          it is not valid yet
//	id_token.sub          it has no subject, or one that cannot be a key
//	id_token.nonce        its nonce is not this login's
//	id_token.auth_time    max_age was sent, and the sign-in was before or is not dated
//	id_token.at_hash      it belongs to another access token
//	id_token.hd           its hosted domain is not one of those asked for
//	callback.iss          the callback named another tenant's issuer than the ID token (WrongIssuer)
//	userinfo.endpoint     UserInfo is asked for, and there is no usable userinfo_endpoint
//	userinfo.form         the answer is neither a JSON object nor, as application/jwt, a JWT
//	userinfo.sub          it is about somebody else
//	userinfo.*            alg, signature, iss, tid, aud, azp, exp: of a signed answer, as above
//	refresh.iss           the new ID token is of another issuer than the old one
//	refresh.sub           the new ID token is about somebody else
//	logout_token.missing  the request has no logout token
//	logout_token.iat      it was issued in the future or more than ten minutes ago, or has no iat
//	logout_token.jti      the logout token has no jti, or was accepted before
//	logout_token.events   it has no event of a back-channel logout
//	logout_token.nonce    it has a nonce, as only ID tokens do
//	logout_token.sub      it has neither sub nor sid
//	logout_token.*        form, alg, signature, typ, iss, tid, aud, azp, exp, nbf: as above
//	logout.*              endpoint, return_url, method, origin, end: see LogoutHandler
//	response.*            form, alg, signature, typ, iss, aud, exp, iat, nbf, claim: see VerifyResponse (Forged)
//	introspection.*       question, client_auth, unauthorized, endpoint (Configuration), form, active (BadAnswer), and of
//	                      a signed answer alg, signature, typ, iss, aud, iat, claim: see Introspect
//	initiate.*            method, form, repeated, iss: see InitiateLoginHandler
//
// An endpoint that fails, where * is discovery, jwks or userinfo:
//
//	*.size                more than 256 KiB, or 1 MiB of keys (BadAnswer)
//	*.missing             status 404 (BadAnswer)
//	*.status              another status than 200 (BadAnswer; Overloaded for 429 and 503)
//	*.redirect            a redirect, which is never followed (Redirected)
//	*.unreachable         no answer (Unreachable)
//	*.timeout             no answer in time (Timeout)
//	*.canceled            the caller gave up (Canceled)
//	*.panic               the HTTP client's transport panicked, a moment ago (Unreachable)
//
// A URL in the metadata is usable if it is https, or if it is http on loopback and the issuer is too.
//
// Clocks may differ by sixty seconds.
//
// # Logout
//
// [Issuer.LogoutHandler] signs a person out at the provider as well,
// [Issuer.BackChannelLogoutHandler] is told by the provider that a person signed out there, and
// [Issuer.FrontChannelLogoutHandler] is the older way to be told. They end sessions that are the
// app's, by a function that the app hands them. [Issuer.InitiateLoginHandler] starts a login from
// the provider's portal.
//
// # Concurrency
//
// An [Issuer] is safe for concurrent use. Loads are shared and outlive the request that began them by
// their ten seconds at most; there is no other goroutine.
package oidc
