package main

import (
	"fmt"
	"net/http"
	"strings"

	"example.com/authcode"
)

// credentials are a preset and what the environment says for it.
type credentials struct {
	preset
	clientID, secret string
	value            []string // of preset.more, in its order
}

// variables are the names of all that p needs.
func (p *preset) variables() []string {
	names := []string{p.prefix + "_CLIENT_ID"}
	if !p.noSecret {
		names = append(names, p.prefix+"_CLIENT_SECRET")
	}
	for _, v := range p.more {
		names = append(names, p.prefix+"_"+v.name)
	}
	return names
}

// fromEnvironment returns the presets that the environment has a client id or a secret for.
func fromEnvironment(getenv func(string) string) (found []credentials, err error) {
	for _, p := range presets {
		c := credentials{preset: p, clientID: getenv(p.prefix + "_CLIENT_ID")}
		if !p.noSecret {
			c.secret = getenv(p.prefix + "_CLIENT_SECRET")
		}
		if c.clientID == "" && c.secret == "" {
			continue
		}
		for _, name := range p.variables() {
			if getenv(name) == "" {
				return nil, fmt.Errorf("%s is missing: %s needs %s", name, p.title,
					strings.Join(p.variables(), ", "))
			}
		}
		for _, v := range p.more {
			value := getenv(p.prefix + "_" + v.name)
			if !v.ok.MatchString(value) {
				// The value stays out: somebody may have put a key where its file belongs.
				return nil, fmt.Errorf("%s_%s is not %s", p.prefix, v.name, v.want)
			}
			c.value = append(c.value, value)
		}
		found = append(found, c)
	}
	return found, nil
}

// add offers the provider to the app.
func (c *credentials) add(app *app, keys [][]byte, client *http.Client) error {
	auth, err := authcode.Secret(c.secret), error(nil)
	if c.auth != nil {
		auth, err = c.auth(c.secret, c.value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", c.title, err)
	}
	p := c.provider(c.value)
	err = app.add(authcode.Config{
		Provider: p, ClientID: c.clientID, ClientAuth: auth, CookieKeys: keys, HTTPClient: client,
	}, signIn{title: c.title, hint: host(p), accessOnly: c.accessOnly})
	if err != nil {
		return fmt.Errorf("%s: %w", c.title, err)
	}
	return nil
}
