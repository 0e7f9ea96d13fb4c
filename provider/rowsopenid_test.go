package provider_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
)

const (
	tenant      = "1111abcd-2222-3333-4444-555555555555"
	openIDScope = "openid profile email"
	openIDGrant = `{"access_token":"access-1","token_type":"Bearer","expires_in":3600,
		"refresh_token":"refresh-1","id_token":"ID_TOKEN"}`
	openIDUser = `"sub":"u-1","name":"Ada","picture":"https://p.example/1","email":"ada@example.com",
		"email_verified":true`
)

var (
	openIDGranted = strings.Fields(openIDScope)
	invalidGrant  = reply{status: 400, body: `{"error":"invalid_grant"}`}
)

// ada is who signs in with claims openIDUser.
func ada(issuer string) authcode.Identity {
	return authcode.Identity{Issuer: issuer, Subject: "u-1", Email: "ada@example.com", EmailVerified: true,
		Name: "Ada", Picture: "https://p.example/1"}
}

func openIDRows() []*row {
	return []*row{
		googleRow(), appleRow(), slackRow(), twitchRow(), yahooRow(), salesforceRow(),
	}
}

func googleRow() *row {
	return &row{
		fn: "Google", provider: func() authcode.Provider { return provider.Google() },
		auth: "https://accounts.google.com/o/oauth2/v2/auth", token: "https://oauth2.googleapis.com/token",
		revoke: "https://oauth2.googleapis.com/revoke",
		scope:  openIDScope, params: map[string]string{"access_type": "offline"},
		grant: openIDGrant, granted: openIDGranted, refusal: invalidGrant,
		openID: &openID{issuer: "https://accounts.google.com", claims: openIDUser,
			extra: `,"revocation_endpoint":"https://oauth2.googleapis.com/revoke",
				"code_challenge_methods_supported":["plain","S256"]`},
		id: `"sub":"u-1"`, flag: `"email_verified":true`, want: ada("https://accounts.google.com"),
	}
}

func appleRow() *row {
	apple := newAppleKey()
	return &row{
		fn: "Apple", provider: provider.Apple, clientAuth: apple.secret(),
		checkSecret: func(t *testing.T, secret string) { apple.check(t, secret) },
		auth:        "https://appleid.apple.com/auth/authorize", token: "https://appleid.apple.com/auth/token",
		revoke: "https://appleid.apple.com/auth/revoke", formPost: true, refused: "user_cancelled_authorize",
		scope: "openid name email", grant: openIDGrant, granted: []string{"openid", "name", "email"}, refusal: invalidGrant,
		openID: &openID{issuer: "https://appleid.apple.com",
			claims: `"sub":"001.ab","email":"r@privaterelay.appleid.com","email_verified":"true",
				"is_private_email":"true"`,
			extra: `,"revocation_endpoint":"https://appleid.apple.com/auth/revoke",
				"response_modes_supported":["query","fragment","form_post"],
				"token_endpoint_auth_methods_supported":["client_secret_post"]`},
		id: `"sub":"001.ab"`, flag: `"email_verified":"true`,
		want: authcode.Identity{Issuer: "https://appleid.apple.com", Subject: "001.ab",
			Email: "r@privaterelay.appleid.com", EmailVerified: true},
	}
}

func slackRow() *row {
	return &row{
		fn: "Slack", provider: provider.Slack,
		auth: "https://slack.com/openid/connect/authorize", token: "https://slack.com/api/openid.connect.token",
		revoke:    "https://slack.com/api/auth.revoke",
		ownRevoke: &ownRevocation{method: "POST", bearer: true, reply: reply{body: `{"ok":true,"revoked":true}`}},
		scope:     openIDScope, granted: openIDGranted,
		grant:   `{"ok":true,"access_token":"access-1","token_type":"Bearer","id_token":"ID_TOKEN"}`,
		refusal: reply{body: `{"ok":false,"error":"invalid_code"}`},
		openID: &openID{issuer: "https://slack.com", claims: openIDUser + `,"https://slack.com/team_id":"T0RR"`,
			extra: `,"token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]`},
		id: `"sub":"u-1"`, flag: `"email_verified":true`, want: slackUser("T0RR/u-1"),
	}
}

func twitchRow() *row {
	return &row{
		fn: "Twitch", provider: provider.Twitch,
		auth: "https://id.twitch.tv/oauth2/authorize", token: "https://id.twitch.tv/oauth2/token",
		revoke: "https://id.twitch.tv/oauth2/revoke", scope: "openid user:read:email",
		params: map[string]string{"claims": `{"id_token":` +
			`{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}`},
		grant: `{"access_token":"access-1","expires_in":14124,"refresh_token":"refresh-1","id_token":"ID_TOKEN",
			"scope":["openid","user:read:email"],"token_type":"bearer"}`,
		granted: []string{"openid", "user:read:email"},
		refusal: reply{status: 400, body: `{"status":400,"message":"Invalid authorization code"}`},
		openID: &openID{issuer: "https://id.twitch.tv/oauth2",
			claims: `"sub":"713936733","preferred_username":"ada","email":"ada@example.com",
				"email_verified":true,"picture":"https://p.example/1"`,
			extra: `,"token_endpoint_auth_methods_supported":["client_secret_post"],
				"claims_parameter_supported":true`},
		id: `"sub":"713936733"`, flag: `"email_verified":true`,
		want: authcode.Identity{Issuer: "https://id.twitch.tv/oauth2", Subject: "713936733",
			Email: "ada@example.com", EmailVerified: true, Name: "ada", Picture: "https://p.example/1"},
	}
}

func yahooRow() *row {
	return &row{
		fn: "Yahoo", provider: provider.Yahoo,
		auth: "https://api.login.yahoo.com/oauth2/request_auth", token: "https://api.login.yahoo.com/oauth2/get_token",
		revoke: "https://api.login.yahoo.com/oauth2/revoke", basic: true,
		scope: openIDScope, grant: openIDGrant, granted: openIDGranted,
		refusal: reply{status: 400, body: `{"error":"INVALID_AUTHORIZATION_CODE",
			"error_description":"code is not valid"}`},
		openID: &openID{issuer: "https://api.login.yahoo.com", alg: "ES256", claims: `"sub":"u-1"`, userInfo: `{` + openIDUser + `}`,
			extra: `,"token_revocation_endpoint":"https://api.login.yahoo.com/oauth2/revoke",
				"token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post"]`},
		id: `"sub":"u-1"`, flag: `"email_verified":true`, want: ada("https://api.login.yahoo.com"),
	}
}

func salesforceRow() *row {
	return &row{
		fn: "Salesforce", provider: provider.Salesforce,
		auth:   "https://login.salesforce.com/services/oauth2/authorize",
		token:  "https://login.salesforce.com/services/oauth2/token",
		revoke: "https://login.salesforce.com/services/oauth2/revoke",
		scope:  openIDScope, granted: []string{"openid", "email", "profile"},
		grant: `{"access_token":"access-1","signature":"x","scope":"openid email profile","id_token":"ID_TOKEN",
			"instance_url":"https://my.salesforce.com","id":"https://login.salesforce.com/id/00D/005",
			"token_type":"Bearer","issued_at":"1596"}`,
		refusal: reply{status: 400, body: `{"error":"invalid_grant",
			"error_description":"invalid authorization code"}`},
		openID: &openID{issuer: "https://login.salesforce.com", claims: `"sub":"u-1"`, userInfo: `{` + openIDUser + `}`,
			extra: `,"revocation_endpoint":"https://login.salesforce.com/services/oauth2/revoke"`},
		id: `"sub":"u-1"`, flag: `"email_verified":true`, want: ada("https://login.salesforce.com"),
	}
}

// slackUser is Ada as a member of a team.
func slackUser(subject string) authcode.Identity {
	id := ada("https://slack.com")
	id.Subject = subject
	return id
}
