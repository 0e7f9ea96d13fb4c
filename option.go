package authcode

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"example.com/authcode/internal/urls"
	"example.com/authcode/internal/wire"
)

// maxValues bounds all keys and values of [Value], in bytes, so that a login
// cookie fits into the headers that servers and proxies accept.
const maxValues = 512

// AuthOption changes one login. See [Param], [Scopes], [ReturnTo] and [Value].
type AuthOption interface {
	apply(*http.Request, options) (options, error)
}

// authOption makes a function an AuthOption. The interface is exported and the
// method is not, so that options come from this package only.
type authOption func(*http.Request, options) (options, error)

func (f authOption) apply(r *http.Request, o options) (options, error) { return f(r, o) }

// options are what an AuthOption may change.
type options struct {
	choices
	params     url.Values
	valueBytes int
}

// Param adds a parameter to the authorization request, such as Param("prompt",
// "login"). It replaces one of [Provider.AuthParams]. The login is refused with
// [Configuration] if the protocol or another Param sets it (two for resource
// are fine), or if max_age (whole seconds), resource (absolute URIs, RFC 8707
// section 2) or authorization_details (RFC 9396 section 2) is malformed.
func Param(key string, values ...string) AuthOption {
	// The option may outlive this call and be used by many requests, so it must
	// not share the app's slice.
	values = slices.Clone(values)
	return authOption(func(_ *http.Request, o options) (options, error) {
		// An option must not replace state, code_challenge or redirect_uri:
		// that would turn off a protection. No value at all is a mistake of the
		// app.
		if !isFreeParam(key) || len(values) == 0 {
			return o, errorf(Configuration, "param.reserved", "Param(%q) has no value, or the "+
				"protocol sets this name itself: remove it", key)
		}
		// Two options of one name, but for resource, are two parameters (RFC
		// 6749 section 3.1), of which the server chooses one.
		several := slices.Concat(o.params[key], values)
		if fault := paramFault(key, several); fault != "" {
			return o, errorf(Configuration, "param."+strings.ToLower(key), "Param %s", fault)
		}
		if len(several) > len(values) && key != "resource" {
			return o, errorf(Configuration, "param.reserved", "Param(%q) is set twice: "+
				"remove one of the options", key)
		}
		if key == "max_age" {
			o.maxAge, _ = parseMaxAge(values[0])
		}
		if o.params == nil {
			o.params = make(url.Values)
		}
		o.params[key] = append(o.params[key], values...)
		return o, nil
	})
}

// paramFault says what is wrong with the values of a parameter that the login
// knows, or returns "".
func paramFault(key string, values []string) string {
	name := strings.ToLower(key)
	cure := ""
	switch name {
	case "max_age":
		// The login cookie keeps it, and package oidc compares it with
		// auth_time.
		if _, ok := parseMaxAge(values[0]); !ok || len(values) > 1 {
			cure = "use one whole number of seconds, once"
		}
	case "resource":
		if slices.ContainsFunc(values, isNotResource) {
			cure = "use absolute URIs without fragment"
		}
	case "authorization_details":
		if len(values) > 1 || !isAuthorizationDetails(values[0]) {
			cure = "use one JSON array of objects, each with a type, once"
		}
	default:
		return ""
	}
	// Some servers ignore case. A second spelling would be a second parameter
	// there, and the login would not know its value.
	if key != name {
		cure = "write the name in lower case"
	}
	if cure == "" {
		return ""
	}
	return name + ": " + cure
}

// isNotResource reports whether uri cannot name a resource.
func isNotResource(uri string) bool {
	u, err := url.Parse(uri)
	// RFC 8707 section 2: an absolute URI without a fragment. An empty fragment
	// is forbidden too, and url.URL does not show it.
	return err != nil || !u.IsAbs() || strings.Contains(uri, "#")
}

// isAuthorizationDetails reports whether text is a list of authorization
// details.
func isAuthorizationDetails(text string) bool {
	var details []json.RawMessage
	json.Unmarshal([]byte(text), &details) // details stays empty with an error
	if len(details) == 0 {
		return false
	}
	// RFC 9396 section 2: each element is an object with a type. The server
	// would refuse anything else, but only after the browser has left the app.
	return !slices.ContainsFunc(details, func(d json.RawMessage) bool {
		obj, err := wire.ParseObject(d)
		kind, ok := obj.Text("type")
		return err != nil || !ok || kind == ""
	})
}

// parseMaxAge reads max_age (OpenID Connect Core section 3.1.2.1): seconds, 0
// or more.
func parseMaxAge(value string) (int64, bool) {
	// 31 bits are 68 years, and a time.Duration of that many seconds cannot
	// overflow.
	seconds, err := strconv.ParseUint(value, 10, 31)
	return int64(seconds), err == nil
}

// Scopes requests these scopes at this login instead of the Client's.
func Scopes(scopes ...string) AuthOption {
	scopes = slices.Clone(scopes)
	return authOption(func(_ *http.Request, o options) (options, error) {
		o.scoped, o.scopes = true, scopes
		return o, nil
	})
}

// RefreshOption changes what one refresh asks for. The new token keeps it for
// its own refreshes. See [RefreshScopes] and [RefreshResource].
type RefreshOption interface {
	applyRefresh(*Client, url.Values) error
}

// refreshOption makes a function a RefreshOption, like authOption.
type refreshOption func(*Client, url.Values) error

func (o refreshOption) applyRefresh(c *Client, form url.Values) error { return o(c, form) }

// RefreshScopes asks for a token with these scopes alone, of those that were
// granted (RFC 6749 section 6). No scopes are refused with [Configuration].
func RefreshScopes(scopes ...string) RefreshOption {
	scopes = slices.Clone(scopes)
	return refreshOption(func(c *Client, form url.Values) error {
		f := scopeFaults("RefreshScopes", scopes, c.cfg.Provider.ScopeSep)
		// A request without scope would get a token with all of them.
		if len(scopes) == 0 {
			f = []string{"RefreshScopes has no scopes: name those that the token needs"}
		}
		if len(f) > 0 {
			return errorf(Configuration, "scopes", "%s", f[0])
		}
		form.Set("scope", strings.Join(scopes, c.cfg.Provider.ScopeSep))
		return nil
	})
}

// RefreshResource asks for a token for this resource alone (RFC 8707 section
// 2.2), an absolute URI without fragment. A malformed one is refused with
// [Configuration].
func RefreshResource(uri string) RefreshOption {
	return refreshOption(func(_ *Client, form url.Values) error {
		if fault := paramFault("resource", []string{uri}); fault != "" {
			return errorf(Configuration, "param.resource", "RefreshResource: %s", fault)
		}
		form.Set("resource", uri)
		return nil
	})
}

// scopeFaults checks scope tokens.
func scopeFaults(field string, scopes []string, sep string) (f []string) {
	for i, s := range scopes {
		// RFC 6749 section 3.3: a scope token is printable ASCII without space,
		// quote and backslash. A separator inside one would request two scopes.
		bad := func(r rune) bool { return urls.IsNotURLChar(r) || r == '"' || r == '\\' }
		if s == "" || strings.ContainsFunc(s, bad) || sep != "" && strings.Contains(s, sep) {
			f = append(f, fmt.Sprintf("%s[%d] is not one scope: put one scope into each element",
				field, i))
		}
	}
	return f
}

// ReturnTo sends the person to path after the login; see [Login.Redirect]. It
// replaces the path of [Config.ReturnToParam]. A path that leaves this origin
// or does not fit into the cookie is dropped; see [Login.ReturnToDropped]. With
// short Scopes and no Values, 1,000 bytes fit.
func ReturnTo(path string) AuthOption {
	path = keptPath(path)
	return authOption(func(_ *http.Request, o options) (options, error) {
		o.returnTo = path
		return o, nil
	})
}

// Value keeps a small value in this login's sealed cookie, for [Login.Values].
// More than 512 bytes of keys and values are refused with [Configuration].
func Value(key, value string) AuthOption {
	return authOption(func(_ *http.Request, o options) (options, error) {
		// The cookie holds the state, the verifier and the return path as well.
		if o.valueBytes += len(key) + len(value); o.valueBytes > maxValues {
			return o, errorf(Configuration, "value.size", "the Values of one login have more than %d "+
				"bytes: keep a short key here and the data on the server", maxValues)
		}
		if o.values == nil {
			o.values = make(map[string]string)
		}
		o.values[key] = value
		return o, nil
	})
}

// isReserved reports whether the login itself sets the parameter key, or would
// break if an app set it.
func isReserved(key string) bool {
	// Some servers ignore case, so "STATE" could replace "state" there.
	switch strings.ToLower(key) {
	case "response_type", "client_id", "redirect_uri", "scope", "state", // RFC 6749
		"response_mode",                                            // Form Post Response Mode, JARM
		"code_challenge", "code_challenge_method", "code_verifier", // RFC 7636
		"nonce", "request", "request_uri", "registration", // OpenID Connect Core, RFC 9101
		"dpop_jkt",                                                   // RFC 9449
		"client_secret", "client_assertion", "client_assertion_type", // RFC 7521
		"code", "grant_type", "iss", "error", "refresh_token", // RFC 6749, RFC 9207
		"token", "token_type_hint": // RFC 7009
		return true
	}
	return false
}

// isFreeParam reports whether an app may use the parameter name key.
func isFreeParam(key string) bool {
	return key != "" && !strings.ContainsFunc(key, urls.IsNotURLChar) && !isReserved(key)
}

// refusedOptions takes Final from a refusal that may be about the options and
// not about the grant.
func refusedOptions(err error, opts []RefreshOption) error {
	// Many codes mean a dead grant at one server and a wrong parameter at
	// another. A person must not have to sign in again because of an option.
	e, ok := errors.AsType[*Error](err)
	if len(opts) > 0 && ok && e.Final && e.ServerError != "invalid_grant" {
		e.Final = false
		e.detail += ", or the provider refuses the options of this refresh: try without them"
	}
	return err
}
