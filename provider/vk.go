package provider

import (
	"net/url"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const vkID = "https://id.vk.com/"

// VK is VK ID. Use it with [authcode.Public]: only PKCE ties a code to the app.
// There is no e-mail address in the Identity: VK ID does not say whether it is
// verified. The token keeps the callback's device_id, which each refresh needs:
// store it with [authcode.MarshalToken].
//
//   - endpoints, PKCE S256, device_id in the callback, default scope
//     vkid.personal_info: id.vk.com/about/business/go/docs/ru/vkid/latest/vk-id,
//     connection/api-integration/api-description
//   - device_id and state in the token request, no secret, profile by POST with
//     client_id and access_token, the person below user:
//     github.com/python-social-auth/social-core, social_core/backends/vk.py
//   - device_id and state at a refresh:
//     rubydoc.info/gems/authkeeper/Authkeeper/VkAuthApi/Requests/AccessToken
//   - refresh tokens: always; no parameter: vk.py, as above
//   - unconfirmed: revocation (not of RFC 7009: other clients send access_token
//     to /oauth2/revoke)
//   - unconfirmed: whether a refresh must have a new state (it has the login's)
//   - unconfirmed: whether the "verified" of a profile covers the address
//   - unconfirmed: an app registered as confidential sends service_token, which
//     a ClientAuth around Public can add
//   - unconfirmed: id.vk.ru as another name of the same server
func VK() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "vk", Title: "VK ID", TokenParams: deviceParams,
		Endpoints: authcode.Endpoints{
			AuthURL: vkID + "authorize", TokenURL: vkID + "oauth2/auth",
			UserInfoURL: vkID + "oauth2/user_info", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"vkid.personal_info"},
	}, profile{
		origin: "https://id.vk.com", method: "POST", inBody: true, id: "user.user_id",
		name: []string{"user.first_name user.last_name"}, picture: "user.avatar",
	})
}

// deviceParams is [authcode.Provider.TokenParams] of VK ID.
func deviceParams(callback url.Values) (url.Values, error) {
	if callback.Get("device_id") == "" {
		return nil, refuse(authcode.Malformed, "callback.device_id")
	}
	return url.Values{"device_id": callback["device_id"], "state": callback["state"]}, nil
}
