package try

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// preset is a provider of package provider, with the environment variables that
// configure it: PREFIX_CLIENT_ID, PREFIX_CLIENT_SECRET, and what else it needs.
type preset struct {
	prefix, title string
	more          []variable // besides PREFIX_CLIENT_ID and PREFIX_CLIENT_SECRET
	provider      func(value []string) authcode.Provider
	accessOnly    bool // the revocation endpoint refuses refresh tokens

	// auth makes the client authentication. If nil, it is authcode.Secret.
	auth     func(secret string, value []string) authcode.ClientAuth
	noSecret bool // PREFIX_CLIENT_SECRET is not used
}

// variable is one more setting of a preset.
type variable struct {
	name, want string
	ok         *regexp.Regexp
}

// Package provider checks its arguments, too. These patterns name the variable
// that is wrong.
var (
	hostPattern = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	wordPattern = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	linePattern = regexp.MustCompile(`^[^\n]+$`)
	urlPattern  = regexp.MustCompile(`^(https://|http://(localhost|127\.0\.0\.1)[:/])[^?#]+$`)
	guids       = regexp.MustCompile(`^(any|` + guid + `(,` + guid + `)*)$`)
)

const guid = `[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`

var (
	domain = variable{
		"DOMAIN", "a host name such as login.example.com, without https://", hostPattern,
	}
	base = variable{"URL", "an https URL such as https://sso.example.com", urlPattern}
)

// presets are the presets of package provider, in the order of the buttons.
var presets = []preset{
	{prefix: "AMAZON", title: "Amazon", provider: fixed(provider.Amazon)},
	apple,
	{prefix: "ATLASSIAN", title: "Atlassian", provider: fixed(provider.Atlassian)},
	{prefix: "AUTH0", title: "Auth0", more: []variable{domain},
		provider: withArgument(provider.Auth0)},
	{prefix: "BITBUCKET", title: "Bitbucket", provider: fixed(provider.Bitbucket)},
	{prefix: "BITBUCKETDATACENTER", title: "Bitbucket Data Center", more: []variable{base},
		provider: withArgument(provider.BitbucketDataCenter)},
	{prefix: "COGNITO", title: "Cognito", more: []variable{
		{"REGION", "a region such as eu-west-1", wordPattern},
		{"POOL", "a user pool such as eu-west-1_Ab12Cd34", wordPattern},
	}, provider: withTwoArguments(provider.Cognito)},
	{prefix: "DISCORD", title: "Discord", provider: fixed(provider.Discord)},
	{prefix: "DROPBOX", title: "Dropbox", provider: fixed(provider.Dropbox)},
	{prefix: "FACEBOOK", title: "Facebook", provider: fixed(provider.Facebook)},
	{prefix: "GITEA", title: "Gitea", more: []variable{base}, provider: withArgument(provider.Gitea)},
	{prefix: "GITHUB", title: "GitHub", provider: fixed(provider.GitHub)},
	{prefix: "GITHUBENTERPRISE", title: "GitHub Enterprise", more: []variable{base},
		provider: withArgument(provider.GitHubEnterprise)},
	{prefix: "GITLAB", title: "GitLab", provider: fixed(func() authcode.Provider {
		return provider.GitLab("https://gitlab.com")
	})},
	{prefix: "GOOGLE", title: "Google",
		provider: func([]string) authcode.Provider { return provider.Google() }},
	{prefix: "KEYCLOAK", title: "Keycloak", more: []variable{
		base, {"REALM", "the name of a realm", linePattern},
	}, provider: withTwoArguments(provider.Keycloak)},
	{prefix: "LINKEDIN", title: "LinkedIn", provider: fixed(provider.LinkedIn),
		auth: func(secret string, _ []string) authcode.ClientAuth {
			return provider.InsecureLinkedInSecret(secret)
		}},
	{prefix: "MATTERMOST", title: "Mattermost", more: []variable{base},
		provider: withArgument(provider.Mattermost)},
	{prefix: "MICROSOFT", title: "Microsoft", more: []variable{
		{"TENANT", "tenant ids (GUIDs) separated by commas, or any", guids},
	}, provider: microsoft},
	{prefix: "NEXTCLOUD", title: "Nextcloud", more: []variable{base},
		provider: withArgument(provider.Nextcloud)},
	{prefix: "NOTION", title: "Notion", provider: fixed(provider.Notion)},
	{prefix: "OKTA", title: "Okta", more: []variable{domain}, provider: withArgument(provider.Okta)},
	{prefix: "REDDIT", title: "Reddit", provider: fixed(provider.Reddit)},
	{prefix: "SALESFORCE", title: "Salesforce", provider: fixed(provider.Salesforce)},
	{prefix: "SLACK", title: "Slack", provider: fixed(provider.Slack)},
	{prefix: "SLACKUSER", title: "Slack (user token)", more: []variable{
		{"SCOPES", "scopes of a user token, separated by commas", linePattern},
	}, provider: withArgument(slackUser)},
	{prefix: "SPOTIFY", title: "Spotify", provider: fixed(provider.Spotify)},
	{prefix: "STRAVA", title: "Strava", provider: fixed(provider.Strava)},
	{prefix: "TIKTOK", title: "TikTok", provider: fixed(provider.TikTok), accessOnly: true},
	{prefix: "TWITCH", title: "Twitch", provider: fixed(provider.Twitch), accessOnly: true},
	{prefix: "VK", title: "VK", provider: fixed(provider.VK), noSecret: true,
		auth: func(string, []string) authcode.ClientAuth { return authcode.Public() }},
	{prefix: "X", title: "X", provider: fixed(provider.X)},
	{prefix: "YAHOO", title: "Yahoo", provider: fixed(provider.Yahoo)},
	{prefix: "ZOHO", title: "Zoho", provider: fixed(provider.Zoho)},
	{prefix: "ZOOM", title: "Zoom", provider: fixed(provider.Zoom), accessOnly: true},
}

// fixed is for a preset without arguments.
func fixed(f func() authcode.Provider) func([]string) authcode.Provider {
	return func([]string) authcode.Provider { return f() }
}

// withArgument is for a preset with one argument.
func withArgument(f func(string) authcode.Provider) func([]string) authcode.Provider {
	return func(value []string) authcode.Provider { return f(value[0]) }
}

// withTwoArguments is for a preset with two arguments.
func withTwoArguments(f func(a, b string) authcode.Provider) func([]string) authcode.Provider {
	return func(value []string) authcode.Provider { return f(value[0], value[1]) }
}

// microsoft chooses the preset by the number of tenants. "any" must be written
// out: an empty variable must not admit everybody.
func microsoft(value []string) authcode.Provider {
	tenants := strings.Split(value[0], ",")
	switch {
	case value[0] == "any":
		return provider.MicrosoftAnyTenant()
	case len(tenants) == 1:
		return provider.Microsoft(tenants[0])
	}
	return provider.MicrosoftTenants(tenants...)
}

// slackUser takes its scopes as a list with commas.
func slackUser(scopes string) authcode.Provider {
	return provider.SlackUser(strings.Split(scopes, ",")...)
}

// apple authenticates with a key in place of a secret. The file is read when
// the app starts, so that a wrong name shows at once.
var apple = preset{
	prefix: "APPLE", title: "Apple", provider: fixed(provider.Apple), noSecret: true,
	more: []variable{
		{"TEAM_ID", "the id of the team", wordPattern},
		{"KEY_ID", "the id of the key", wordPattern},
		{"KEY_FILE", "the name of the key's .p8 file", linePattern},
	},
	auth: func(_ string, value []string) authcode.ClientAuth {
		key, err := os.ReadFile(value[2])
		if err != nil {
			// Leave out the file name: somebody may have set it to the key
			// itself.
			return authcode.ClientAuth{
				Err: fmt.Errorf("APPLE_KEY_FILE cannot be read (%w): name the .p8 file from Apple",
					errors.Unwrap(err)),
			}
		}
		return provider.AppleSecret(value[0], value[1], key)
	},
}
