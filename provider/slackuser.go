package provider

import (
	"encoding/json"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// SlackUser is Slack, for apps that call its API for a person, with the scopes
// of a user token, such as SlackUser("channels:read"). Use [Slack] to sign
// people in, and no more. Both have the same Identity.Subject. Login.Token is
// the user token. Leave [authcode.Config].Scopes empty: they are those of a bot,
// whose token is dropped.
//
//   - endpoints, user_scope with commas, the user token below authed_user:
//     docs.slack.dev/authentication/installing-with-oauth
//   - Basic, code_verifier, refusals with status 200 and "ok":false:
//     docs.slack.dev/reference/methods/oauth.v2.access
//   - refresh tokens: with token rotation switched on for the app; no parameter:
//     docs.slack.dev/authentication/using-token-rotation
//   - user_id and team_id, without a scope: docs.slack.dev/reference/methods/auth.test
//   - revocation: none of RFC 7009; auth.revoke takes the access token as
//     bearer: docs.slack.dev/reference/methods/auth.revoke
//   - unconfirmed: a refreshed user token is at the top, with the token_type
//     "user" (the answer below authed_user is read as well)
//   - unconfirmed: PKCE for an app that has not switched it on
//     (docs.slack.dev/authentication/using-pkce), which makes it a public client
func SlackUser(scopes ...string) authcode.Provider {
	const api = "https://slack.com/api/"
	return checked(withProfile(authcode.Provider{
		Name: "slackuser", Title: "Slack", TokenBody: userToken,
		EndsGrant: []string{"invalid_refresh_token"},
		Endpoints: authcode.Endpoints{
			AuthURL: "https://slack.com/oauth/v2/authorize", TokenURL: api + "oauth.v2.access",
			UserInfoURL: api + "auth.test", AuthStyle: oauth2.AuthStyleInHeader,
		},
		AuthParams: map[string]string{"user_scope": strings.Join(scopes, ",")}, ScopeSep: ",",
	}, profile{
		origin: "https://slack.com", method: "POST", team: "team_id", id: "user_id",
		name: []string{"user"},
	}), unless(strings.Join(scopes, "") != "", "SlackUser"+wantScope))
}

// ofOneToken are the members of an answer that describe one token.
var ofOneToken = []string{"access_token", "token_type", "expires_in", "refresh_token", "scope"}

// userToken is [authcode.Provider.TokenBody] of Slack. It puts the person's
// token in the place of a bot's, which would act for the whole team. An answer
// with a bot's token alone stays as it is: its token_type is refused.
func userToken(body []byte) ([]byte, error) {
	answer, err := wire.ParseObject(body)
	if err != nil {
		return body, nil // the root package refuses it
	}
	user, err := wire.ParseObject([]byte(answer["authed_user"]))
	if err == nil && user["access_token"] != "" {
		for _, name := range ofOneToken {
			delete(answer, name)
			if raw, has := user[name]; has {
				answer[name] = raw
			}
		}
	}
	if kind, _ := answer.Text("token_type"); kind == "user" {
		answer["token_type"] = `"Bearer"`
	}
	delete(answer, "authed_user") // it has the same token again
	return json.Marshal(answer)
}
