// Package oidc finds out who signed in: OpenID Connect for package authcode, on go-jose.
//
//	login, err := authcode.New(authcode.Config{
//		Provider: oidc.Provider("https://accounts.example"),
//		…
//	})
//
// [Provider] needs the issuer identifier and nothing else, and does no I/O. The first login fetches
// the provider's metadata (OpenID Connect Discovery 1.0, RFC 8414) and keys. Both are cached for each
// transport by itself. The metadata is fetched anew after an hour and the keys after a quarter of an
// hour. While the provider is down the old ones serve: only then does a key that it has withdrawn count
// for longer. The identity is in [authcode.Login.Identity]; the key of a user is (Issuer, Subject).
//
// # What is checked
//
// Every ID token, also one that a refresh brings, is checked in full: OpenID Connect Core section
// 3.1.3.7, although the token came over TLS. No option turns a check off. The algorithms that are
// admitted are those of [authcode.Provider.Algorithms] or [authcode.Config.Algorithms], or else those
// that the provider advertises among RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and
// EdDSA, or else RS256. A broken rule is an [*authcode.Error] with Reason [authcode.IdentityRefused]
// unless the list names another one, and with one of these Checks, which are stable:
//
//	config.*              issuer, hosted_domain, metadata_url, tenants: an argument of Provider is wrong; config: several are (Configuration)
//	discovery.form        the metadata is not one JSON object with members of the right types (BadAnswer)
//	discovery.issuer      its issuer is not byte for byte the configured one (BadAnswer)
//	discovery.pkce        code_challenge_methods_supported lists methods, and S256 is not among them (BadAnswer)
//	discovery.endpoints   it has no usable authorization_endpoint or token_endpoint (BadAnswer)
//	jwks.endpoint         there is no usable JWKS URL (BadAnswer)
//	jwks.form             the JWKS is not an object with an array of keys (BadAnswer)
//	jwks.key              no key has the JWT's kid, or fits its algorithm
//	id_token.missing      the token response has no ID token
//	id_token.form         it is not a signed JWT in compact form, or has a critical header
//	id_token.alg          its algorithm is not admitted; none and HMAC never are
//	id_token.signature    no fitting key of the provider's signed it; at most 32 are tried
//	id_token.typ          its typ is that of another kind of JWT
//	id_token.iss          its issuer is not the configured one, or not the one of tid and of the signing key
//	id_token.tid          its tenant is missing, or not among those of Tenants (NotAdmitted)
//	id_token.aud          the app is not among its audiences, or an audience that is not trusted is
//	id_token.azp          it was given to another client, or has several audiences and no azp
//	id_token.exp          it has expired, or has no exp
//	id_token.iat          it was issued in the future, or has no iat
//	id_token.nbf          it is not valid yet
//	id_token.sub          it has no subject, or one that cannot be a key
//	id_token.nonce        its nonce is not the one of this login
//	id_token.auth_time    max_age was sent, and the sign-in was before that or has no time
//	id_token.at_hash      it belongs to another access token
//	id_token.hd           its hosted domain is not one of those asked for (NotAdmitted)
//	callback.iss          the callback named another tenant's issuer than the ID token (Forged)
//	userinfo.endpoint     UserInfo is asked for, and there is no usable userinfo endpoint (BadAnswer)
//	userinfo.form         the answer is not a JSON object (BadAnswer) or, as application/jwt, not a JWT
//	userinfo.sub          it is about somebody else
//	userinfo.*            alg, signature, iss, tid, aud, azp, exp: of a signed answer, as above
//	refresh.iss           the new ID token has another issuer than the old one (Final)
//	refresh.sub           the new ID token is about somebody else (Final)
//	logout_token.missing  the request has no logout token
//	logout_token.iat      it was issued in the future or more than ten minutes ago, or has no iat
//	logout_token.jti      the logout token has no jti, or was accepted before
//	logout_token.events   it has no event of a back-channel logout
//	logout_token.nonce    it has a nonce, as only ID tokens do
//	logout_token.sub      it has neither sub nor sid
//	logout_token.*        form, alg, signature, typ, iss, tid, aud, azp, exp, nbf: as above
//	logout.*              endpoint, return_url, method, origin, end, sid: see the handlers
//	response.*            form, alg, signature, typ, iss, tid, aud, azp, exp, iat, nbf: of a signed authorization response (Forged)
//	response.claim        its code, state or error is not a text (Malformed)
//	introspection.*       question, unauthorized, endpoint (Configuration), form, active (BadAnswer), and of
//	                      a signed answer alg, signature, typ, iss, tid, aud, azp, iat, claim: see Introspect
//	initiate.*            method, form, repeated, iss: see InitiateLoginHandler
//	verify.typ            authcode.Provider.Verify was called for another type of JWT (Configuration)
//	*.verify              authcode.Provider.Verify is nil, and the handler or function needs it (Configuration)
//	*.refused             the app's own authcode.Provider.Verify failed with a foreign error
//
// An endpoint that fails, where * is discovery, jwks, userinfo or introspection:
//
//	*.size                more than 256 KiB, or 1 MiB of keys (BadAnswer)
//	*.missing             status 404 (BadAnswer)
//	*.status              another status than 200 (BadAnswer; Overloaded for 429 and 503)
//	*.redirect            a redirect, which is never followed (BadAnswer)
//	*.unreachable         no answer (Unreachable)
//	*.timeout             no answer in time (Timeout)
//	*.canceled            the caller gave up (Canceled)
//	*.panic               the transport panicked a moment ago (Unreachable)
//
// A URL in the metadata is usable if it is https, or if it is http on loopback and the issuer is too.
//
// Clocks may differ by sixty seconds.
//
// # Signed messages
//
// [authcode.Provider.Verify] opens three more kinds of JWT, with the same care: signed authorization
// responses (JARM), logout tokens, and signed answers about tokens (RFC 9701). Anybody can send the
// first two, so a bad one cannot use up the key fetches that logins need.
//
// # Logout
//
// [LogoutHandler] signs a person out at the provider as well as at the app. The provider tells
// [BackChannelLogoutHandler] that a person has signed out there; [FrontChannelLogoutHandler] is an older
// way to be told. They end the app's own sessions, by a function of the app's. [InitiateLoginHandler] starts a
// login from the provider's portal. All of them are made from an [authcode.Client], and work for every
// provider whose description has what they need.
//
// # Concurrency
//
// What [Provider] returns is safe for concurrent use, and so are the handlers. Loads are shared and outlive
// the request that began them by ten seconds at most; there is no other goroutine.
package oidc
