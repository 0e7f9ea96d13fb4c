package provider_test

import (
	"strings"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// microsoft is a row for one way to name tenants.
func microsoft(fn, at, document string, preset func() authcode.Provider) *row {
	const base = "https://login.microsoftonline.com/"
	return &row{
		fn: fn, provider: preset,
		auth: base + at + "/oauth2/v2.0/authorize", token: base + at + "/oauth2/v2.0/token",
		scope: openIDScope + " offline_access", granted: append(openIDGranted[:3:3], "offline_access"), grant: openIDGrant,
		refusal: reply{status: 400, body: `{"error":"invalid_grant","error_codes":[70008],"suberror":"bad_token"}`},
		openID: &openID{issuer: base + tenant + "/v2.0", document: document,
			metadata: base + at + "/v2.0/.well-known/openid-configuration",
			claims: `"sub":"u-1","tid":"` + tenant + `","oid":"o-1","name":"Ada",
				"preferred_username":"ada@example.com",` +
				`"email":"ada@example.com","xms_edov":true`,
			extra: `,"token_endpoint_auth_methods_supported":["client_secret_post","private_key_jwt",
				"client_secret_basic"]`},
		id: `"sub":"u-1"`, flag: `"xms_edov":true`,
		want: authcode.Identity{Issuer: base + tenant + "/v2.0", Subject: "u-1",
			Email: "ada@example.com", EmailVerified: true, Name: "Ada"},
	}
}

// hosted is a row for an OpenID provider of which there are many, at the paths of that product.
func hosted(fn, issuer, auth, token, revoke string, basic bool, preset func() authcode.Provider) *row {
	r := &row{
		fn: fn, provider: preset, auth: auth, token: token, revoke: revoke, basic: basic,
		scope: openIDScope, granted: openIDGranted, grant: openIDGrant, refusal: invalidGrant,
		openID: &openID{issuer: issuer, claims: openIDUser, extra: `,"code_challenge_methods_supported":["S256"]`},
		id:     `"sub":"u-1"`, flag: `"email_verified":true`, want: ada(issuer),
	}
	if revoke != "" {
		r.openID.extra += `,"revocation_endpoint":"` + revoke + `"`
	}
	return r
}

func tenantRows() []*row {
	const template = "https://login.microsoftonline.com/{tenantid}/v2.0"
	okta := hosted("Okta", "https://dev-1.okta.com", "https://dev-1.okta.com/oauth2/v1/authorize",
		"https://dev-1.okta.com/oauth2/v1/token", "https://dev-1.okta.com/oauth2/v1/revoke", true,
		func() authcode.Provider { return provider.Okta("dev-1.okta.com") })
	okta.openID.claims, okta.openID.userInfo = `"sub":"u-1"`, `{`+openIDUser+`}`

	realm := "https://sso.example.com/auth/realms/my%20realm"
	keycloak := hosted("Keycloak", realm, realm+"/protocol/openid-connect/auth",
		realm+"/protocol/openid-connect/token", realm+"/protocol/openid-connect/revoke", true,
		func() authcode.Provider { return provider.Keycloak("https://sso.example.com/auth/", "my realm") })
	keycloak.openID.extra += `,"authorization_response_iss_parameter_supported":true`
	keycloak.iss = realm

	cognito := hosted("Cognito", "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab12",
		"https://app.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
		"https://app.auth.eu-west-1.amazoncognito.com/oauth2/token",
		"https://app.auth.eu-west-1.amazoncognito.com/oauth2/revoke", true,
		func() authcode.Provider { return provider.Cognito("eu-west-1", "eu-west-1_Ab12") })

	return []*row{
		microsoft("Microsoft", tenant, "", func() authcode.Provider { return provider.Microsoft(strings.ToUpper(tenant)) }),
		microsoft("MicrosoftTenants", "common", template,
			func() authcode.Provider { return provider.MicrosoftTenants(another, strings.ToUpper(tenant)) }),
		microsoft("MicrosoftAnyTenant", "common", template, provider.MicrosoftAnyTenant),
		okta, keycloak, cognito,
		hosted("Auth0", "https://example.eu.auth0.com/", "https://example.eu.auth0.com/authorize",
			"https://example.eu.auth0.com/oauth/token", "https://example.eu.auth0.com/oauth/revoke", false,
			func() authcode.Provider { return provider.Auth0("example.eu.auth0.com") }),
	}
}
