package provider_test

import (
	"example.com/authcode"
	"example.com/authcode/provider"
)

var selfHostedRows = []*row{
	{
		fn: "GitHubEnterprise",
		provider: func() authcode.Provider {
			return provider.GitHubEnterprise("https://ghe.example/")
		},
		auth: "https://ghe.example/login/oauth/authorize", token: "https://ghe.example/login/oauth/access_token",
		revoke: "https://ghe.example/api/v3/applications/client+1/token", ownRevoke: byDelete,
		scope: "read:user", granted: []string{"read:user"},
		grant: `{"access_token":"access-1","scope":"read:user","token_type":"bearer"}`,
		refusal: reply{body: `{"error":"bad_verification_code",
			"error_description":"The code passed is incorrect or expired."}`},
		profile: page{url: "https://ghe.example/api/v3/user",
			body: `{"login":"ada","id":9007199254740993,"avatar_url":"https://ghe.example/avatars/u/1",
			"name":"Ada Lovelace","email":"public@example.com"}`},
		id: `"id":9007199254740993`,
		want: authcode.Identity{Issuer: "https://ghe.example", Subject: "9007199254740993",
			Name: "Ada Lovelace", Picture: "https://ghe.example/avatars/u/1"},
	},
	{
		fn: "BitbucketDataCenter",
		provider: func() authcode.Provider {
			return provider.BitbucketDataCenter("https://example.com/bitbucket")
		},
		auth:  "https://example.com/bitbucket/rest/oauth2/latest/authorize",
		token: "https://example.com/bitbucket/rest/oauth2/latest/token",
		scope: "PUBLIC_REPOS", granted: []string{"PUBLIC_REPOS"},
		grant: `{"access_token":"access-1","token_type":"bearer","expires_in":7200,"refresh_token":"refresh-1",
			"scope":"PUBLIC_REPOS"}`,
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_description":"Code is invalid"}`},
		whoami: page{url: "https://example.com/bitbucket/plugins/servlet/applinks/whoami",
			body: "ada@example.com"},
		profile: page{url: "https://example.com/bitbucket/rest/api/latest/users/ada@example.com",
			body: `{"name":"ada@example.com","emailAddress":"ada@example.com","active":true,
			"displayName":"Ada","id":101,"slug":"ada@example.com","type":"NORMAL"}`},
		id:   `"id":101`,
		want: authcode.Identity{Issuer: "https://example.com/bitbucket", Subject: "101", Name: "Ada"},
	},
	{
		fn: "Mattermost",
		provider: func() authcode.Provider {
			return provider.Mattermost("https://chat.example")
		},
		auth: "https://chat.example/oauth/authorize", token: "https://chat.example/oauth/access_token",
		grant: `{"access_token":"access-1","token_type":"bearer","expires_in":2592000,"scope":"user",
			"refresh_token":"refresh-1"}`,
		granted: []string{"user"},
		refusal: reply{status: 400, body: `{"id":"api.oauth.get_access_token.expired_code.app_error",
			"message":"invalid_grant: Invalid or expired authorization code.","status_code":400}`},
		profile: page{url: "https://chat.example/api/v4/users/me",
			body: `{"id":"9w9hh1cxwfnz3xbmz7cwk1zquc","username":"ada","email":"ada@example.com",
			"email_verified":true,"nickname":"","first_name":"Ada","last_name":"Lovelace"}`},
		id: `"id":"9w9hh1cxwfnz3xbmz7cwk1zquc"`,
		want: authcode.Identity{Issuer: "https://chat.example", Subject: "9w9hh1cxwfnz3xbmz7cwk1zquc",
			Name: "Ada Lovelace"},
	},
	{
		fn: "Nextcloud",
		provider: func() authcode.Provider {
			return provider.Nextcloud("https://cloud.example")
		},
		auth:  "https://cloud.example/index.php/apps/oauth2/authorize",
		token: "https://cloud.example/index.php/apps/oauth2/api/v1/token",
		grant: `{"access_token":"access-1","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1",
			"user_id":"ada"}`,
		refusal: reply{status: 400, body: `{"error":"invalid_request"}`},
		profile: page{url: "https://cloud.example/ocs/v2.php/cloud/user?format=json",
			header: [2]string{"OCS-APIRequest", "true"},
			body: `{"ocs":{"meta":{"status":"ok","statuscode":200,"message":"OK"},"data":{"id":"ada",
			"email":"ada@example.com","displayname":"Ada","groups":[]}}}`},
		id:   `"id":"ada"`,
		want: authcode.Identity{Issuer: "https://cloud.example", Subject: "ada", Name: "Ada"},
	},
}
