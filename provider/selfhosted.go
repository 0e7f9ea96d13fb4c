package provider

import (
	"strings"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// GitHubEnterprise is the GitHub Enterprise Server at base, such as
// https://git.example, its host in lower case. base is Identity.Issuer. It is
// not for GHE.com, whose API has a host of its own.
//
// There is no e-mail address in the Identity: what "verified" proves depends on
// the server's administrator.
//
//   - endpoints, id and secret in the body, scopes answered with commas:
//     docs.github.com/enterprise-server/apps/oauth-apps/building-oauth-apps,
//     "Authorizing OAuth apps", which has http(s)://[hostname]/login/oauth/
//   - profile at /api/v3/user: docs.github.com/enterprise-server/rest, and
//     github.com/lucia-auth/lucia/issues/1282
//   - revocation below /api/v3:
//     docs.github.com/enterprise-server/rest/apps/oauth-applications
//   - refusals:
//     docs.github.com/enterprise-server/apps/oauth-apps/maintaining-oauth-apps,
//     "Troubleshooting OAuth app access token request errors"
//   - refresh tokens: only GitHub Apps with expiring tokens; no parameter:
//     github.com/github/docs,
//     content/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens.md
//   - unconfirmed: status 200 for refusals, the answers to revocation (as at
//     GitHub)
//   - unconfirmed: PKCE, issuer and iss in the versions that are in use. If iss
//     comes, it must have base's origin
//   - unconfirmed: how an address is verified where there is no outgoing mail
func GitHubEnterprise(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	return checked(withProfile(authcode.Provider{
		Name: "githubenterprise", Title: "GitHub Enterprise", Scopes: []string{"read:user"},
		Endpoints: authcode.Endpoints{
			AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token",
			UserInfoURL: base + "/api/v3/user", AuthStyle: oauth2.AuthStyleInParams,
			RevocationURL: base + "/api/v3/applications/{client_id}/token",
		},
		Revocation: githubRevocation(), OneGrant: true, EndsGrant: []string{"bad_refresh_token"},
	}, profile{
		origin: base, id: "id", name: []string{"name", "login"}, picture: "avatar_url",
	}), unless(isBase(base), "GitHubEnterprise"+wantBase))
}

// BitbucketDataCenter is the Bitbucket Data Center at base, such as
// https://example.com/bitbucket, its host in lower case. base is
// Identity.Issuer. There is no e-mail address in the Identity: the API does not
// say whether it is verified.
//
//   - endpoint for authorization, PKCE:
//     confluence.atlassian.com, "Bitbucket OAuth 2.0 provider API"
//   - unconfirmed: the token endpoint, id and secret in the body, the scope
//     PUBLIC_REPOS as the least one, refresh tokens without a parameter (as
//     other clients have it)
//   - unconfirmed: /plugins/servlet/applinks/whoami for the person's name, and
//     /rest/api/latest/users/{name} for the id (undocumented for this purpose;
//     other clients use both)
//   - unconfirmed: people whose name differs from their slug; they are refused
//   - unconfirmed: revocation, which is left out
func BitbucketDataCenter(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	return checked(withProfile(authcode.Provider{
		Name: "bitbucketdatacenter", Title: "Bitbucket", Scopes: []string{"PUBLIC_REPOS"},
		Endpoints: authcode.Endpoints{
			AuthURL:  base + "/rest/oauth2/latest/authorize",
			TokenURL: base + "/rest/oauth2/latest/token", AuthStyle: oauth2.AuthStyleInParams,
			UserInfoURL: base + "/rest/api/latest/users",
		},
	}, profile{
		origin: base, id: "id", name: []string{"displayName", "name"},
		whoami: "../../../../plugins/servlet/applinks/whoami",
	}), unless(isBase(base), "BitbucketDataCenter"+wantBase))
}

// Mattermost is the Mattermost server at base, such as https://chat.example,
// its host in lower case. base is Identity.Issuer. It has no scopes: an access
// token may do all that the person may. There is no e-mail address in the
// Identity: what email_verified proves depends on the server's settings.
//
//   - OAuth 2.0 applications, client_secret_post, refresh tokens for
//     confidential clients:
//     developers.mattermost.com/integrate/apps/authentication/oauth2
//   - endpoints, PKCE, refusals without the member error:
//     github.com/mattermost/mattermost, server/channels/web/oauth.go
//   - unconfirmed: the profile at /api/v4/users/me and its members (as other
//     clients have it)
//   - unconfirmed: what email_verified says of people from LDAP or SAML
//   - revocation: none of RFC 7009; /oauth/deauthorize takes no token, but an
//     app's id: github.com/mattermost/mattermost, server/channels/web/oauth.go
func Mattermost(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	return checked(withProfile(authcode.Provider{
		Name: "mattermost", Title: "Mattermost",
		Endpoints: authcode.Endpoints{
			AuthURL: base + "/oauth/authorize", TokenURL: base + "/oauth/access_token",
			UserInfoURL: base + "/api/v4/users/me", AuthStyle: oauth2.AuthStyleInParams,
		},
	}, profile{
		origin: base, id: "id", name: []string{"first_name last_name", "nickname", "username"},
	}), unless(isBase(base), "Mattermost"+wantBase))
}

// Nextcloud is the Nextcloud at base, such as https://cloud.example, its host
// in lower case. base is Identity.Issuer. It has no scopes: an access token may
// do all that the person may. The user's id is the one that an administrator
// chose for the account: see to it that the id of a deleted account is not
// given out again. There is no e-mail address in the Identity: the API does not
// say whether it is verified.
//
//   - endpoints with index.php, which always work, confidential clients alone:
//     docs.nextcloud.com/server/latest/admin_manual/configuration_server/oauth2.html,
//     which advises against it as a sign-in service, as tokens have no scopes
//   - id and secret in the body (Basic is read without decoding), PKCE S256,
//     refresh tokens that rotate, refusals:
//     github.com/nextcloud/server,
//     apps/oauth2/lib/Controller/OauthApiController.php
//   - the header OCS-APIRequest: same manual, "User provisioning API"
//   - unconfirmed: /ocs/v2.php/cloud/user for the person of the token, and its
//     members id and displayname (as other clients have it)
//   - revocation: no route for it: github.com/nextcloud/server,
//     apps/oauth2/appinfo/routes.php
func Nextcloud(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	return checked(withProfile(authcode.Provider{
		Name: "nextcloud", Title: "Nextcloud",
		Endpoints: authcode.Endpoints{
			AuthURL:  base + "/index.php/apps/oauth2/authorize",
			TokenURL: base + "/index.php/apps/oauth2/api/v1/token", AuthStyle: oauth2.AuthStyleInParams,
			UserInfoURL: base + "/ocs/v2.php/cloud/user?format=json",
		},
	}, profile{
		origin: base, header: map[string]string{"OCS-APIRequest": "true"},
		id: "ocs.data.id", name: []string{"ocs.data.displayname", "ocs.data.display-name"},
	}), unless(isBase(base), "Nextcloud"+wantBase))
}
