package try

import (
	"errors"
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
func fromEnvironment(getenv func(string) string) ([]credentials, error) {
	var found []credentials
	var faults []string
	for _, p := range presets {
		c := credentials{preset: p, clientID: getenv(p.prefix + "_CLIENT_ID")}
		if !p.noSecret {
			c.secret = getenv(p.prefix + "_CLIENT_SECRET")
		}
		if c.clientID == "" && c.secret == "" {
			continue
		}
		faults = append(faults, c.read(getenv)...)
		found = append(found, c)
	}
	if len(faults) > 0 {
		return nil, errors.New(strings.Join(faults, "; "))
	}
	return found, nil
}

// read fills in c.value and says what is missing or no such value.
func (c *credentials) read(getenv func(string) string) (faults []string) {
	for _, name := range c.variables() {
		if getenv(name) == "" {
			return []string{fmt.Sprintf("%s is missing: %s needs %s", name, c.title,
				strings.Join(c.variables(), ", "))}
		}
	}
	for _, v := range c.more {
		value := getenv(c.prefix + "_" + v.name)
		if !v.ok.MatchString(value) {
			// The value stays out: somebody may have put a key where its file belongs.
			faults = append(faults, fmt.Sprintf("%s_%s is not %s", c.prefix, v.name, v.want))
		}
		c.value = append(c.value, value)
	}
	return faults
}

// add offers the provider to the app.
func (c *credentials) add(app *app, keys [][]byte, base *http.Transport) error {
	auth := authcode.Secret(c.secret)
	if c.auth != nil {
		auth = c.auth(c.secret, c.value)
	}
	if auth.Err != nil {
		return fmt.Errorf("%s: %w", c.title, auth.Err)
	}
	p := c.provider(c.value)
	if p.FormPost && !strings.HasPrefix(app.base, "https://") {
		return fmt.Errorf("%s posts its answer, which needs https: set -base-url https://… "+
			"(behind a proxy), or -tls-cert and -tls-key", c.title)
	}
	err := app.add(authcode.Config{
		Provider: p, ClientID: c.clientID, ClientAuth: auth, CookieKeys: keys, Transport: base,
		Wrap: named,
	}, signIn{
		title: "with " + c.title, place: "at " + c.title, hint: host(p), accessOnly: c.accessOnly,
		credentials: strings.Join(c.variables(), ", "),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.title, err)
	}
	return nil
}
