package oidc

// checkTexts says for each Check what is wrong and what to do. "*" stands for
// the subject, "@" for the setting that has its URL.
var checkTexts = map[string]string{
	// authcode.New lists these without their Check, so each one names the
	// function whose argument is wrong.
	"config.issuer": "oidc.Provider: the issuer must be an absolute https URL without a query, " +
		"such as https://id.example (http only on loopback)",
	"config.well_known": "oidc.Provider was given the URL of a metadata document: give it the " +
		"issuer, which is the member issuer of that document",
	"config.hosted_domain": "oidc.HostedDomain needs bare domains, one per argument, such as " +
		"example.com",
	"config.metadata_url": "oidc.MetadataURL must be an absolute https URL (http only on " +
		"loopback); an issuer with {tenantid} needs one",
	"config.hs256": "oidc.HS256 needs the client secret, of 32 bytes or more and without white " +
		"space at its ends: ask the provider for a longer one, or register the client for RS256",
	"config.algorithms": "oidc.HS256 was used, and Provider.Algorithms is no longer HS256 alone: " +
		"leave it as oidc.Provider sets it, or remove the option",
	"config.transport": "Connection.Transport is nil or cannot be compared: set a pointer, or " +
		"leave it as the Client has made it",
	"config.tenants": "oidc.Tenants needs at least one tenant id: give each one's GUID, not its " +
		"domain",

	"discovery.form": "the metadata is not one JSON object with members of the right types: " +
		"check the issuer and oidc.MetadataURL, or report it to the provider",
	"discovery.issuer": "the metadata and oidc.Provider name different issuers: copy the issuer " +
		"from the metadata if it is the right one, byte for byte, with its final slash",
	"discovery.missing": "the metadata was not found (404): give oidc.Provider the issuer " +
		"alone, without /.well-known/ and what follows, or use oidc.MetadataURL",
	"discovery.http": "the issuer or its metadata must be https: http on loopback is for an " +
		"app that has its Config.RedirectURL there, too (a worker sets that app's RedirectURL and " +
		"CookieKeys)",
	"discovery.moved": "Provider.Issuer was changed after oidc.Provider was called with another " +
		"one: call oidc.Provider, or the preset, with the issuer that is meant",
	"discovery.unused": "Provider.Endpoints has a URL, but the metadata has them all: remove the " +
		"URL, or set Provider.Metadata to nil and fill in Endpoints and Algorithms",
	"discovery.pkce": "the provider lists PKCE methods without S256: enable S256 at the " +
		"provider (plain protects nothing)",
	"discovery.endpoints": "the metadata has no usable authorization_endpoint or " +
		"token_endpoint: report it to the provider, or set Provider.Metadata to nil and fill in " +
		"Endpoints and Algorithms",

	"jwks.form": "the JWKS is not a JSON object with an array of keys: check the URL, or report " +
		"it to the provider",
	"jwks.endpoint": "the metadata has no usable jwks_uri, so nothing that the provider signs can " +
		"be verified: report it to the provider, or set JWKSURL in a function around " +
		"Provider.Metadata; if the app only needs tokens, set Provider.Identity to nil",
	"jwks.key": "no key of the provider has the kid of the JWT and fits its algorithm: if every " +
		"login fails, check that the JWKS is that of this provider and has its current keys",

	// A person who was slow, or went back in the browser, causes some of these.
	// So the first advice is to sign in again.
	"id_token.missing": "the token response has no ID token: add the scope openid",
	"id_token.nonce": "the ID token belongs to another login, because its nonce is not the one " +
		"that was sent: sign in again; if every login fails, report it to the provider",
	"id_token.auth_time": "max_age was sent, but the sign-in is older or has no auth_time: sign " +
		"in again; if every login fails, the provider ignores max_age",
	"id_token.at_hash": "the ID token belongs to another access token: sign in again; if every " +
		"login fails, report it to the provider",
	"id_token.sub": "the ID token has no usable sub, which has 1 to 255 bytes and no control " +
		"characters or spaces at its ends: report it to the provider",
	"id_token.hd": "the account belongs to none of the domains of oidc.HostedDomain: sign in " +
		"with another account, or add its domain",
	"callback.iss": "the callback and the ID token name different issuers: sign in again; if it " +
		"repeats, report it to the provider",
	"refresh.iss": "the new and the previous ID token have different issuers: sign in again",
	"refresh.sub": "the new and the previous ID token are about different people: sign in again",

	"userinfo.endpoint": "the userinfo_endpoint of the metadata is not usable, or has " +
		"disappeared: report it to the provider, set UserInfoURL in a function around " +
		"Provider.Metadata, or remove oidc.UserInfo",
	"userinfo.form": "the userinfo answer is neither a JSON object nor a signed JWT: check the " +
		"URL; if the provider encrypts the answer, turn that off in the app's registration",
	"userinfo.sub": "the userinfo answer and the ID token are about different people: report it " +
		"to the provider",
	"userinfo.status": "the userinfo endpoint did not answer with 200: see whether the provider " +
		"is down, whether the app requests the scopes that the endpoint needs, and, if tokens are " +
		"bound by Config.Binding, whether the endpoint supports that",

	// Anybody can post to a logout handler. A text must not send an operator to
	// the provider because of a stranger's request.
	"logout_token.missing": "the request has no logout_token: register this URL as " +
		"backchannel_logout_uri, and ignore requests that do not come from the provider",
	"logout_token.form": "the request is not a form with a signed JWT as logout_token: if the " +
		"provider encrypts it, turn that off in the app's registration",
	"logout_token.iat": "the logout token was issued in the future or more than ten minutes " +
		"ago, or has no iat: compare this host's clock with the provider's",
	"logout_token.jti": "the logout token has no jti, or was sent before: nothing to do if the " +
		"provider repeats a logout; otherwise report it to the provider",
	"logout_token.method": "a logout token must come by POST: register this URL as " +
		"backchannel_logout_uri, not as frontchannel_logout_uri",
	"logout_token.events": "the logout token has no back-channel logout event: report it to the " +
		"provider",
	"logout_token.nonce": "the logout token has a nonce, as only ID tokens have: report it to " +
		"the provider if the provider sent it",
	"logout_token.sub": "the logout token has neither sub nor sid, or one that is not a string: " +
		"report it to the provider",

	"logout.form": "the parameters of the logout request are malformed or too large: report it " +
		"to the provider if the provider sent them",
	"logout.endpoint": "there is no logout endpoint, because the metadata has no usable " +
		"end_session_endpoint: set EndSessionURL in a function around Provider.Metadata",
	"logout.return_url": "Logout.ReturnURL must be an absolute https URL (http only on loopback)",
	"logout.method":     "a logout needs a POST: use a form with method=\"post\" instead of a link",
	"logout.origin": "a page of another site asked for the logout: send the POST from a page of " +
		"the app's own origin",
	"logout.end": "the app's function that ends sessions returned an error: see the app's own log",
	"logout.sid": "the front-channel logout is not a GET with sid and this provider's iss: set " +
		"frontchannel_logout_session_required in the app's registration",

	"initiate.form": "the parameters of the request to initiate a login are malformed or too " +
		"large: check what the third party sends",
	"initiate.method": "a login is initiated by GET or POST: check what the third party sends",
	"initiate.iss": "iss is not this provider's issuer: register this initiate_login_uri only " +
		"with the provider of this Client",

	"introspection.form": "the introspection answer is not a JSON object or a signed JWT: check " +
		"the URL, or report it to the provider",
	"introspection.endpoint": "there is no introspection endpoint, because the metadata has no " +
		"usable introspection_endpoint: set IntrospectionURL in a function around " +
		"Provider.Metadata",
	"introspection.question": "Introspect was called without a token: pass the one to ask about",
	"introspection.unauthorized": "the provider does not accept the client authentication " +
		"(401): check Config.ClientID and Config.ClientAuth, and whether this client may " +
		"introspect tokens",
	"introspection.typ": "the introspection answer is not a JWT of the type " +
		"token-introspection+jwt: use oidc.Introspect if the provider does not support RFC 9701",
	"introspection.claim": "the introspection answer's JWT has no token_introspection object: " +
		"report it to the provider",
	"introspection.active": "the introspection answer does not say whether the token is active: " +
		"check that the URL is that of the introspection endpoint",
	"introspection.time": "the introspection answer has an exp or nbf that is not a number: report " +
		"it to the provider",
	"response.claim": "the signed authorization response has a code, state or error that is not " +
		"a string: report it to the provider",
	"verify.typ": "Provider.Verify was called with an unknown typ: use logout+jwt, " +
		"oauth-authz-resp+jwt or token-introspection+jwt",

	// These hold for several subjects, so they name no claim or URL of one.
	"*.form": "* is not a signed JWT in compact form, or has a critical header: if the provider " +
		"encrypts it, turn that off in the app's registration",
	"*.repeated": "a parameter of * is repeated: report it to its sender, which must send each " +
		"one once",
	"*.alg": "* cannot be verified, because Provider.Algorithms has none that package oidc " +
		"supports: list RS256, PS256, ES256 or EdDSA",
	"*.hmac": "* is signed, but oidc.HS256 verifies only ID tokens and logout tokens: register " +
		"the client without a signature for this, or for RS256 and remove the option",
	"*.secret": "* was not signed with the secret of oidc.HS256: check that it is the client " +
		"secret; if it is, somebody may have forged it",
	"*.signature": "* was not signed by any of the provider's keys: check that the " +
		"JWKS is that of this provider; if it is, somebody may have forged it",
	"*.typ": "the typ of * is that of another kind of JWT: report it to the provider",
	"*.iss": "* has another issuer: give oidc.Provider the issuer that the provider's tokens name",
	"*.tid": "* names no tenant, or one that is not admitted: add the tenant to oidc.Tenants, " +
		"if its people may sign in",
	"*.aud": "* is meant for another client, or for others as well: check Config.ClientID, or " +
		"use oidc.TrustAudiences",
	"*.azp": "* was issued to another client, or has several audiences and no azp: check " +
		"Config.ClientID; if it is right, have the provider name the app in azp",
	"*.exp": "* has expired or has no exp: compare this host's clock with the provider's",
	"*.iat": "* was issued in the future, is too old or has no iat: compare this host's clock " +
		"with the provider's",
	"*.nbf":  "* is not valid yet: compare this host's clock with the provider's",
	"*.size": "* is larger than 256 KiB: check the URL, or set @",
	"*.missing": "* was not found (404): report to the provider that its metadata has a wrong " +
		"URL, or set @",
	"*.status": "* did not come with status 200: see whether the provider is down; if it is " +
		"not, check the URL, or set @",
	"*.redirect": "* is behind a redirect, which is never followed: set @ to the final URL",
	// No colon at the end: words about the network error follow, such as ": the
	// host name could not be resolved".
	"*.unreachable": "* could not be loaded (check DNS, firewall, proxy and Config.Transport)",
	"*.timeout": "* did not arrive in time: see whether the provider is slow, and check the " +
		"network",
	"*.canceled": "the caller gave up while * was being loaded: nothing to do, unless its " +
		"own timeout is too short",
	"*.panic": "the transport panicked while * was being loaded: see the server's log for the " +
		"panic, and correct Config.Wrap",
	"*.endpoint": "the URL of * is not usable: set @",
	"*.verify": "* cannot be verified, because Provider.Verify is nil: use oidc.Provider, or " +
		"set Verify",
	"*.refused": "Provider.Verify refused * with an error that is not an *authcode.Error: make " +
		"it with authcode.NewError, so that it says why",
}
