package authcode

import (
	"context"
	"maps"
	"net/url"
	"strings"

	"example.com/authcode/internal/form"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// paramsMember is the member of a token that has what Provider.TokenParams
// returned at its login, as a form. Each refresh sends it again.
const paramsMember = ownMembers + "params"

// addTokenParams adds to the token request form what Provider.TokenParams makes
// of the callback, and returns that.
func (c *Client) addTokenParams(
	ctx context.Context, form, callback url.Values,
) (url.Values, error) {
	p := &c.cfg.Provider
	if p.TokenParams == nil {
		return nil, nil
	}
	more, err := p.TokenParams(maps.Clone(callback)) // Identity gets the callback, too
	if err != nil {
		return nil, seamError(ctx, err, Malformed, "token_params",
			"Provider.TokenParams refused the callback")
	}
	for key, values := range more {
		// RFC 6749 section 3.2 forbids repeated parameters.
		if !c.isTokenParam(key) || len(values) != 1 || hasParam(form, key) {
			return nil, errorf(Configuration, "token_params.reserved", "Provider.TokenParams returned a "+
				"parameter that the login sets itself, that does not have one value, or whose "+
				"name is malformed: make it return others")
		}
		form.Set(key, values[0])
	}
	return more, nil
}

// isTokenParam reports whether Provider.TokenParams may set the parameter key.
// One from the callback must not replace the code, the verifier or the
// credentials.
func (c *Client) isTokenParam(key string) bool {
	// RFC 6749 gives state no meaning in a token request, and the server that
	// gets it has sent it. VK ID demands it.
	return (isFreeParam(key) || key == "state") &&
		!strings.EqualFold(key, c.cfg.Provider.ClientIDParam)
}

// hasParam reports whether form has the parameter key. Some servers ignore case.
func hasParam(form url.Values, key string) bool {
	return hasKey(form, func(name string) bool { return strings.EqualFold(name, key) })
}

// keepTokenParams makes more a member of a login's answer.
func keepTokenParams(answer wire.Object, more url.Values) {
	if len(more) > 0 {
		answer[paramsMember] = jsonString(form.Encode(more))
	}
}

// addKeptParams adds to the form of a refresh what Provider.TokenParams returned
// at the login of t, but for what the form has already.
func (c *Client) addKeptParams(form url.Values, t *oauth2.Token) error {
	text, _ := t.Extra(paramsMember).(string)
	if c.cfg.Provider.TokenParams == nil {
		return nil
	}
	kept, err := url.ParseQuery(text)
	// Somebody who can change a stored token must not choose the credentials.
	isForeign := func(key string) bool { return !c.isTokenParam(key) || len(kept[key]) != 1 }
	if err != nil || hasKey(kept, isForeign) {
		return errorf(Malformed, "token.params", "the parameters that Provider.TokenParams returned "+
			"at the login of this token have changed: store what MarshalToken returns, unchanged")
	}
	for key := range kept {
		if !hasParam(form, key) {
			form.Set(key, kept.Get(key))
		}
	}
	return nil
}
