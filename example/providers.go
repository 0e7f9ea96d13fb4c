package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
)

// env returns a variable that begins with the name of a provider: env("CLIENT_ID") may be GITHUB_CLIENT_ID.
type env func(name string) string

// presets are the providers that are offered where the environment has NAME_CLIENT_ID and NAME_CLIENT_SECRET.
var presets = map[string]func(env) authcode.Provider{
	"AMAZON": always(provider.Amazon), "ATLASSIAN": always(provider.Atlassian), "BITBUCKET": always(provider.Bitbucket),
	"DISCORD": always(provider.Discord), "DROPBOX": always(provider.Dropbox), "FACEBOOK": always(provider.Facebook),
	"GITHUB": always(provider.GitHub), "GITLAB": always(gitlab), "LINKEDIN": always(provider.LinkedIn),
	"NOTION": always(provider.Notion), "REDDIT": always(provider.Reddit), "SALESFORCE": always(provider.Salesforce),
	"SLACK": always(provider.Slack), "SPOTIFY": always(provider.Spotify), "STRAVA": always(provider.Strava),
	"TIKTOK": always(provider.TikTok), "TWITCH": always(provider.Twitch), "X": always(provider.X),
	"YAHOO": always(provider.Yahoo), "ZOHO": always(provider.Zoho), "ZOOM": always(provider.Zoom),
	"APPLE":     always(provider.Apple), // also APPLE_TEAM_ID, APPLE_KEY_ID, and the .p8 file as the secret
	"GOOGLE":    func(env) authcode.Provider { return provider.Google() },
	"MICROSOFT": always(provider.MicrosoftAnyTenant), // provider.Microsoft is for one tenant
	"AUTH0":     func(e env) authcode.Provider { return provider.Auth0(e("DOMAIN")) },
	"OKTA":      func(e env) authcode.Provider { return provider.Okta(e("DOMAIN")) },
	"GITEA":     func(e env) authcode.Provider { return provider.Gitea(e("URL")) },
	"KEYCLOAK":  func(e env) authcode.Provider { return provider.Keycloak(e("URL"), e("REALM")) },
	"COGNITO":   func(e env) authcode.Provider { return provider.Cognito(e("REGION"), e("POOL")) },
}

func always(p func() authcode.Provider) func(env) authcode.Provider {
	return func(env) authcode.Provider { return p() }
}

// addProviders adds every provider that there are credentials for, or else one that runs inside this program.
func (a *app) addProviders(getenv func(string) string, issuer, id, secret string) error {
	var failures []error
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		e := env(func(what string) string { return getenv(name + "_" + what) })
		if e("CLIENT_ID") == "" {
			continue
		}
		auth := authcode.Secret(e("CLIENT_SECRET"))
		switch name {
		case "LINKEDIN":
			auth = provider.InsecureLinkedInSecret(e("CLIENT_SECRET"))
		case "APPLE":
			auth = provider.AppleSecret(e("TEAM_ID"), e("KEY_ID"), []byte(e("CLIENT_SECRET")))
		}
		failures = append(failures, a.add(authcode.Config{Provider: presets[name](e), ClientID: e("CLIENT_ID"), ClientAuth: auth}))
	}
	if issuer != "" {
		cfg := authcode.Config{Provider: oidc.Provider(issuer), ClientID: id, ClientAuth: authcode.Secret(secret)}
		failures = append(failures, a.add(cfg))
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	server := authtest.NewServer(a.base + "/auth/authtest/callback")
	server.SetConsent(authtest.Ask)
	return a.add(server.Config())
}

// add makes the Client of a provider. Its paths follow from its name.
func (a *app) add(cfg authcode.Config) error {
	name := cfg.Provider.Name
	cfg.LoginURL, cfg.RedirectURL = "/auth/"+name, a.base+"/auth/"+name+"/callback"
	cfg.CookieKeys, cfg.OnError = [][]byte{a.key}, loginFailed
	client, err := authcode.New(cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	a.logins = append(a.logins, &login{Name: name, URL: cfg.LoginURL, client: client, formPost: cfg.Provider.FormPost})
	return nil
}

func gitlab() authcode.Provider { return provider.GitLab("https://gitlab.com") }
