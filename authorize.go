package authcode

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/authcode/internal/urls"
	"example.com/authcode/internal/wire"
)

const maxValues = 512 // bytes

// AuthOption changes one login. See [Param], [Scopes], [ReturnTo], [ReturnToParam], [Value].
type AuthOption interface {
	apply(*http.Request, *authRequest) error
}

type authOption func(*http.Request, *authRequest) error

func (o authOption) apply(r *http.Request, a *authRequest) error { return o(r, a) }

// authRequest is an authorization request in the making.
type authRequest struct {
	attempt
	params     url.Values
	valueBytes int
}

// Param adds a parameter to the authorization request, once per value, such as
// Param("prompt", "login"). It replaces one of [Provider.AuthParams]. Names that the protocol sets
// itself (state, scope, redirect_uri, …) are refused with [Configuration]. So are values that cannot be
// right: of max_age (seconds, a whole number), of resource (absolute URIs without fragment, RFC 8707
// section 2; a single one is named in the token request too), and of authorization_details (a JSON array of
// objects that each have a type, RFC 9396 section 2; what was granted is in [Login.Token], as
// Extra("authorization_details")).
func Param(key string, values ...string) AuthOption {
	values = slices.Clone(values)
	return authOption(func(_ *http.Request, a *authRequest) error {
		if !isFreeParam(key) || len(values) == 0 {
			return fail(Configuration, "param.reserved", "Param(%q): no value, or a name that the protocol sets itself", key)
		}
		switch strings.ToLower(key) {
		case "max_age":
			seconds, ok := parseMaxAge(values[0])
			if !ok || len(values) > 1 || len(a.params[key]) > 0 || key != "max_age" {
				return fail(Configuration, "param.max_age", "Param max_age: want one whole number of seconds, once")
			}
			a.maxAge = seconds
		case "resource":
			if slices.ContainsFunc(values, isNotResource) {
				return fail(Configuration, "param.resource", "Param resource: want absolute URIs without fragment")
			}
		case "authorization_details":
			if len(values) > 1 || !areDetails(values[0]) {
				return fail(Configuration, "param.authorization_details", "Param authorization_details: want one JSON array of objects, each with a type")
			}
		}
		if a.params == nil {
			a.params = make(url.Values)
		}
		a.params[key] = append(a.params[key], values...)
		return nil
	})
}

func isNotResource(uri string) bool {
	u, err := url.Parse(uri)
	return err != nil || !u.IsAbs() || strings.Contains(uri, "#")
}

func areDetails(text string) bool {
	var details []json.RawMessage
	if json.Unmarshal([]byte(text), &details) != nil || len(details) == 0 {
		return false
	}
	return !slices.ContainsFunc(details, func(d json.RawMessage) bool {
		obj, err := wire.ParseObject(d)
		kind, ok := obj.Text("type")
		return err != nil || !ok || kind == ""
	})
}

// parseMaxAge reads max_age (OpenID Connect Core section 3.1.2.1): seconds, 0 or more.
func parseMaxAge(value string) (int64, bool) {
	seconds, err := strconv.ParseUint(value, 10, 31)
	return int64(seconds), err == nil
}

// Scopes requests these scopes at this login instead of the Client's.
func Scopes(scopes ...string) AuthOption {
	scopes = slices.Clone(scopes)
	return authOption(func(_ *http.Request, a *authRequest) error {
		a.scoped, a.scopes = true, scopes
		return nil
	})
}

// ReturnTo sends the person to path after the login: see [Login.Redirect]. Anything but a path
// on this origin becomes "/", as does a path of more than 512 bytes.
func ReturnTo(path string) AuthOption {
	path = urls.LocalPath(path)
	return authOption(func(_ *http.Request, a *authRequest) error {
		a.returnTo = path
		return nil
	})
}

// ReturnToParam is [ReturnTo] with the path taken from the named query parameter of the request
// that starts the login, such as /login?next=/cart. A missing or repeated parameter becomes "/". Error
// pages link the login without it.
func ReturnToParam(name string) AuthOption {
	return authOption(func(r *http.Request, a *authRequest) error {
		a.returnTo = "/"
		if values := r.URL.Query()[name]; len(values) == 1 {
			a.returnTo = urls.LocalPath(values[0])
		}
		return nil
	})
}

// Value keeps a small value of the app's with this login; it comes back in [Login.Values]. It is
// sealed: nobody can read or change it. All keys and values of a login may have 512 bytes
// together; more is refused with [Configuration].
func Value(key, value string) AuthOption {
	return authOption(func(_ *http.Request, a *authRequest) error {
		if a.valueBytes += len(key) + len(value); a.valueBytes > maxValues {
			return fail(Configuration, "value.size", "Values of one login have more than %d bytes", maxValues)
		}
		if a.values == nil {
			a.values = make(map[string]string)
		}
		a.values[key] = value
		return nil
	})
}

// AuthCodeURL starts a login: it sets the login cookie on w and returns the URL to send the
// browser to (RFC 6749 section 4.1.1), with a fresh state and S256 challenge. It writes no
// body, so that the app may redirect (303) or hand the URL to a script. It sets Cache-Control, Referrer-Policy,
// X-Content-Type-Options and X-Frame-Options, and expires pending logins of this browser beyond
// five. Its error is an [*Error].
func (c *Client) AuthCodeURL(w http.ResponseWriter, r *http.Request, opts ...AuthOption) (string, error) {
	setHeaders(w, "no-referrer")
	target, err := c.start(w, r, opts)
	if err != nil {
		return "", c.failed(err)
	}
	return target, nil
}

func (c *Client) start(w http.ResponseWriter, r *http.Request, opts []AuthOption) (string, error) {
	a := authRequest{attempt: attempt{returnTo: "/", maxAge: c.maxAge, scopes: c.scopes}}
	for _, o := range opts {
		if o == nil {
			continue
		}
		if err := o.apply(r, &a); err != nil {
			return "", err
		}
	}
	if a.scoped {
		if f := scopeFaults("Scopes", a.scopes, c.cfg.Provider.ScopeSep); len(f) > 0 {
			return "", fail(Configuration, "scopes", "%s", f[0])
		}
	}
	ends, err := c.resolve(r.Context())
	if err != nil {
		return "", err
	}
	for key := range a.params {
		if key == c.cfg.Provider.ClientIDParam || ends.query.Has(key) {
			return "", fail(Configuration, "param.reserved", "Param(%q): the provider's URL or client id has this name", key)
		}
	}
	switch several := a.params["resource"]; len(several) {
	case 0:
		a.resource = c.cfg.Provider.AuthParams["resource"]
	case 1: // of more, a server would have to choose one for the token
		a.resource = several[0]
	}
	a.client = ends.digest
	a.state, a.verifier = c.sealers[0].newLogin(c.cfg.Clock.Now(), !c.isOwnHost(r.Host))
	target, err := c.authURL(r.Context(), ends, &a)
	if err != nil {
		return "", err
	}
	if err := c.setLogin(w, r, &a.attempt); err != nil {
		return "", err
	}
	return target, nil
}

// authURL is where to send the browser: with the whole request, a signed one, or a reference to a
// pushed one.
func (c *Client) authURL(ctx context.Context, ends *resolved, a *authRequest) (string, error) {
	sign := c.cfg.MessageSigning.SignRequest != nil
	if c.cfg.Binding.Begin == nil && !sign && !ends.push {
		return c.authQuery(ends.base, ends, a, nil), nil
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	var bound url.Values
	var err error
	if a.key, bound, err = c.begin(ctx); err != nil {
		return "", err
	}
	query := c.authQuery("", ends, a, bound)
	if sign {
		if query, err = c.signRequest(ctx, ends, query); err != nil {
			return "", err
		}
	}
	if ends.push {
		if query, err = c.push(ctx, ends, query, a.key); err != nil {
			return "", err
		}
	}
	return ends.base + query, nil
}

// authURLPrefix is the part of every authorization URL that does not change.
func (c *Client) authURLPrefix(authURL string) (base, prefix string) {
	base = authURL + "?"
	if strings.Contains(authURL, "?") {
		base = authURL + "&"
	}
	p := &c.cfg.Provider
	prefix = "response_type=code&code_challenge_method=S256" +
		"&" + url.QueryEscape(p.ClientIDParam) + "=" + url.QueryEscape(c.cfg.ClientID) +
		"&redirect_uri=" + url.QueryEscape(c.cfg.RedirectURL)
	mode := ""
	if p.FormPost {
		mode = "form_post"
	}
	if c.cfg.MessageSigning.SignedResponses {
		mode = cmp.Or(mode, "query") + ".jwt"
	}
	if mode != "" {
		prefix += "&response_mode=" + mode
	}
	return base, prefix
}

// authQuery is the whole request, behind base.
func (c *Client) authQuery(base string, ends *resolved, a *authRequest, bound url.Values) string {
	var b strings.Builder
	b.Grow(len(base) + len(ends.prefix) + 256)
	b.WriteString(base)
	b.WriteString(ends.prefix)
	for key, value := range c.cfg.Provider.AuthParams {
		if _, replaced := a.params[key]; !replaced {
			fmt.Fprintf(&b, "&%s=%s", url.QueryEscape(key), url.QueryEscape(value))
		}
	}
	if len(a.params) > 0 {
		b.WriteString("&" + a.params.Encode())
	}
	if len(bound) > 0 {
		b.WriteString("&" + bound.Encode())
	}
	if a.scoped {
		b.WriteString(c.scopeParam(a.scopes))
	} else {
		b.WriteString(ends.scope)
	}
	if asksOpenID(a.scopes) {
		b.WriteString("&nonce=")
		b.WriteString(a.verifier.nonce())
	}
	b.WriteString("&code_challenge=")
	b.WriteString(a.verifier.challenge())
	b.WriteString("&state=")
	b.WriteString(a.state.encode())
	return b.String()
}

// scopeParam is the parameter scope, with what separates it from the one before.
func (c *Client) scopeParam(scopes []string) string {
	if len(scopes) == 0 {
		return ""
	}
	return "&scope=" + url.QueryEscape(strings.Join(scopes, c.cfg.Provider.ScopeSep))
}

// asksOpenID reports that the login is an OpenID Connect one, and so has a nonce.
func asksOpenID(scopes []string) bool { return slices.Contains(scopes, "openid") }

// isOwnHost compares host with RedirectURL's, without ports: cookies know no ports.
func (c *Client) isOwnHost(host string) bool {
	here := url.URL{Host: host}
	return strings.EqualFold(here.Hostname(), c.host)
}
