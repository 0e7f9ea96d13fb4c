package provider

import (
	"example.com/authcode"
	"golang.org/x/oauth2"
)

const zohoUS = "https://accounts.zoho.com"

// zohoServers are the data centers of one registration.
func zohoServers() []string {
	return []string{
		zohoUS, "https://accounts.zoho.eu", "https://accounts.zoho.in", "https://accounts.zoho.com.au",
		"https://accounts.zoho.jp", "https://accounts.zohocloud.ca", "https://accounts.zoho.sa",
		"https://accounts.zoho.uk",
	}
}

// Zoho is Zoho, at all of its data centers for which the app's registration has
// "Multi DC" switched on. A login goes on at the accounts server of the data
// center that has the account, which is also Identity.Issuer, and so do the
// refreshes and the revocation of its token. Store tokens with
// [authcode.MarshalToken], which keeps the server. The API of that data center
// is at Token.Extra("api_domain"), such as https://www.zohoapis.eu: compare it
// with a list of your own before you pass it to APIClient.
//
// Choose one client secret for all data centers, a setting of the registration.
// With one secret for each, use a ClientAuth of your own that chooses it by
// [authcode.TokenRequest].URL. China is apart (accounts.zoho.com.cn): move all
// URLs there, and clear Servers and ServerParam.
//
// There is no e-mail address in the Identity: Zoho does not say whether it is
// verified.
//
//   - data centers, location and accounts-server, one client ID, one secret or
//     one each, api_domain: zoho.com/accounts/protocol/oauth/multi-dc.html and
//     www.zoho.com/accounts/protocol/oauth/multi-dc/client-authorization.html
//   - endpoints, id and secret as parameters, PKCE:
//     zoho.com/accounts/protocol/oauth/web-server-applications.html
//   - access_type=offline for a refresh token, at the first consent only
//     (prompt=consent asks again): zoho.com/commerce/api/identify-user-location.html
//   - revocation, at the server of the account:
//     www.zoho.com/crm/developer/docs/api/v8/revoke-tokens.html
//   - bearer tokens, profile: www.zoho.com/accounts/protocol/oauth/use-access-token.html
//   - unconfirmed: form-encoded bodies, the members of the profile, refusals with
//     status 200 (other clients have them so), scopes with commas in the answer
//   - unconfirmed: further data centers (accounts.zoho.ae, accounts.zoho.sg)
func Zoho() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "zoho", Title: "Zoho", Servers: zohoServers(), ServerParam: "accounts-server",
		Endpoints: authcode.Endpoints{
			AuthURL: zohoUS + "/oauth/v2/auth", TokenURL: zohoUS + "/oauth/v2/token",
			UserInfoURL:   zohoUS + "/oauth/user/info",
			RevocationURL: zohoUS + "/oauth/v2/token/revoke", AuthStyle: oauth2.AuthStyleInParams,
		},
		Scopes: []string{"AaaServer.profile.READ"}, ScopeSep: ",",
		AuthParams: map[string]string{"access_type": "offline"},
	}, profile{
		origin: zohoUS, id: "ZUID", name: []string{"Display_Name", "First_Name Last_Name"},
	})
}
