package provider

import (
	"example.com/authcode"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// Amazon is Login with Amazon. There is no e-mail address in the Identity:
// Amazon does not say whether it is verified.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - id and secret in the body or Basic, PKCE recommended, refresh tokens
//     without a parameter:
//     developer.amazon.com/docs/login-with-amazon/authorization-code-grant.html
//   - profile:
//     developer.amazon.com/docs/login-with-amazon/customer-profile.html
//   - unconfirmed: revocation (undocumented)
func Amazon() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "amazon", Title: "Amazon",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Amazon.AuthURL, TokenURL: endpoints.Amazon.TokenURL,
			UserInfoURL: "https://api.amazon.com/user/profile", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"profile"},
	}, profile{
		origin: "https://www.amazon.com", id: "user_id", name: []string{"name"},
	})
}

// Spotify is Spotify. There is no e-mail address in the Identity: Spotify calls
// it unverified.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - Basic, refresh tokens without a parameter:
//     developer.spotify.com/documentation/web-api/tutorials/code-flow
//   - PKCE:
//     developer.spotify.com/documentation/web-api/tutorials/code-pkce-flow, for
//     apps without a secret; together with one:
//     github.com/FormidableLabs/react-native-app-auth/pull/666
//   - profile, "this email address is unverified":
//     developer.spotify.com/documentation/web-api/reference/get-current-users-profile
//   - unconfirmed: revocation (undocumented)
func Spotify() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "spotify", Title: "Spotify",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Spotify.AuthURL, TokenURL: endpoints.Spotify.TokenURL,
			UserInfoURL: "https://api.spotify.com/v1/me", AuthStyle: oauth2.AuthStyleInHeader,
		},
		Scopes: []string{"user-read-private"},
	}, profile{
		origin: "https://accounts.spotify.com", id: "id", name: []string{"display_name"},
	})
}

// Strava is Strava. It has no e-mail addresses for apps.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - id and secret in the body, scopes with commas, refresh tokens without a
//     parameter: developers.strava.com/docs/authentication
//   - profile: developers.strava.com/docs/reference, getLoggedInAthlete
//   - revocation: left out, because /oauth/revoke demands Basic:
//     github.com/stravalib/stravalib/issues/738
//   - https://api-v3.strava.com takes the place of the profile's address; it is
//     there from 4 January 2027 on, and no end of the old one is announced:
//     github.com/stravalib/stravalib/issues/737
//   - unconfirmed: whether the token endpoint also accepts Basic
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Strava() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "strava", Title: "Strava",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Strava.AuthURL, TokenURL: endpoints.Strava.TokenURL,
			UserInfoURL: "https://www.strava.com/api/v3/athlete", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"read"}, ScopeSep: ",",
	}, profile{
		origin: "https://www.strava.com", id: "id",
		name: []string{"firstname lastname", "username"}, picture: "profile",
	})
}

const dropboxAPI = "https://api.dropboxapi.com/2/"

// Dropbox is Dropbox.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - Basic, PKCE, token_access_type=offline for a refresh token, scope
//     account_info.read: developers.dropbox.com/oauth-guide
//   - profile by POST without a body, email_verified:
//     www.dropbox.com/developers/documentation/http/documentation,
//     users/get_current_account
//   - revocation: /2/auth/token/revoke with the access token as bearer and no
//     body, which also ends the refresh token; 401 for a token that is not
//     valid: same place, auth/token/revoke and "Errors by status code"
//   - unconfirmed: PKCE together with a secret
func Dropbox() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "dropbox", Title: "Dropbox", Scopes: []string{"account_info.read"},
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Dropbox.AuthURL, TokenURL: endpoints.Dropbox.TokenURL,
			UserInfoURL:   dropboxAPI + "users/get_current_account",
			RevocationURL: dropboxAPI + "auth/token/revoke", AuthStyle: oauth2.AuthStyleInHeader,
		},
		AuthParams: map[string]string{"token_access_type": "offline"},
		Revocation: authcode.Revocation{Bearer: true, Read: statuses(200, 401)},
	}, profile{origin: "https://www.dropbox.com", method: "POST",
		id: "account_id", name: []string{"name.display_name"},
		picture: "profile_photo_url", email: "email", verified: "email_verified",
	})
}

const (
	notionAPI  = "https://api.notion.com/v1/"
	notionUser = "bot.owner.user." // where the person stands in an integration's profile
)

// Notion is Notion, for public integrations that a person connects. There is no
// e-mail address in the Identity: Notion does not say whether it is verified.
// It has no scopes.
//
//   - endpoints, owner=user, Basic: developers.notion.com/docs/authorization
//   - token answer: developers.notion.com/reference/create-a-token
//   - profile, Notion-Version: developers.notion.com/reference/get-self
//   - refresh tokens: as the integration is set up; no parameter:
//     github.com/makenotion/notion-sdk-js, src/api-endpoints/oauth.ts, where the
//     answer has one or null; unconfirmed: what the setting is
//   - revocation: left out; /v1/oauth/revoke demands the header Notion-Version
//     and JSON: developers.notion.com/reference/revoke-token
//   - a form as token request (the document shows JSON), Notion-Version
//     2022-06-28, the person below bot.owner.user:
//     github.com/nextauthjs/next-auth, packages/core/src/providers/notion.ts
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Notion() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "notion", Title: "Notion",
		Endpoints: authcode.Endpoints{
			AuthURL: notionAPI + "oauth/authorize", TokenURL: notionAPI + "oauth/token",
			UserInfoURL: notionAPI + "users/me", AuthStyle: oauth2.AuthStyleInHeader,
		},
		AuthParams: map[string]string{"owner": "user"},
	}, profile{
		origin: "https://www.notion.so", header: map[string]string{"Notion-Version": "2022-06-28"},
		id: notionUser + "id", name: []string{notionUser + "name"}, picture: notionUser + "avatar_url",
	})
}

// Zoom is Zoom. There is no e-mail address in the Identity: Zoom's "verified"
// is about the account. Revoke takes access tokens: pass
// [authcode.Client.Revoke] a token without its refresh token. Leave
// [authcode.Config.Scopes] empty: Zoom refuses a login that requests any.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - Basic, PKCE, refresh tokens without a parameter, revocation:
//     developers.zoom.us/docs/integrations/oauth
//   - profile: developers.zoom.us/docs/api/users, GET /users/{userId}
//   - scopes: those of the app's registration, and none in the URL:
//     devforum.zoom.us/t/invalid-scope-errors/52654, quoted by
//     github.com/mattermost/mattermost-plugin-zoom/pull/222
//   - unconfirmed: whether "verified" covers the address
func Zoom() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "zoom", Title: "Zoom",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Zoom.AuthURL, TokenURL: endpoints.Zoom.TokenURL,
			UserInfoURL:   "https://api.zoom.us/v2/users/me",
			RevocationURL: "https://zoom.us/oauth/revoke", AuthStyle: oauth2.AuthStyleInHeader,
		},
	}, profile{
		origin: "https://zoom.us", id: "id",
		name: []string{"display_name", "first_name last_name"}, picture: "pic_url",
	})
}
