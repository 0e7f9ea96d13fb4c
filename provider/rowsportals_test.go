package provider_test

import (
	"example.com/authcode"
	"example.com/authcode/provider"
	"github.com/go-jose/go-jose/v4"
)

const channelSecret = "0123456789abcdef0123456789abcdef" // of LINE

// lineRow: the metadata lists ES256 alone, and a revocation endpoint that is not one of RFC 7009.
func lineRow() *row {
	return &row{
		fn: "LINE", provider: func() authcode.Provider { return provider.LINE(channelSecret) },
		auth: "https://access.line.me/oauth2/v2.1/authorize", token: "https://api.line.me/oauth2/v2.1/token",
		scope: openIDScope, granted: openIDGranted,
		grant: `{"access_token":"access-1","expires_in":2592000,"id_token":"ID_TOKEN","refresh_token":"refresh-1",
			"scope":"openid profile email","token_type":"Bearer"}`,
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_description":"invalid authorization code"}`},
		openID: &openID{issuer: "https://access.line.me", alg: jose.HS256,
			claims: `"sub":"U1234567890abcdef1234567890abcdef","name":"Taro Line","amr":["linesso"],
				"picture":"https://p.example/1","email":"taro.line@example.com"`,
			extra: `,"revocation_endpoint":"https://api.line.me/oauth2/v2.1/revoke",
				"code_challenge_methods_supported":["S256"]`},
		id: `"sub":"U1234567890abcdef1234567890abcdef"`,
		want: authcode.Identity{Issuer: "https://access.line.me", Subject: "U1234567890abcdef1234567890abcdef",
			Email: "taro.line@example.com", Name: "Taro Line", Picture: "https://p.example/1"},
	}
}

var portalRows = []*row{
	lineRow(),
	{
		fn: "Kakao", provider: provider.Kakao,
		auth: "https://kauth.kakao.com/oauth/authorize", token: "https://kauth.kakao.com/oauth/token",
		revoke:    "https://kapi.kakao.com/v1/user/logout",
		ownRevoke: &ownRevocation{method: "POST", bearer: true, reply: reply{body: `{"id":123456789}`}},
		grant: `{"access_token":"access-1","token_type":"bearer","refresh_token":"refresh-1","expires_in":21599,
			"scope":"account_email profile_nickname","refresh_token_expires_in":5183999}`,
		granted: []string{"account_email", "profile_nickname"},
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_code":"KOE320",
			"error_description":"authorization code not found for code=x"}`},
		profile: page{url: "https://kapi.kakao.com/v2/user/me",
			body: `{"id":9007199254740993,"connected_at":"2023-03-06T13:06:54Z","properties":{"nickname":"Ada"},
				"kakao_account":{"profile":{"nickname":"Ada L","profile_image_url":"https://k.example/1"},
				"is_email_valid":true,"is_email_verified":true,"email":"ada@example.com"}}`},
		id: `"id":9007199254740993`, flag: `"is_email_verified":true`,
		want: authcode.Identity{Issuer: "https://kauth.kakao.com", Subject: "9007199254740993",
			Email: "ada@example.com", EmailVerified: true, Name: "Ada L", Picture: "https://k.example/1"},
	},
	{
		fn: "Naver", provider: provider.Naver,
		auth: "https://nid.naver.com/oauth2.0/authorize", token: "https://nid.naver.com/oauth2.0/token",
		tokenParams: map[string]string{"state": "STATE"},
		grant: `{"access_token":"access-1","refresh_token":"refresh-1","token_type":"bearer",
			"expires_in":"3600"}`,
		refusal: reply{body: `{"error":"invalid_request","error_description":"no valid data in session"}`},
		profile: page{url: "https://openapi.naver.com/v1/nid/me",
			body: `{"resultcode":"00","message":"success","response":{"email":"ada@example.com","nickname":"ada",
				"profile_image":"https://n.example/1","age":"40-49","gender":"F","id":"32742776","name":"Ada L"}}`},
		id: `"id":"32742776"`,
		want: authcode.Identity{Issuer: "https://nid.naver.com", Subject: "32742776", Name: "Ada L",
			Picture: "https://n.example/1"},
	},
	{
		fn: "Yandex", provider: provider.Yandex,
		auth: "https://oauth.yandex.com/authorize", token: "https://oauth.yandex.com/token", basic: true,
		grant: `{"token_type":"bearer","access_token":"access-1","expires_in":31536000,"refresh_token":"refresh-1",
			"scope":"login:info login:email"}`,
		granted: []string{"login:info", "login:email"},
		refusal: reply{status: 400, body: `{"error":"bad_verification_code","error_description":"Code has expired"}`},
		profile: page{url: "https://login.yandex.ru/info?format=json",
			body: `{"login":"ivan","id":"1000034426","client_id":"4760187d","psuid":"1.AAAA","display_name":"ivan",
				"real_name":"Ivan Ivanov","default_email":"test@yandex.ru","emails":["test@yandex.ru"],
				"default_avatar_id":"31804/BYkogAC6AoB17bN1HKRFAyKiM4-1","is_avatar_empty":false}`},
		id:   `"id":"1000034426"`,
		want: authcode.Identity{Issuer: "https://oauth.yandex.com", Subject: "1000034426", Name: "ivan"},
	},
}
