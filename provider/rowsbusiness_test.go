package provider_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"

	"example.com/authcode"
	"example.com/authcode/provider"
)

const shopSecret = "shpss_0123456789"

// shopifySigns adds the hmac of a callback, as shopify.dev describes it.
func shopifySigns(callback url.Values) {
	mac := hmac.New(sha256.New, []byte(shopSecret))
	mac.Write([]byte(callback.Encode())) // sorted
	callback.Set("hmac", hex.EncodeToString(mac.Sum(nil)))
}

var businessRows = []*row{
	{
		fn: "Figma", provider: provider.Figma,
		auth: "https://www.figma.com/oauth", token: "https://api.figma.com/v1/oauth/token", basic: true,
		scope: "current_user:read",
		grant: `{"user_id_string":"1234","access_token":"access-1","token_type":"bearer","expires_in":7776000,
			"refresh_token":"refresh-1"}`,
		granted: []string{"current_user:read"},
		refusal: reply{status: 400, body: `{"error":true,"status":400,"message":"Invalid code","i18n":null}`},
		profile: page{url: "https://api.figma.com/v1/me",
			body: `{"id":"1234","email":"ada@example.com","handle":"Ada","img_url":"https://f.example/1"}`},
		id: `"id":"1234"`,
		want: authcode.Identity{Issuer: "https://www.figma.com", Subject: "1234", Name: "Ada",
			Picture: "https://f.example/1"},
	},
	{
		fn: "HubSpot", provider: provider.HubSpot,
		auth: "https://app.hubspot.com/oauth/authorize", token: "https://api.hubapi.com/oauth/v3/token",
		scope: "oauth",
		grant: `{"token_use":"access_token","token_type":"bearer","refresh_token":"refresh-1",
			"access_token":"access-1","expires_in":1800,"hub_id":62515,"scopes":["oauth"],"user_id":123456}`,
		granted: []string{"oauth"},
		refusal: reply{status: 400, body: `{"status":"BAD_AUTH_CODE","message":"missing or unknown auth code",
			"correlationId":"aeb5f871"}`},
		id:   `"user_id":123456`,
		want: authcode.Identity{Issuer: "https://app.hubspot.com", Subject: "62515/123456"},
	},
	{
		fn: "QuickBooks", provider: provider.QuickBooks,
		auth:   "https://appcenter.intuit.com/connect/oauth2",
		token:  "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
		revoke: "https://developer.api.intuit.com/v2/oauth2/tokens/revoke", basic: true,
		scope: openIDScope, callback: map[string]string{"realmId": "4620816365"},
		grant: `{"token_type":"bearer","access_token":"access-1","expires_in":3600,"refresh_token":"refresh-1",
			"x_refresh_token_expires_in":8726400,"id_token":"ID_TOKEN"}`,
		granted: openIDGranted,
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_description":"Invalid authorization code"}`},
		profile: page{url: "https://accounts.platform.intuit.com/v1/openid_connect/userinfo",
			body: `{"sub":"1182d6ec","givenName":"Ada","familyName":"Lovelace","email":"ada@example.com",
				"emailVerified":true,"phoneNumber":"+1 1"}`},
		id: `"sub":"1182d6ec"`, flag: `"emailVerified":true`,
		want: authcode.Identity{Issuer: "https://oauth.platform.intuit.com/op/v1", Subject: "1182d6ec",
			Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"},
	},
	{
		fn: "Linear", provider: provider.Linear,
		auth: "https://linear.app/oauth/authorize", token: "https://api.linear.app/oauth/token",
		revoke:    "https://api.linear.app/oauth/revoke",
		ownRevoke: &ownRevocation{method: "POST", bearer: true, reply: reply{}},
		scope:     "read",
		grant: `{"access_token":"access-1","token_type":"Bearer","expires_in":86399,"scope":"read write",
			"refresh_token":"refresh-1"}`,
		granted: []string{"read", "write"},
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_description":"Invalid code"}`},
		profile: page{url: "https://api.linear.app/graphql", method: "POST",
			json: `{"query":"{viewer{id name avatarUrl}}"}`,
			body: `{"data":{"viewer":{"id":"a1-b2","name":"Ada","avatarUrl":"https://l.example/1"}}}`},
		id:   `"id":"a1-b2"`,
		want: authcode.Identity{Issuer: "https://linear.app", Subject: "a1-b2", Name: "Ada", Picture: "https://l.example/1"},
	},
	{
		fn: "Shopify",
		provider: func() authcode.Provider {
			return provider.Shopify("Example.myshopify.com", shopSecret)
		},
		auth:   "https://example.myshopify.com/admin/oauth/authorize",
		token:  "https://example.myshopify.com/admin/oauth/access_token",
		params: map[string]string{"grant_options[]": "per-user"}, sign: shopifySigns,
		callback: map[string]string{"shop": "example.myshopify.com", "timestamp": "1337178173", "host": "YWRtaW4="},
		grant: `{"access_token":"access-1","scope":"write_orders,read_customers","expires_in":86399,
			"associated_user_scope":"write_orders","associated_user":{"id":902541635,"first_name":"Ada",
			"last_name":"Lovelace","email":"ada@example.com","email_verified":true,"account_owner":true}}`,
		granted: []string{"write_orders", "read_customers"},
		refusal: reply{status: 400, body: `{"error":"invalid_request",
			"error_description":"The authorization code was not found or was already used"}`},
		id: `"id":902541635`, flag: `"email_verified":true`,
		want: authcode.Identity{Issuer: "https://example.myshopify.com", Subject: "902541635",
			Email: "ada@example.com", EmailVerified: true, Name: "Ada Lovelace"},
	},
	{
		fn: "Instagram", provider: provider.Instagram,
		auth:  "https://www.instagram.com/oauth/authorize",
		token: "https://api.instagram.com/oauth/access_token", fragment: "_",
		scope:   "instagram_business_basic",
		grant:   `{"data":[{"access_token":"access-1","user_id":"17841","permissions":"instagram_business_basic"}]}`,
		granted: []string{"instagram_business_basic"},
		refusal: reply{status: 400, body: `{"error_type":"OAuthException","code":400,
			"error_message":"Matching code was not found or was already used"}`},
		profile: page{url: "https://graph.instagram.com/me?fields=user_id,username,name,profile_picture_url",
			body: `{"user_id":"17841405309211844","username":"ada","name":"Ada","profile_picture_url":"https://i.example/1"}`},
		id: `"user_id":"17841405309211844"`,
		want: authcode.Identity{Issuer: "https://www.instagram.com", Subject: "17841405309211844", Name: "Ada",
			Picture: "https://i.example/1"},
	},
}
