package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
)

// presets are offered where the environment has NAME_CLIENT_ID and NAME_CLIENT_SECRET. Package
// provider has more.
var presets = map[string]authcode.Provider{
	"AMAZON": provider.Amazon(), "ATLASSIAN": provider.Atlassian(), "DISCORD": provider.Discord(),
	"DROPBOX": provider.Dropbox(), "FACEBOOK": provider.Facebook(), "GITHUB": provider.GitHub(),
	"GITLAB": provider.GitLab("https://gitlab.com"), "GOOGLE": provider.Google(),
	"MICROSOFT": provider.MicrosoftAnyTenant(), "SLACK": provider.Slack(), "X": provider.X(),
	"SPOTIFY": provider.Spotify(), "TWITCH": provider.Twitch(), "OIDC": {}, // also OIDC_ISSUER
}

// addProviders adds every provider that there are credentials for, or else one inside this program.
func (a *app) addProviders(getenv func(string) string) (err error) {
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		id, secret := getenv(name+"_CLIENT_ID"), getenv(name+"_CLIENT_SECRET")
		cfg := authcode.Config{Provider: presets[name], ClientID: id, ClientAuth: authcode.Secret(secret)}
		if name == "OIDC" {
			cfg.Provider = oidc.Provider(getenv("OIDC_ISSUER"))
		}
		if id != "" {
			err = errors.Join(err, a.add(cfg))
		}
	}
	if err != nil || len(a.logins) > 0 {
		return err
	}
	a.signedOut = a.base + "/"
	callbacks, home := []string{a.base + "/auth/authtest/callback"}, []string{a.signedOut}
	server := authtest.NewServer(callbacks[0])
	server.SetConsent(authtest.Ask)
	return a.add(server.Register(authtest.Registration{
		ClientSecret: "s3cret", RedirectURLs: callbacks, PostLogoutRedirectURLs: home,
	}))
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
	a.logins = append(a.logins, &login{name, cmp.Or(cfg.Provider.Title, name), cfg.LoginURL, client})
	return nil
}
