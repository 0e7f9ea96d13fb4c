// Package provider holds presets: functions that return an [authcode.Provider]
// for a well-known service, as data. An app may change any field before it
// calls [authcode.New], and choose its own scopes in [authcode.Config]. It may
// also put a function of its own around Identity, Metadata or Verify. If an
// argument is not a valid host, base, realm, tenant, region, pool or shop,
// [authcode.New] refuses the Provider (Check config.preset).
//
//	client, err := authcode.New(authcode.Config{
//		Provider:    provider.GitHub(),
//		ClientID:    os.Getenv("GITHUB_CLIENT_ID"),
//		ClientAuth:  authcode.Secret(os.Getenv("GITHUB_CLIENT_SECRET")),
//		RedirectURL: "https://app.example/auth/github/callback",
//		CookieKeys:  [][]byte{key},
//		LoginURL:    "/auth/github",
//	})
//
// # Who signed in
//
// At OpenID providers, package oidc reads the ID token. At the others, the
// preset asks for the person's profile at [authcode.Endpoints.UserInfoURL] with
// the access token, once per login: at most 256 KiB, no redirects, within the
// login's ten seconds. A refresh asks for no profile. Where the token answer
// already says who it is for, there is no such request.
//
// The key of a user is (Identity.Issuer, Identity.Subject). Issuer is the
// provider's origin, such as https://github.com, or the base of a preset that
// has one. If an app moves all URLs of a preset to another server, such as that
// of a test, Issuer is the origin of its TokenURL. If it moves only some,
// [authcode.New] refuses them: see Origins of [authcode.Provider]. Subject is
// the provider's id with all its digits, at most 255 ASCII characters. It is never a name or an
// address, because these can pass to another person.
//
// An app may take an e-mail address for the person's own only if EmailVerified
// is true. Otherwise an attacker could type in the address of a victim and take
// over the victim's account. The Identity of an OpenID provider has any address
// that the provider sends, and EmailVerified is true only if the provider says
// so. Microsoft's presets and those without OpenID leave the address in
// Identity.Claims if the provider does not say whether it is verified, or if
// its word proves nothing.
//
// # Failures
//
// A login is refused if the profile cannot be loaded, or does not say who it is
// about. The Check is one of these, which are stable:
//
//	profile.url          Provider.UserInfoURL is not a URL
//	profile.unreachable  there was no answer
//	profile.overloaded   429 or 503: the provider asks to wait
//	profile.permission   403 or 404: the scopes do not cover the profile
//	profile.redirect     a redirect, which is not followed
//	profile.status       a status that is not 200
//	profile.size         more than 256 KiB
//	profile.form         not one JSON object
//	profile.id           no usable user id
//	profile.emails       the list of e-mail addresses is malformed
//	callback.hmac        at Shopify: the callback is not signed with the secret
//	callback.device_id   at VK: the callback has no device_id
//	id_token.nonce       at LinkedIn: the ID token belongs to another login
//	id_token.team        at Slack: the ID token names no team
//	client_auth.apple    at Apple: the client secret could not be signed
//
// The Checks of OpenID providers are documented in package oidc. No error
// repeats what the provider sent.
//
// # Facts and their sources
//
// The comment of each preset names the source of each fact: a document of the
// provider, its code, or the code or an issue of a project that works with it.
// "unconfirmed:" marks facts for which none was found. PKCE is always sent. A
// provider that does not know PKCE is assumed to ignore it, as RFC 6749 section
// 3.1 demands.
//
// "refresh tokens: always" and "no parameter" mean that the app gets a refresh
// token without asking for it. Where a parameter or a scope is needed and
// harmless, it is in the preset. Where the app's registration decides, the
// comment says so. A preset without RevocationURL is for a provider that has no
// endpoint as in RFC 7009.
package provider
