package provider

import (
	"example.com/authcode"
	"golang.org/x/oauth2"
)

const figmaAPI = "https://api.figma.com/v1/"

// Figma is Figma. There is no e-mail address in the Identity: Figma does not
// say whether it is verified.
//
//   - endpoints, Basic, scope current_user:read, refresh tokens without a
//     parameter, access tokens for 90 days:
//     developers.figma.com/docs/rest-api/authentication, and for TokenURL
//     community.auth0.com/t/figma-tokenurl-migration/182728
//   - profile: developers.figma.com/docs/rest-api, GET /v1/me
//   - unconfirmed: a refresh at TokenURL, as other clients do it
//     (github.com/better-auth/better-auth,
//     packages/core/src/social-providers/figma.ts; the document has
//     /v1/oauth/refresh, which keeps the refresh token)
//   - unconfirmed: PKCE (the same client sends it), the separator of several
//     scopes, revocation (undocumented)
func Figma() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "figma", Title: "Figma", Scopes: []string{"current_user:read"},
		Endpoints: authcode.Endpoints{
			AuthURL: "https://www.figma.com/oauth", TokenURL: figmaAPI + "oauth/token",
			UserInfoURL: figmaAPI + "me", AuthStyle: oauth2.AuthStyleInHeader,
		},
	}, profile{
		origin: "https://www.figma.com", id: "id", name: []string{"handle"}, picture: "img_url",
	})
}

// HubSpot is HubSpot, for apps that a person installs into an account.
// Identity.Subject is the id of that account, a slash and the id of the user,
// such as 62515/123456: a person of two accounts is two users. Both are in the
// token answer, so there is no further request, no name and no e-mail address.
//
//   - AuthURL: developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide
//   - TokenURL, id and secret in the body, PKCE, refresh tokens without a
//     parameter, hub_id and user_id in the answer:
//     developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens
//   - access tokens last for 30 minutes: first page
//   - scopes with spaces, oauth as the least one:
//     developers.hubspot.com/docs/methods/oauth2/oauth2-quickstart; unconfirmed:
//     that apps of each kind need it
//   - unconfirmed: whether a user's id is unique without that of the account
//   - unconfirmed: revocation of RFC 7009, so it is left out
func HubSpot() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "hubspot", Title: "HubSpot", Scopes: []string{"oauth"},
		Endpoints: authcode.Endpoints{
			AuthURL:  "https://app.hubspot.com/oauth/authorize",
			TokenURL: "https://api.hubapi.com/oauth/v3/token", AuthStyle: oauth2.AuthStyleInParams,
		},
	}, profile{
		origin: "https://app.hubspot.com", answer: []string{"hub_id", "user_id"},
		team: "hub_id", id: "user_id",
	})
}

// QuickBooks is Intuit, for QuickBooks Online. Add the scope
// com.intuit.quickbooks.accounting to call its API. The callback then names the
// company as realmId. Anybody can write that parameter, so first call the API
// for that company with the login's token.
//
// The person is read from userinfo. Its members are not those of OpenID
// Connect, and Intuit does not document a nonce in ID tokens; one that is there
// is compared.
//
//   - endpoints, RS256, Basic or body, revocation:
//     developer.intuit.com/.well-known/openid-sandbox-configuration (AuthURL and
//     TokenURL are those of production, too)
//   - scopes, issuer of ID tokens: developer.intuit.com, "Add OpenID Connect to
//     OAuth 2.0"
//   - UserInfoURL of production, refresh tokens without a parameter:
//     github.com/intuit/oauth-jsclient, src/OAuthClient.js
//   - unconfirmed: the members of userinfo (emailVerified; other clients have
//     them so), a form as revocation request (other clients send one)
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func QuickBooks() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "quickbooks", Title: "QuickBooks", Scopes: []string{"openid", "profile", "email"},
		Endpoints: authcode.Endpoints{
			AuthURL:       "https://appcenter.intuit.com/connect/oauth2",
			TokenURL:      "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
			RevocationURL: "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
			UserInfoURL:   "https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
			AuthStyle:     oauth2.AuthStyleInHeader,
		},
	}, profile{
		origin: "https://oauth.platform.intuit.com/op/v1", id: "sub", nonce: true,
		name: []string{"givenName familyName"}, email: "email", verified: "emailVerified",
	})
}

const linearAPI = "https://api.linear.app/"

// Linear is Linear. There is no e-mail address in the Identity: Linear does not
// say whether it is verified. A person of two workspaces is two users.
//
//   - endpoints, id and secret in the body, PKCE S256, scope read with commas,
//     refresh tokens without a parameter, which rotate, access tokens for a day,
//     a query as POST with the token as bearer, revocation with the access token
//     as bearer: 200, and 401 for a token that is not valid:
//     linear.app/developers/oauth-2-0-authentication
//   - the members of viewer: linear.app/developers/graphql
//   - unconfirmed: the error of a wrong code
func Linear() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "linear", Title: "Linear", Scopes: []string{"read"}, ScopeSep: ",",
		Endpoints: authcode.Endpoints{
			AuthURL: "https://linear.app/oauth/authorize", TokenURL: linearAPI + "oauth/token",
			UserInfoURL: linearAPI + "graphql", RevocationURL: linearAPI + "oauth/revoke",
			AuthStyle: oauth2.AuthStyleInParams,
		},
		Revocation: authcode.Revocation{Bearer: true, Read: statuses(200, 401)},
	}, profile{
		origin: "https://linear.app", method: "POST", json: `{"query":"{viewer{id name avatarUrl}}"}`,
		id: "data.viewer.id", name: []string{"data.viewer.name"}, picture: "data.viewer.avatarUrl",
	})
}
