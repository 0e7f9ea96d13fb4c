package provider

import (
	"strings"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// GitHub is github.com, for OAuth apps and GitHub Apps. The e-mail address is
// the primary one of /user/emails, with its own verified flag; without the
// scope user:email there is none.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - issuer, iss promised, PKCE S256:
//     github.com/.well-known/oauth-authorization-server/login/oauth, named by
//     docs.github.com/apps/github-authentication-discovery-endpoints
//   - id and secret in the body, scopes answered with commas, no expires_in:
//     docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
//   - refusals with status 200: "Troubleshooting OAuth app access token request
//     errors", same place
//   - profile: docs.github.com/rest/users/users, /rest/users/emails
//   - refresh tokens: only GitHub Apps with expiring tokens; no parameter:
//     github.com/github/docs,
//     content/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens.md
//   - the refusal bad_refresh_token: "Troubleshooting OAuth app access token
//     request errors", as above
//   - ten tokens for a person, an app and its scopes, then the oldest ends:
//     docs.github.com/authentication, "Token expiration and revocation"
//   - revocation: DELETE /applications/{client_id}/token with HTTP Basic and
//     the access token in JSON, 204, 422 also for too many requests:
//     docs.github.com/rest/apps/oauth-applications
//   - unconfirmed: 404 for a token that GitHub does not know (documented for
//     checking one, same place; other clients read it so), and whether the
//     refresh token of a GitHub App ends with its access token
func GitHub() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "github", Title: "GitHub", Issuer: "https://github.com/login/oauth",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.GitHub.AuthURL, TokenURL: endpoints.GitHub.TokenURL,
			UserInfoURL:   "https://api.github.com/user",
			RevocationURL: "https://api.github.com/applications/{client_id}/token",
			AuthStyle:     oauth2.AuthStyleInParams, RequireIss: true,
		}, Revocation: githubRevocation(), OneGrant: true, EndsGrant: []string{"bad_refresh_token"},
		Scopes: []string{"read:user", "user:email"},
	}, profile{
		origin: "https://github.com", id: "id", name: []string{"name", "login"}, picture: "avatar_url",
		emails: &emailList{path: "emails", email: "email", primary: "primary", verified: "verified"},
	})
}

// GitLab is the GitLab at base: https://gitlab.com, or an installation such as
// https://git.example, its host in lower case. base is the issuer. The e-mail
// address is there if the person has made it public.
//
//   - discovery, claims with email_verified, issuer:
//     docs.gitlab.com/integration/openid_connect_provider,
//     gitlab.com/gitlab-org/gitlab/-/merge_requests/130109 for addresses that
//     are not public
//   - PKCE, id and secret in the body, refresh tokens without a parameter:
//     docs.gitlab.com/api/oauth2
//   - revocation /oauth/revoke: docs.gitlab.com/api/oauth2; taken from
//     discovery
//   - unconfirmed: the issuer of an installation below a path
func GitLab(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	p := oidc.Provider(base)
	p.Name, p.Title, p.AuthStyle = "gitlab", "GitLab", oauth2.AuthStyleInParams
	p.Scopes = []string{"openid", "profile", "email"}
	return checked(p, unless(isBase(base), "GitLab"+wantBase))
}

// Gitea is the Gitea at base, such as https://gitea.example or
// https://example.com/gitea, its host in lower case. base is Identity.Issuer,
// so always write it the same way. The REST profile is used because versions
// disagree about the slash at the end of their issuer, and some ID tokens have
// no iat. Gitea refuses an unknown code as unauthorized_client, which the login
// reports as [authcode.Configuration].
//
// There is no e-mail address in the Identity: what Gitea calls verified only
// means that the account was activated. Without REGISTER_EMAIL_CONFIRM, which
// is off by default, every account is, with whatever address was typed in.
//
//   - endpoints, PKCE, scope read:user:
//     docs.gitea.com/development/oauth2-provider
//   - profile: docs.gitea.com/api, /user
//   - verified: github.com/go-gitea/gitea, models/user/user.go (IsActivated:
//     u.IsActive) and services/convert/convert.go
//   - refresh tokens: always; no parameter: same place,
//     services/oauth2_provider/access_token.go
//   - revocation: no endpoint in docs.gitea.com/development/oauth2-provider
//   - id and secret in the body (Basic would be read without decoding),
//     refusals, ID tokens: github.com/go-gitea/gitea,
//     routers/web/auth/oauth2_provider.go and
//     services/oauth2_provider/access_token.go
func Gitea(base string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	return checked(withProfile(authcode.Provider{
		Name: "gitea", Title: "Gitea",
		Endpoints: authcode.Endpoints{
			AuthURL: base + "/login/oauth/authorize", TokenURL: base + "/login/oauth/access_token",
			UserInfoURL: base + "/api/v1/user", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"read:user"},
	}, profile{
		origin: base, id: "id", name: []string{"full_name", "login"}, picture: "avatar_url",
	}), unless(isBase(base), "Gitea"+wantBase))
}

// Bitbucket is Bitbucket Cloud.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - Basic: developer.atlassian.com/cloud/bitbucket/oauth-2
//   - scopes account and email, /user, /user/emails with confirmed and
//     unconfirmed addresses:
//     developer.atlassian.com/cloud/bitbucket/rest/api-group-users
//   - the granted scopes come as "scopes", so [authcode.Login] repeats those
//     requested:
//     community.developer.atlassian.com/t/oauth2-token-lifetime-expiration-clarification/22136
//   - refresh tokens: always; no parameter:
//     github.com/kristianmandrup/bitbucket-api-v2, "Authentication"
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored), revocation (undocumented)
//   - unconfirmed: the members is_primary and is_confirmed (named in other
//     clients, not in the reference)
func Bitbucket() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "bitbucket", Title: "Bitbucket", Scopes: []string{"account", "email"},
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Bitbucket.AuthURL, TokenURL: endpoints.Bitbucket.TokenURL,
			UserInfoURL: "https://api.bitbucket.org/2.0/user", AuthStyle: oauth2.AuthStyleInHeader,
		},
	}, profile{
		origin: "https://bitbucket.org", id: "uuid",
		name: []string{"display_name", "username"}, picture: "links.avatar.href",
		emails: &emailList{path: "emails", list: "values",
			email: "email", primary: "is_primary", verified: "is_confirmed"},
	})
}

const atlassian = "https://auth.atlassian.com"

// Atlassian is an Atlassian account, for OAuth 2.0 (3LO) apps with the User
// identity API. There is no e-mail address in the Identity: the API does not
// say whether it is verified.
//
//   - endpoints, audience, prompt, offline_access for a refresh token, id and
//     secret in the body:
//     developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps
//   - profile, scope read:me:
//     developer.atlassian.com/cloud/oauth/getting-started/faq
//   - unconfirmed: a form as token request (the document shows JSON; other
//     clients send forms)
//   - unconfirmed: PKCE, revocation (undocumented)
func Atlassian() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "atlassian", Title: "Atlassian",
		Endpoints: authcode.Endpoints{
			AuthURL: atlassian + "/authorize", TokenURL: atlassian + "/oauth/token",
			UserInfoURL: "https://api.atlassian.com/me", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes:     []string{"read:me", "offline_access"},
		AuthParams: map[string]string{"audience": "api.atlassian.com", "prompt": "consent"},
	}, profile{
		origin: atlassian, id: "account_id", name: []string{"name", "nickname"}, picture: "picture",
	})
}
