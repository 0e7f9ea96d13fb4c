package provider

import (
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// Google is Google. Options are passed on, such as [oidc.HostedDomain] for the
// accounts of a Workspace.
//
//   - issuer, discovery with revocation, claims, email_verified, id and secret
//     in the body: developers.google.com/identity/openid-connect/openid-connect
//   - access_type=offline for a refresh token, at the first consent only
//     (prompt=consent asks again):
//     developers.google.com/identity/protocols/oauth2/web-server
//   - 100 refresh tokens for a person and an app, then the oldest ends: same
//     place, "Refresh token expiration"
//   - PKCE: code_challenge_methods_supported in discovery:
//     developers.google.com/identity/openid-connect/reference
//   - iss of the ID token with or without https://, which package oidc accepts
//     for this issuer: first page, "Validating an ID token"
func Google(options ...oidc.Option) authcode.Provider {
	p := oidc.Provider("https://accounts.google.com", options...)
	p.Name, p.Title, p.AuthStyle, p.OneGrant = "google", "Google", oauth2.AuthStyleInParams, true
	p.AuthParams = withParam(p.AuthParams, "access_type", "offline")
	return p
}

// withParam adds a parameter to those that an option has set.
func withParam(params map[string]string, name, value string) map[string]string {
	if params == nil {
		params = make(map[string]string, 1)
	}
	params[name] = value
	return params
}

// Yahoo is Yahoo.
//
//   - issuer and discovery, which names revocation token_revocation_endpoint,
//     Basic first: api.login.yahoo.com/.well-known/openid-configuration
//   - refresh tokens without a parameter:
//     developer.yahoo.com/oauth2/guide/flows_authcode
//   - ID tokens are signed with ES256, also for apps that never chose it:
//     developer.yahoo.com/oauth2/guide/openid_connect/decode_id_token.html,
//     github.com/zitadel/zitadel/issues/4899, github.com/dexidp/dex/issues/1229
//   - unconfirmed: which claims are in the ID token, so userinfo is asked for
//     name and address
//   - unconfirmed: PKCE (discovery does not list it)
func Yahoo() authcode.Provider {
	p := oidc.Provider("https://api.login.yahoo.com", oidc.UserInfo())
	p.Name, p.Title, p.AuthStyle = "yahoo", "Yahoo", oauth2.AuthStyleInHeader
	p.Algorithms = []string{"ES256"}
	p.Metadata = revocable(p.Metadata, "https://api.login.yahoo.com/oauth2/revoke")
	return p
}

// Twitch is Twitch. Revoke takes access tokens only: pass
// [authcode.Client.Revoke] a token without its refresh token.
//
//   - issuer, discovery, id and secret in the body, the claims parameter, scope
//     as a list, nonce: dev.twitch.tv/docs/authentication/getting-tokens-oidc
//   - scope user:read:email for the address:
//     dev.twitch.tv/docs/authentication/scopes
//   - revocation: dev.twitch.tv/docs/authentication/revoke-tokens
//   - refresh tokens without a parameter:
//     dev.twitch.tv/docs/authentication/refresh-tokens
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Twitch() authcode.Provider {
	p := oidc.Provider("https://id.twitch.tv/oauth2")
	p.Name, p.Title, p.AuthStyle = "twitch", "Twitch", oauth2.AuthStyleInParams
	p.Scopes = []string{"openid", "user:read:email"}
	p.AuthParams = map[string]string{"claims": `{"id_token":` +
		`{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}`}
	p.Metadata = revocable(p.Metadata, "https://id.twitch.tv/oauth2/revoke")
	p.Identity = adjusted(p.Identity, preferredUsername)
	return p
}

// Slack is Sign in with Slack. Identity.Subject is the id of the team, a slash
// and the id of the user, such as T0R7GR/U0R7JM: a person of two teams is two
// users. Without the claim https://slack.com/team_id nobody is signed in.
//
//   - issuer, endpoints, client_secret_post first:
//     slack.com/.well-known/openid-configuration
//   - claims with email_verified, nonce, refusals with status 200 and
//     "ok":false, PKCE: docs.slack.dev/reference/methods/openid.connect.token
//   - the claim https://slack.com/team_id, next to sub:
//     docs.slack.dev/reference/methods/openid.connect.userInfo
//   - unconfirmed: ids that are unique over all teams. They once were not;
//     api.slack.com/methods/users.identity says that they "are now", and that
//     one person has one id in all workspaces of an Enterprise organization
//   - refresh tokens: with token rotation switched on for the app; no
//     parameter: docs.slack.dev/authentication/using-token-rotation, and
//     refresh_token in openid.connect.token, as above
//   - revocation by auth.revoke with the access token as bearer, its answers:
//     docs.slack.dev/reference/methods/auth.revoke
func Slack() authcode.Provider {
	p := oidc.Provider("https://slack.com")
	p.Name, p.Title, p.AuthStyle = "slack", "Slack", oauth2.AuthStyleInParams
	p.Identity = withinTeam(p.Identity, "https://slack.com/team_id")
	p.Metadata = revocable(p.Metadata, "https://slack.com/api/auth.revoke")
	p.Revocation = authcode.Revocation{Bearer: true, Read: readSlackRevocation}
	return p
}

// Salesforce is login.salesforce.com. A sandbox or a My Domain is an issuer of
// its own: [oidc.Provider] takes its URL.
//
//   - issuer, discovery with revocation, client_secret_post first,
//     email_verified and picture in claims_supported:
//     login.salesforce.com/.well-known/openid-configuration
//   - PKCE, also with a secret: help.salesforce.com, "OAuth 2.0 Web Server Flow
//     for Web App Integration" and "Proof Key for Code Exchange (PKCE)
//     Extension"
//   - refresh tokens: the scope refresh_token, if the connected app allows it:
//     developer.salesforce.com/docs/atlas.en-us.mobile_sdk.meta/pages/oauth_scope_parameter_values.htm
//   - unconfirmed: which claims are in the ID token, so userinfo is asked for
//     name and address
//   - unconfirmed: the issuer of people whose org has a My Domain
func Salesforce() authcode.Provider {
	p := oidc.Provider("https://login.salesforce.com", oidc.UserInfo())
	p.Name, p.Title, p.AuthStyle = "salesforce", "Salesforce", oauth2.AuthStyleInParams
	return p
}

// Okta is the org authorization server of an Okta domain, such as
// dev-1234.okta.com; [authcode.New] refuses anything but a host name. A custom
// authorization server is an issuer of its own: [oidc.Provider] takes its URL.
//
//   - issuer of the org server: developer.okta.com/docs/concepts/auth-servers
//   - refresh tokens: the scope offline_access, if the app has the grant:
//     developer.okta.com/docs/guides/refresh-tokens/get-refresh-token
//   - PKCE, from discovery:
//     developer.okta.com/docs/api/openapi/okta-oauth/oauth/customas/getwellknownopenidconfigurationcustomas,
//     which shows it for a custom server
//   - Basic, if nothing else was registered:
//     developer.okta.com/docs/api/openapi/okta-oauth/guides/client-auth
//   - revocation, from discovery:
//     developer.okta.com/docs/guides/revoke-tokens/revokeatrt
//   - unconfirmed: iss in the callback (taken from discovery)
//   - unconfirmed: which claims are in the ID token, so userinfo is asked for
//     name and address
func Okta(domain string) authcode.Provider {
	domain = strings.ToLower(domain) // as the issuer is written
	p := oidc.Provider("https://"+domain, oidc.UserInfo())
	p.Name, p.Title, p.AuthStyle = "okta", "Okta", oauth2.AuthStyleInHeader
	return checked(p, unless(isHost(domain), "Okta"+wantHost))
}

// Auth0 is an Auth0 domain, such as example.eu.auth0.com or a custom one;
// [authcode.New] refuses anything but a host name.
//
//   - PKCE: auth0.com/docs/flows/concepts/auth-code-pkce
//   - revocation of refresh tokens, from discovery:
//     auth0.com/docs/tokens/guides/revoke-refresh-tokens
//   - refresh tokens: the scope offline_access, which an API of Auth0 must
//     allow: auth0.com/docs/tokens/refresh-tokens/get-refresh-tokens
//   - the issuer's slash at its end:
//     github.com/spring-projects/spring-boot/issues/15324
//   - email_verified: must be a JSON true; some connections send a text:
//     github.com/auth0/go-auth0/issues/570,
//     github.com/auth0/auth0-spa-js/issues/833
//   - an application that is set to sign ID tokens with PS256 instead of RS256
//     needs Algorithms: auth0.com/docs/get-started/applications/signing-algorithms
//   - unconfirmed: iss in the callback (taken from discovery)
//   - unconfirmed: id and secret in the body as the default of a regular web
//     app, and whether the application needs a grant for refresh tokens
func Auth0(domain string) authcode.Provider {
	domain = strings.ToLower(domain) // as the issuer is written
	p := oidc.Provider("https://" + domain + "/")
	p.Name, p.Title, p.AuthStyle = "auth0", "Auth0", oauth2.AuthStyleInParams
	return checked(p, unless(isHost(domain), "Auth0"+wantHost))
}

// Keycloak is a realm of the Keycloak at base, such as https://sso.example.com,
// or with /auth behind it before version 17. The base's host is written in
// lower case; the realm's name is escaped.
//
//   - issuer {base}/realms/{realm}, discovery:
//     keycloak.org/securing-apps/oidc-layers
//   - refresh tokens: always, unless the client's setting is off; the scope
//     offline_access makes them outlive the session:
//     github.com/keycloak/keycloak, OIDCAdvancedConfigWrapper.java and
//     server_admin/topics/sessions/offline.adoc
//   - PKCE, iss, revocation, logout, from discovery: same place,
//     OIDCWellKnownProvider.java
//   - Basic: same place, ClientIdAndSecretAuthenticator.java
//   - a realm or client that is set to sign ID tokens with another algorithm
//     than RS256 needs Algorithms: same place, DefaultTokenManager.java
func Keycloak(base, realm string) authcode.Provider {
	base = strings.TrimSuffix(base, "/")
	p := oidc.Provider(base + "/realms/" + url.PathEscape(realm))
	p.Name, p.Title, p.AuthStyle = "keycloak", "Keycloak", oauth2.AuthStyleInHeader
	return checked(p, unless(isBase(base), "Keycloak"+wantBase),
		// People copy the issuer, which has the realm in it.
		unless(!strings.Contains(base+"/", "/realms/"), "Keycloak"+wantNoRealm),
		unless(isRealm(realm), "Keycloak"+wantRealm))
}

// Cognito is an Amazon Cognito user pool with a domain, such as
// Cognito("eu-west-1", "eu-west-1_Ab12Cd34").
//
//   - issuer, discovery:
//     docs.aws.amazon.com/cognito/latest/developerguide/federation-endpoints.html
//   - Basic, PKCE also with a secret, refresh tokens without a parameter: same
//     place, token-endpoint.html
//   - email_verified, a boolean: same place,
//     amazon-cognito-user-pools-using-the-id-token.html
//   - revocation of refresh tokens, from discovery: same place,
//     revocation-endpoint.html
//   - unconfirmed: email_verified as a text for federated people, so a text
//     counts as not verified
func Cognito(region, pool string) authcode.Provider {
	p := oidc.Provider("https://cognito-idp." + region + ".amazonaws.com/" + pool)
	p.Name, p.Title, p.AuthStyle = "cognito", "Amazon Cognito", oauth2.AuthStyleInHeader
	return checked(p, unless(isRegion(region), "Cognito"+wantRegion),
		unless(isPool(region, pool), "Cognito"+wantPool))
}
