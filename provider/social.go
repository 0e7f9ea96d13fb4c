package provider

import (
	"example.com/authcode"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// Facebook is Facebook Login by the Graph API. There is no e-mail address in
// the Identity: the API does not say whether it is verified. The id belongs to
// the app: another app sees another one.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - id and secret as parameters, scopes with commas:
//     developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
//   - PKCE S256:
//     developers.facebook.com/docs/facebook-login/guides/advanced/oidc-token,
//     for logins with an ID token; unconfirmed for others
//   - profile fields: developers.facebook.com/docs/graph-api/reference/user
//   - refusals are objects, error.code:
//     developers.facebook.com/docs/graph-api/guides/error-handling
//   - refresh tokens: none; a token lasts for hours, and can be exchanged for
//     one of about 60 days:
//     developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
//   - unconfirmed: revocation, which is left out, because DELETE /me/permissions
//     removes the app from the account
//     (developers.facebook.com/docs/graph-api/reference/user/permissions has it
//     for one permission)
//   - unconfirmed: the access token as bearer header (other clients send it so)
//   - unconfirmed: "#_=_" at the end of the callback's URL (browsers of many apps show it)
func Facebook() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "facebook", Title: "Facebook",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Facebook.AuthURL, TokenURL: endpoints.Facebook.TokenURL,
			UserInfoURL: "https://graph.facebook.com/me?fields=id,name,email,picture",
			AuthStyle:   oauth2.AuthStyleInParams,
		},
		Scopes: []string{"public_profile", "email"}, ScopeSep: ",", AddsFragment: true,
	}, profile{
		origin: "https://www.facebook.com", id: "id", name: []string{"name"},
		picture: "picture.data.url",
	})
}

// X is X, once Twitter. There is no e-mail address in the Identity:
// confirmed_email needs the scope users.email and a permission of the app.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - Basic, PKCE, offline.access for a refresh token, /2/oauth2/revoke:
//     docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token
//   - unconfirmed: invalid_request for a refresh token that has ended
//   - profile, and users.read only together with tweet.read:
//     docs.x.com/x-api/users/get-my-user
func X() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "x", Title: "X",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.X.AuthURL, TokenURL: endpoints.X.TokenURL,
			UserInfoURL:   "https://api.x.com/2/users/me?user.fields=profile_image_url",
			RevocationURL: "https://api.x.com/2/oauth2/revoke", AuthStyle: oauth2.AuthStyleInHeader,
		},
		Scopes:    []string{"users.read", "tweet.read", "offline.access"},
		EndsGrant: []string{"invalid_request"},
	}, profile{
		origin: "https://x.com", id: "data.id", name: []string{"data.name", "data.username"},
		picture: "data.profile_image_url",
	})
}

// Reddit is reddit.com. It has no e-mail addresses for apps. Reddit asks each
// app for a User-Agent of its own: [authcode.Config.Wrap] can set it on all
// requests.
//
//   - endpoints, Basic, duration=permanent for a refresh token, scope identity,
//     revocation: github.com/reddit-archive/reddit/wiki/OAuth2
//   - profile: www.reddit.com/dev/api, /api/v1/me
//   - unconfirmed: refusals with status 200, which the root package reads
//     either way
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Reddit() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "reddit", Title: "Reddit",
		Endpoints: authcode.Endpoints{
			AuthURL:       "https://www.reddit.com/api/v1/authorize",
			TokenURL:      "https://www.reddit.com/api/v1/access_token",
			UserInfoURL:   "https://oauth.reddit.com/api/v1/me",
			RevocationURL: "https://www.reddit.com/api/v1/revoke_token", AuthStyle: oauth2.AuthStyleInHeader,
		},
		Scopes: []string{"identity"}, AuthParams: map[string]string{"duration": "permanent"},
	}, profile{
		origin: "https://www.reddit.com", id: "id", name: []string{"name"}, picture: "snoovatar_img",
	})
}

const tiktokAPI = "https://open.tiktokapis.com/v2/"

// TikTok is TikTok Login Kit for the web. It has no e-mail addresses. The id
// belongs to the app: another app of the same developer sees another one.
// Revoke takes access tokens only: pass [authcode.Client.Revoke] a token
// without its refresh token.
//
//   - endpoints, client_key, scopes with commas:
//     developers.tiktok.com/doc/login-kit-web
//   - token request and answer, revocation:
//     developers.tiktok.com/doc/oauth-user-access-token-management
//   - refusals: developers.tiktok.com/doc/oauth-error-handling
//   - profile: developers.tiktok.com/doc/tiktok-api-v2-get-user-info
//   - refresh tokens: always; no parameter:
//     developers.tiktok.com/doc/oauth-user-access-token-management
//   - unconfirmed: PKCE for the web (documented for mobile and desktop apps
//     only, with a challenge in hexadecimal for the latter; other clients send
//     RFC 7636's)
func TikTok() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "tiktok", Title: "TikTok", ClientIDParam: "client_key",
		Endpoints: authcode.Endpoints{
			AuthURL: "https://www.tiktok.com/v2/auth/authorize/", TokenURL: tiktokAPI + "oauth/token/",
			UserInfoURL:   tiktokAPI + "user/info/?fields=open_id,union_id,avatar_url,display_name",
			RevocationURL: tiktokAPI + "oauth/revoke/", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"user.info.basic"}, ScopeSep: ",",
	}, profile{
		origin: "https://www.tiktok.com", id: "data.user.open_id",
		name: []string{"data.user.display_name"}, picture: "data.user.avatar_url",
	})
}

const discordAvatar = "https://cdn.discordapp.com/avatars/{id}/{avatar}.png"

// Discord is Discord.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - issuer, iss promised, PKCE S256, Basic, revocation:
//     discord.com/.well-known/oauth-authorization-server
//   - scopes identify and email, refresh tokens without a parameter:
//     discord.com/developers/docs/topics/oauth2
//   - profile, verified for the address:
//     discord.com/developers/docs/resources/user
//   - picture: discord.com/developers/docs/reference, "Image Formatting"
func Discord() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "discord", Title: "Discord", Issuer: "https://discord.com",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Discord.AuthURL, TokenURL: endpoints.Discord.TokenURL,
			UserInfoURL: "https://discord.com/api/users/@me", AuthStyle: oauth2.AuthStyleInHeader,
			RevocationURL: "https://discord.com/api/oauth2/token/revoke", RequireIss: true,
		},
		Scopes: []string{"identify", "email"},
	}, profile{
		origin: "https://discord.com", id: "id", name: []string{"global_name", "username"},
		picture: discordAvatar, email: "email", verified: "verified",
	})
}
