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

// presets are the providers that are offered where the environment has NAME_CLIENT_ID and NAME_CLIENT_SECRET. Package
// provider has more.
var presets = map[string]func(env) authcode.Provider{
	"AMAZON": always(provider.Amazon), "ATLASSIAN": always(provider.Atlassian), "BITBUCKET": always(provider.Bitbucket),
	"DISCORD": always(provider.Discord), "DROPBOX": always(provider.Dropbox), "FACEBOOK": always(provider.Facebook),
	"GITHUB": always(provider.GitHub), "SLACK": always(provider.Slack), "SPOTIFY": always(provider.Spotify),
	"TWITCH": always(provider.Twitch), "X": always(provider.X), "MICROSOFT": always(provider.MicrosoftAnyTenant),
	"GOOGLE":   func(env) authcode.Provider { return provider.Google() },
	"GITLAB":   func(env) authcode.Provider { return provider.GitLab("https://gitlab.com") },
	"KEYCLOAK": func(e env) authcode.Provider { return provider.Keycloak(e("URL"), e("REALM")) },
	"OIDC":     func(e env) authcode.Provider { return oidc.Provider(e("ISSUER")) },
}

func always(p func() authcode.Provider) func(env) authcode.Provider {
	return func(env) authcode.Provider { return p() }
}

// addProviders adds every provider that there are credentials for, or else one that runs inside this program.
func (a *app) addProviders(getenv func(string) string) (err error) {
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		e := env(func(what string) string { return getenv(name + "_" + what) })
		if e("CLIENT_ID") != "" {
			err = errors.Join(err, a.add(authcode.Config{
				Provider: presets[name](e), ClientID: e("CLIENT_ID"), ClientAuth: authcode.Secret(e("CLIENT_SECRET")),
			}))
		}
	}
	if err != nil || len(a.logins) > 0 {
		return err
	}
	server := authtest.NewServer(a.base + "/auth/authtest/callback")
	server.SetConsent(authtest.Ask)
	return a.add(server.Config())
}

// add makes the Client of a provider. Its paths follow from its name.
func (a *app) add(cfg authcode.Config) error {
	name := cfg.Provider.Name
	cfg.LoginURL, cfg.RedirectURL = "/auth/"+name, a.base+"/auth/"+name+"/callback"
	cfg.CookieKeys = [][]byte{a.key}
	client, err := authcode.New(cfg)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	a.logins = append(a.logins, &login{name, cfg.LoginURL, client})
	return nil
}
