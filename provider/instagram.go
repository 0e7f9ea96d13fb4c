package provider

import (
	"encoding/json"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

const instagramFields = "user_id,username,name,profile_picture_url"

// Instagram is the Instagram API with Instagram Login, for professional
// accounts: the API has no other people. It has no e-mail addresses. The token
// lasts for an hour. [authcode.Client.Refresh] cannot renew it; the API
// exchanges it for one of 60 days, at
// https://graph.instagram.com/access_token.
//
//   - AuthURL, TokenURL, id and secret in the body, scopes with commas, an
//     answer within a list named data, "#_" at the end of the callback's URL:
//     developers.facebook.com/docs/instagram-platform, "Business Login for
//     Instagram"
//   - tokens of 60 days: same place, "Access Token"
//   - profile with user_id: same place, "Get Started"
//   - refresh tokens: none; a token of 60 days is renewed with itself: same
//     place, "Refresh Access Token"
//   - unconfirmed: revocation (undocumented)
//   - unconfirmed: an answer without that list, and a profile without one (other
//     clients have seen both), the access token as bearer header (the document
//     has a parameter)
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Instagram() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "instagram", Title: "Instagram", TokenBody: firstOfData,
		Endpoints: authcode.Endpoints{
			AuthURL:     "https://www.instagram.com/oauth/authorize",
			TokenURL:    "https://api.instagram.com/oauth/access_token",
			UserInfoURL: "https://graph.instagram.com/me?fields=" + instagramFields,
			AuthStyle:   oauth2.AuthStyleInParams,
		},
		Scopes: []string{"instagram_business_basic"}, ScopeSep: ",", AddsFragment: true,
	}, profile{
		origin: "https://www.instagram.com", id: "user_id", name: []string{"name", "username"},
		picture: "profile_picture_url",
	})
}

// firstOfData is [authcode.Provider.TokenBody] of Instagram. The list has one
// object; with another number of them, nobody knows whose token it is.
func firstOfData(body []byte) ([]byte, error) {
	answer, err := wire.ParseObject(body)
	if err != nil {
		return body, nil // the root package refuses it
	}
	var list []wire.Raw
	if err := json.Unmarshal([]byte(answer["data"]), &list); err != nil || len(list) != 1 {
		return body, nil
	}
	return []byte(list[0]), nil
}
