// Package oidc finds out who signed in: OpenID Connect for package authcode, on
// go-jose.
//
//	client, err := authcode.New(authcode.Config{
//		Provider: oidc.Provider("https://accounts.example"),
//		…
//	})
//
// [Provider] needs only the issuer identifier. The first login loads the
// provider's metadata (OpenID Connect Discovery, RFC 8414) and keys. They are
// cached, separately for each transport: the metadata for an hour, the keys for
// a quarter of an hour. While the provider is down, the old ones are used. A
// URL in the metadata is used if it is https, or if both it and the issuer are
// http on loopback. The result is [authcode.Login.Identity]. The key of a user
// is (Issuer, Subject), never the e-mail address.
//
// # Checks
//
// Every ID token, including one from a refresh, passes all checks of OpenID
// Connect Core section 3.1.3.7. No option turns one off. Clocks may differ by
// sixty seconds. The algorithms are those of [authcode.Provider.Algorithms], or
// else of [authcode.Config.Algorithms]. If both are nil, only RS256 is
// accepted, whatever the provider lists: it signs with RS256 for a client that
// is not registered for another algorithm.
//
// A failure is an [*authcode.Error] with one of these Checks, which are stable.
// Its Reason is in parentheses, or else [authcode.IdentityRefused].
//
//	config.*            issuer, hosted_domain, metadata_url, tenants: a bad
//	                    argument of Provider; config: several; transport: the
//	                    app's own Connection has none that can be compared
//	                    (Configuration)
//	discovery.form      not one JSON object of the right types (BadAnswer)
//	discovery.issuer    not the configured issuer, byte for byte (BadAnswer)
//	discovery.http      an http issuer or metadata, an https app (Configuration)
//	discovery.moved     Provider.Issuer was changed (Configuration)
//	discovery.unused    Provider.Endpoints has a URL that is not used (Configuration)
//	discovery.pkce      PKCE methods are listed without S256 (BadAnswer)
//	discovery.endpoints no usable authorization or token endpoint (BadAnswer)
//	jwks.endpoint       no usable URL of the keys (BadAnswer)
//	jwks.form           not an object with an array of keys (BadAnswer)
//	jwks.key            no key has the JWT's kid and fits its algorithm
//	id_token.missing    the token response has no ID token
//	id_token.form       not a compact signed JWT, too long (128 KiB, or 8 KiB of
//	                    header), or it has a critical header
//	id_token.alg        not admitted; none and HMAC never are
//	id_token.signature  by no key of the provider; at most 32 are tried
//	id_token.typ        that of another kind of JWT
//	id_token.iss        not the configured issuer, or not that of tid and key
//	id_token.tid        no tenant, or one not named by Tenants (NotAdmitted)
//	id_token.aud        not the app, or an audience that is not trusted as well
//	id_token.azp        another client, or several audiences and no azp
//	id_token.exp        expired, or no exp
//	id_token.iat        in the future, or no iat
//	id_token.nbf        not valid yet
//	id_token.sub        no subject, or one that cannot be a key
//	id_token.nonce      not the nonce of this login
//	id_token.auth_time  older than max_age, or no auth_time
//	id_token.at_hash    not the hash of the access token
//	id_token.hd         not a domain of HostedDomain (NotAdmitted)
//	callback.iss        not the issuer of the ID token's tenant (Forged)
//	userinfo.endpoint   no usable endpoint, but UserInfo is used (BadAnswer)
//	userinfo.form       not a JSON object (BadAnswer), or not a JWT
//	userinfo.sub        a subject that is not the ID token's
//	userinfo.*          if signed: alg, signature, iss, tid, aud, azp, exp
//	refresh.*           iss, sub: not those of the old ID token (Final); the
//	                    id_token's iss, sub, aud, azp, nonce and at_hash are
//	                    Final after a refresh, too
//	logout_token.*      as id_token.*, and jti, events, nonce, sub; exp: may
//	                    be missing; iat: also if older than ten minutes;
//	                    method (WrongMethod), form, repeated (Malformed)
//	logout.*            endpoint, return_url, end (Configuration), method
//	                    (WrongMethod), origin (NotNavigation), sid, form,
//	                    repeated (Malformed)
//	response.*          as id_token.*, and jwks.key, of a signed response
//	                    (Forged); claim: not a string (Malformed)
//	introspection.*     question, endpoint, unauthorized (Configuration),
//	                    form, active, time (BadAnswer); if signed: alg,
//	                    signature, typ, iss, tid, aud, azp, iat, claim
//	initiate.*          method (WrongMethod), form, repeated (Malformed),
//	                    iss (Forged)
//	verify.typ          Provider.Verify does not know this typ (Configuration)
//	*.verify            Provider.Verify is nil (Configuration)
//	*.refused           the app's own Provider.Verify returned a foreign error
//
// Loading a document can fail with discovery, jwks, userinfo or introspection
// and: size (more than 256 KiB), missing (status 404),
// redirect, status (BadAnswer, or Overloaded for 429 and 503), unreachable,
// panic (of the transport, Unreachable), timeout, or canceled.
//
// # Other messages
//
// [authcode.Provider.Verify] verifies three more kinds of JWT: signed
// authorization responses (JARM), logout tokens, and signed introspection
// answers (RFC 9701). [LogoutHandler] signs a person out at the provider, too.
// [BackChannelLogoutHandler] and [FrontChannelLogoutHandler] learn that a
// person has signed out there. [InitiateLoginHandler] starts a login for a
// third party. They work with every Client whose Provider has what they need.
//
// # Concurrency
//
// A Provider and all handlers are safe for concurrent use. Loads are shared,
// and outlive the request that began them by at most ten seconds.
package oidc
