package provider

import (
	"encoding/json"
	"strings"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

const microsoft = "https://login.microsoftonline.com/"

// Microsoft is one tenant of Microsoft Entra ID, by its id: a GUID.
// [authcode.New] refuses a domain, and names such as "common". See
// [MicrosoftTenants] for several.
//
//   - issuer with the tenant's id, discovery, claims:
//     learn.microsoft.com/entra/identity-platform/v2-protocols-oidc,
//     /id-token-claims-reference
//   - id and secret in the body, PKCE, offline_access for a refresh token:
//     learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
//   - e-mail addresses are what a tenant's administrator typed in. Without the
//     optional claim xms_edov, which says that the domain's owner is verified,
//     there is none in the Identity:
//     learn.microsoft.com/entra/identity-platform/optional-claims-reference
//   - unconfirmed: xms_edov as 1 or "1", as in the tests of other clients
//   - revocation: discovery has no endpoint:
//     github.com/DuendeArchive/Support/issues/988
func Microsoft(tenant string) authcode.Provider {
	tenant = strings.ToLower(tenant) // as the issuer is written
	p := entra(oidc.Provider(microsoft + tenant + "/v2.0"))
	return checked(p, unless(isGUID(tenant), "Microsoft: the tenant"+wantTenant))
}

// MicrosoftTenants is several tenants of Microsoft Entra ID, by their ids.
// People of other tenants are not admitted. The issuer of a token must be the
// one of its tid.
func MicrosoftTenants(ids ...string) authcode.Provider {
	ids = lowered(ids) // as tid is written
	p := entra(oidc.Provider(microsoft+"{tenantid}/v2.0", oidc.Tenants(ids...), commonMetadata()))
	return checked(p, tenantFaults(ids)...)
}

// MicrosoftAnyTenant is every tenant of Microsoft Entra ID and every personal
// Microsoft account. Anybody can create a tenant, so do not rely on what its
// administrator says about people.
func MicrosoftAnyTenant() authcode.Provider {
	return entra(oidc.Provider(microsoft+"{tenantid}/v2.0", commonMetadata()))
}

// commonMetadata names the metadata document whose issuer is a template.
func commonMetadata() oidc.Option {
	return oidc.MetadataURL(microsoft + "common/v2.0/.well-known/openid-configuration")
}

// entra adds what all presets for Microsoft have in common.
func entra(p authcode.Provider) authcode.Provider {
	p.Name, p.Title, p.AuthStyle = "microsoft", "Microsoft", oauth2.AuthStyleInParams
	p.Scopes = append(p.Scopes, "offline_access")
	p.Identity = adjusted(p.Identity, verifiedDomain)
	return p
}

// verifiedDomain keeps an e-mail address only if Microsoft says whether its
// domain is verified. Otherwise the administrator of any tenant could give a
// user of theirs the address of somebody else, and take over that person's
// account in an app that looks accounts up by address.
func verifiedDomain(id *authcode.Identity, _ *authcode.TokenResponse) {
	email, _ := id.Claims["email"].(string)
	switch id.Claims["xms_edov"] {
	case true, json.Number("1"), "1", "true":
		id.Email, id.EmailVerified = email, email != ""
	case false, json.Number("0"), "0", "false":
		id.Email, id.EmailVerified = email, false
	default:
		id.Email, id.EmailVerified = "", false
	}
}
