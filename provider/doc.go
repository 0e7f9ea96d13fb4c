// Package provider holds presets: functions that return an [authcode.Provider] for a well-known
// service, as data. An app may change any field before it calls [authcode.New], and choose its
// own scopes in [authcode.Config]. An argument that is no host, base, realm, tenant or pool makes a
// Provider that [authcode.New] refuses, with the reason; nothing is sent anywhere.
//
//	client, err := authcode.New(authcode.Config{
//		Provider:    provider.GitHub(),
//		ClientID:    os.Getenv("GITHUB_CLIENT_ID"),
//		ClientAuth:  authcode.Secret(os.Getenv("GITHUB_CLIENT_SECRET")),
//		RedirectURL: "https://app.example/auth/github/callback",
//		CookieKeys:  [][]byte{key},
//	})
//
// # Who signed in
//
// OpenID providers are read by package oidc. For the others the provider is asked for the person's
// profile with the access token, once per login: at most 256 KiB, no redirects, within the login's ten
// seconds. The key of a user is (Identity.Issuer, Identity.Subject), where Issuer is the provider's
// origin, such as https://github.com. Subject is the provider's id with all its digits,
// never a name or an address, which change hands.
//
// An e-mail address is in the Identity only together with the provider's own word on whether it is
// verified. Where the provider has an address but says nothing of it, or what it says proves nothing, it
// stands in Identity.Claims alone: to take it for the person's own is how accounts are taken over.
//
// # Failures
//
// A profile that cannot be had, or says not who it is about, refuses the login. Check is one of
// profile.status, profile.permission (403 or 404: the scopes do not cover the profile), profile.redirect,
// profile.overloaded, profile.unreachable, profile.size, profile.form, profile.id and profile.emails, or, at
// [LinkedIn], id_token.nonce; those of OpenID providers are package oidc's. What the provider sent is in no error.
//
// # Facts and their sources
//
// Each preset's comment names the document that each fact is from. "unconfirmed:" marks what no
// document of the provider's was found for. PKCE is sent always; a provider that does not know
// it is taken to ignore it, as RFC 6749 section 3.1 asks.
//
// A preset with "refresh tokens: always" or "no parameter" needs nothing to get one. Where a
// parameter or scope is needed and harmless, it is in the preset; where the app's registration
// decides, the comment says so. Without RevocationURL, the provider has no endpoint of RFC 7009.
package provider
