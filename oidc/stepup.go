package oidc

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
)

// StepUp reads the challenge of an API that asks for a stronger or more recent
// sign-in (RFC 9470 section 3): status 401, the scheme Bearer or DPoP, and
// error="insufficient_user_authentication". ok is false if resp is not such a
// challenge.
//
// It returns the options acr_values and max_age, as far as the API names them,
// for [authcode.Client.LoginHandler] or AuthCodeURL. After that login,
// [AuthenticationOf] tells how the person signed in.
func StepUp(resp *http.Response) (opts []authcode.AuthOption, ok bool) {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		return nil, false
	}
	// RFC 9110 section 11.6.1: an API may send several challenges, in one field
	// or in several.
	for _, field := range resp.Header.Values("WWW-Authenticate") {
		for _, c := range headers.ParseChallenges(field) {
			known := strings.EqualFold(c.Scheme, "Bearer") || strings.EqualFold(c.Scheme, "DPoP")
			if !known || c.Params["error"] != "insufficient_user_authentication" {
				continue
			}
			// The values come from an API and go into a URL. A value that no
			// login can use is left out, so that the login still works.
			if acr := c.Params["acr_values"]; acr != "" && headers.IsVisible(acr) {
				opts = append(opts, authcode.Param("acr_values", acr))
			}
			if _, err := strconv.ParseUint(c.Params["max_age"], 10, 31); err == nil {
				opts = append(opts, authcode.Param("max_age", c.Params["max_age"]))
			}
			return opts, true
		}
	}
	return nil, false
}

// Authentication is how a person signed in, as far as the provider says so
// (OpenID Connect Core section 2).
type Authentication struct {
	// Context is the authentication context class, acr. If empty, the provider
	// did not say.
	Context string

	// Methods are the authentication methods, amr. If nil, the provider did not
	// say.
	Methods []string

	// Time is when the person signed in, auth_time, in seconds since 1970. If
	// 0, the provider did not say.
	Time int64
}

// AuthenticationOf returns what id says about the sign-in. A provider may do
// less than acr_values asked for, so an app that needs a certain Context must
// compare it. max_age needs no comparison: a login whose auth_time is missing
// or too old is refused. A nil id returns the zero value.
func AuthenticationOf(id *authcode.Identity) Authentication {
	var a Authentication
	if id == nil {
		return a
	}
	a.Context, _ = id.Claims["acr"].(string)
	if list, ok := id.Claims["amr"].([]any); ok {
		for _, v := range list {
			if method, ok := v.(string); ok {
				a.Methods = append(a.Methods, method)
			}
		}
	}
	if number, ok := id.Claims["auth_time"].(json.Number); ok {
		// A number beyond 2^53 is not exact, and not a time.
		if at, err := number.Float64(); err == nil && at > 0 && at < 1<<53 {
			a.Time = int64(at)
		}
	}
	return a
}
