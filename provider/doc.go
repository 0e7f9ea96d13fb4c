// Package provider holds presets: functions that return an [authcode.Provider] for a well-known
// service, as data. An app may change any field before it calls [authcode.New], and choose its
// own scopes in [authcode.Config]. It may also put a function of its own around Identity,
// Metadata or Verify. An argument that is not a valid host, base, realm, tenant, region or pool
// makes a Provider that [authcode.New] refuses (Check config.preset); nothing is sent anywhere.
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
// OpenID providers are read by package oidc. The others are asked for the person's profile at
// [authcode.Endpoints.UserInfoURL] with the access token, once per login: at most 256 KiB, no
// redirects, within the login's ten seconds. A refresh asks for no profile. The key of a user is
// (Identity.Issuer, Identity.Subject), where Issuer is the provider's origin, such as
// https://github.com, also if an app changes UserInfoURL: another installation of a provider
// needs an Identity function that sets another Issuer. Subject is the provider's id with all its
// digits, never a name or an address, which change hands.
//
// An e-mail address is in the Identity only together with the provider's own word on whether it
// is verified. Where the provider has an address but does not say whether it is verified, or what
// it says proves nothing, the address is only in Identity.Claims: accounts are taken over by
// taking such an address for the person's own.
//
// # Failures
//
// A login is refused if the profile cannot be loaded, or does not say who it is about. Check is
// one of profile.status, profile.permission (403 or 404: the scopes do not cover the profile),
// profile.redirect, profile.overloaded, profile.unreachable, profile.size, profile.form,
// profile.id, profile.emails and profile.url (Provider.UserInfoURL has been changed to something
// that is not a URL), or, at [LinkedIn], id_token.nonce. Those of OpenID providers are documented
// in package oidc. No error repeats what the provider sent.
//
// # Facts and their sources
//
// Each preset's comment names the document that each fact is from. "unconfirmed:" marks facts for
// which no document of the provider was found. PKCE is always sent; a provider that does not know
// it is assumed to ignore it, as RFC 6749 section 3.1 asks.
//
// A preset with "refresh tokens: always" or "no parameter" needs nothing to get one. Where a
// parameter or scope is needed and harmless, it is in the preset. Where the app's registration
// decides, the comment says so. A preset without RevocationURL is for a provider that has no
// endpoint of RFC 7009.
package provider
