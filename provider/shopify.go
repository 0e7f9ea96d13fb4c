package provider

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
	"golang.org/x/oauth2"
)

const (
	shopDomain = ".myshopify.com"
	minSecret  = 14 // bytes: with a shorter key, crypto/hmac panics in FIPS 140-only mode
)

// Shopify is the admin of one shop, such as example.myshopify.com; the name
// before .myshopify.com is enough. [authcode.New] refuses any other host: the
// request that names the shop to an app can be written by anybody.
//
// The login is that of a member of the shop's staff, with a token for that
// person (online access mode), which lasts for a day or until the person signs
// out there. Shopify signs the callback with the client secret, so pass it here
// and to [authcode.Secret]. A callback that is not signed is refused (Check
// callback.hmac): without PKCE it is what ties the code to the login. Set
// Scopes; they are separated by commas.
//
// The API takes the token in the header X-Shopify-Access-Token, and none as
// bearer: [authcode.Client.APIClient] does not fit.
//
//   - endpoints, hmac of the callback, grant_options[]=per-user, id and secret
//     in the body: shopify.dev/docs/apps/build/authentication-authorization,
//     "Implement authorization code grant manually"
//   - what is signed, sorted and form-encoded: github.com/Shopify/shopify-api-ruby,
//     lib/shopify_api/auth/oauth/auth_query.rb and utils/hmac_validator.rb
//   - the person as associated_user in the token answer, email_verified:
//     community.shopify.com/t/how-to-check-if-shops-email-is-verified/328396;
//     unconfirmed: its members (id, first_name, last_name; other clients have
//     them so)
//   - refresh tokens: none; the token ends with the person's session, after a day
//     at the latest:
//     shopify.dev/docs/apps/build/authentication-authorization/access-tokens/online-access-tokens
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored), a form as token request (the document shows JSON), revocation
func Shopify(shop, clientSecret string) authcode.Provider {
	name := strings.TrimSuffix(strings.ToLower(shop), shopDomain)
	base := "https://" + name + shopDomain
	return checked(withProfile(authcode.Provider{
		Name: "shopify", Title: "Shopify", ScopeSep: ",", TokenParams: signedBy(clientSecret),
		Endpoints: authcode.Endpoints{
			AuthURL: base + "/admin/oauth/authorize", TokenURL: base + "/admin/oauth/access_token",
			AuthStyle: oauth2.AuthStyleInParams,
		},
		AuthParams: map[string]string{"grant_options[]": "per-user"},
	}, profile{
		origin: base, answer: []string{staff}, id: staff + ".id", email: staff + ".email",
		name: []string{staffName}, verified: staff + ".email_verified",
	}), shopFaults(name, clientSecret)...)
}

const (
	staff     = "associated_user" // the member of a token answer that says who signed in
	staffName = staff + ".first_name " + staff + ".last_name"
)

// shopFaults lists what is wrong with the arguments of Shopify.
func shopFaults(name, clientSecret string) []string {
	return []string{
		unless(isShop(name), "Shopify"+wantShop),
		unless(len(clientSecret) >= minSecret, "Shopify"+wantSecret),
	}
}

// isShop reports whether name can be that of a shop: one label of a host name.
func isShop(name string) bool {
	return consists(name, lower) && name[0] != '-' && len(name) <= 63 // RFC 1035 section 2.3.4
}

// signedBy returns [authcode.Provider.TokenParams] of Shopify. It adds nothing
// to the token request, and refuses a callback that the provider has not signed
// with the client secret. The state in that callback has its own age, so the
// timestamp is not looked at.
func signedBy(clientSecret string) func(url.Values) (url.Values, error) {
	key := secret.Hide(clientSecret)
	return func(callback url.Values) (url.Values, error) {
		got := callback.Get("hmac")
		callback.Del("hmac")
		mac := hmac.New(sha256.New, []byte(key.Reveal()))
		mac.Write([]byte(callback.Encode()))
		if !hmac.Equal([]byte(got), fmt.Appendf(nil, "%x", mac.Sum(nil))) {
			return nil, refuse(authcode.Forged, "callback.hmac")
		}
		return nil, nil
	}
}
