package provider

import (
	"net/url"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/endpoints"
)

// LINE is LINE Login v2.1 for web apps. Its ID tokens are signed with HS256,
// whose key is the channel secret, so pass it here and to [authcode.Secret]:
// [authcode.New] refuses fewer than 32 bytes. See [oidc.HS256] for what that
// means. EmailVerified is never true: LINE does not say so.
//
//   - issuer, metadata, HS256 for web login and ES256 for native apps and LIFF:
//     developers.line.biz/en/docs/line-login/verify-id-token (the metadata lists
//     ES256 alone, and is not followed here)
//   - PKCE: developers.line.biz/en/docs/line-login/integrate-pkce
//   - id and secret in the body, refresh tokens without a parameter, access
//     tokens for 30 days and refresh tokens for 90, which a refresh may keep:
//     developers.line.biz/en/reference/line-login
//   - scope email: needs a permission of the channel, and is ignored without it:
//     developers.line.biz/en/docs/line-login/integrate-line-login
//   - revocation: left out; /oauth2/v2.1/revoke takes access_token in the place
//     of RFC 7009's token: same reference
//   - unconfirmed: the error of a wrong code
func LINE(channelSecret string) authcode.Provider {
	p := oidc.Provider("https://access.line.me", oidc.HS256(channelSecret))
	p.Name, p.Title, p.AuthStyle = "line", "LINE", oauth2.AuthStyleInParams
	p.Metadata = irrevocable(p.Metadata)
	return p
}

const (
	kakaoAPI      = "https://kapi.kakao.com/"
	kakaoVerified = "kakao_account.is_email_valid kakao_account.is_email_verified"
)

// Kakao is Kakao Login by its REST API, which works with and without the app's
// switch for OpenID Connect. The ID tokens of that switch do not say whether an
// address is verified. For an app that wants them, [oidc.Provider] takes
// https://kauth.kakao.com.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - id and secret in the body, scopes with commas, those of the app's consent
//     items if none is requested, refresh tokens without a parameter, profile,
//     is_email_valid and is_email_verified:
//     developers.kakao.com/docs/latest/en/kakaologin/rest-api
//   - a refresh keeps a refresh token that lasts for a month or more: same place
//   - the address is the person's own only if both words are true:
//     is_email_valid is false once another account has it: same place
//   - refusals, invalid_grant: developers.kakao.com/docs/latest/en/kakaologin/trouble-shooting
//   - revocation by /v1/user/logout with the access token as bearer, which ends
//     the refresh token, too: first page, "Logout"
//   - unconfirmed: PKCE (Kakao's own apps send it to this server:
//     developers.kakao.com/sdk/reference, AuthCodeClient), 401 for a token that
//     has ended
func Kakao() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "kakao", Title: "Kakao", ScopeSep: ",",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.KaKao.AuthURL, TokenURL: endpoints.KaKao.TokenURL,
			UserInfoURL: kakaoAPI + "v2/user/me", AuthStyle: oauth2.AuthStyleInParams,
			RevocationURL: kakaoAPI + "v1/user/logout",
		},
		Revocation: authcode.Revocation{Bearer: true, Read: statuses(200, 401)},
	}, profile{
		origin: "https://kauth.kakao.com", id: "id", email: "kakao_account.email",
		name:    []string{"kakao_account.profile.nickname", "properties.nickname"},
		picture: "kakao_account.profile.profile_image_url", verified: kakaoVerified,
	})
}

// Naver is Naver Login. There is no e-mail address in the Identity: a person
// chooses it, and Naver does not say whether it is verified. The id belongs to
// the app: another app sees another one.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - id, secret and state in the token request, expires_in as text, refusals:
//     developers.naver.com/docs/login/api/api.md
//   - profile, the person below response, id per app:
//     developers.naver.com/docs/login/profile/profile.md
//   - scopes: those of the app's registration, and none is requested:
//     developers.naver.com/docs/login/api/api.md
//   - refresh tokens: always; no parameter; a refresh keeps them: same place
//   - revocation: left out; it is a token request with grant_type=delete: same
//     place
//   - unconfirmed: refusals with status 200, which the root package reads either
//     way
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Naver() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "naver", Title: "Naver", TokenParams: stateParam,
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Naver.AuthURL, TokenURL: endpoints.Naver.TokenURL,
			UserInfoURL: "https://openapi.naver.com/v1/nid/me", AuthStyle: oauth2.AuthStyleInParams,
		},
	}, profile{
		origin: "https://nid.naver.com", id: "response.id",
		name: []string{"response.name", "response.nickname"}, picture: "response.profile_image",
	})
}

// stateParam is [authcode.Provider.TokenParams] of Naver.
func stateParam(callback url.Values) (url.Values, error) {
	return url.Values{"state": callback["state"]}, nil
}

// Yandex is Yandex ID. There is no e-mail address in the Identity: Yandex does
// not say whether it is verified. There is no picture either: its URL has the
// claim default_avatar_id in the middle, which consists of two segments.
//
//   - endpoints: golang.org/x/oauth2/endpoints
//   - PKCE S256, Basic or body, scopes of the app's registration if none is
//     requested: yandex.com/dev/id/doc/en/codes/code-url
//   - refresh tokens: always; no parameter; each refresh brings a new one, and
//     may bring the old access token:
//     yandex.com/dev/id/doc/en/tokens/refresh-client
//   - profile: yandex.com/dev/id/doc/en/user-information
//   - revocation: left out; /revoke_token takes access_token, and only tokens
//     of one device: yandex.com/dev/id/doc/en/tokens/token-invalidate
//   - unconfirmed: the access token with the scheme Bearer (the document has a
//     scheme of Yandex's own; github.com/nextauthjs/next-auth,
//     packages/core/src/providers/yandex.ts sends Bearer)
func Yandex() authcode.Provider {
	return withProfile(authcode.Provider{
		Name: "yandex", Title: "Yandex",
		Endpoints: authcode.Endpoints{
			AuthURL: endpoints.Yandex.AuthURL, TokenURL: endpoints.Yandex.TokenURL,
			UserInfoURL: "https://login.yandex.ru/info?format=json",
			AuthStyle:   oauth2.AuthStyleInHeader,
		},
	}, profile{
		origin: "https://oauth.yandex.com", id: "id",
		name: []string{"display_name", "real_name", "login"},
	})
}
