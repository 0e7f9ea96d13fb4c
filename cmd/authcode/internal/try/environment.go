package try

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.com/authcode"
)

// credentials are a preset and its values from the environment.
type credentials struct {
	preset
	clientID, secret string
	value            []string // the values of preset.more, in its order
}

// variables returns the names of all environment variables that p needs.
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

// fromEnvironment returns the presets for which the environment has a client id
// or a secret.
func fromEnvironment(getenv func(string) string) ([]credentials, error) {
	var found []credentials
	var faults []string
	for _, p := range presets {
		c := credentials{preset: p, clientID: getenv(p.prefix + "_CLIENT_ID")}
		if !p.noSecret {
			c.secret = getenv(p.prefix + "_CLIENT_SECRET")
		}
		// If only one is set, read reports it. If neither is set, the provider
		// is not wanted.
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

// read fills in c.value. It says which variables are missing or malformed.
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
			// The value is not repeated: somebody may have put a key where the
			// name of its file belongs.
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
		// A cookie without Secure cannot be SameSite=None, and a browser sends
		// no other cookie with the provider's POST.
		return fmt.Errorf("%s posts its answer, which needs https: set -base-url https://… "+
			"(behind a proxy), or -tls-cert and -tls-key", c.title)
	}
	err := app.add(authcode.Config{
		Provider: p, ClientID: c.clientID, ClientAuth: auth, CookieKeys: keys, Transport: base,
		Wrap: withUserAgent,
	}, signIn{
		title: "with " + c.title, place: "at " + c.title, hint: host(p), accessOnly: c.accessOnly,
		credentials: strings.Join(c.variables(), ", "),
	})
	if err != nil {
		return fmt.Errorf("%s: %w", c.title, err)
	}
	return nil
}
