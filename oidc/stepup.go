package oidc

import (
	"net/http"
	"strconv"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/web"
)

// StepUp reads the challenge with which an API asks for a better or a more recent sign-in (RFC 9470 section 3):
// 401, a scheme of Bearer or DPoP, error="insufficient_user_authentication", with acr_values and max_age. It
// returns the options for a login that would do, for [authcode.Client.LoginHandler] or AuthCodeURL, and false if
// resp is no such challenge. What the new login is worth is in its Identity: [Authentication].
func StepUp(resp *http.Response) (opts []authcode.AuthOption, ok bool) {
	if resp == nil || resp.StatusCode != http.StatusUnauthorized {
		return nil, false
	}
	for _, field := range resp.Header.Values("WWW-Authenticate") {
		for _, c := range web.ParseChallenges(field) {
			known := strings.EqualFold(c.Scheme, "Bearer") || strings.EqualFold(c.Scheme, "DPoP")
			if !known || c.Params["error"] != "insufficient_user_authentication" {
				continue
			}
			if acr := c.Params["acr_values"]; acr != "" && web.IsVisible(acr) {
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

// Authentication is how a person signed in, as far as the provider says it (OpenID Connect Core section 2).
type Authentication struct {
	Context string   // acr; empty: not said
	Methods []string // amr
	Time    int64    // auth_time, in seconds since 1970; 0: not said
}

// AuthenticationOf returns what an identity says of the sign-in. A provider may grant less than acr_values asked
// for, so an app that needs it compares Context. max_age needs no comparison: a login whose auth_time is missing
// or too old is refused.
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
	if number, ok := id.Claims["auth_time"].(interface{ Float64() (float64, error) }); ok {
		if at, err := number.Float64(); err == nil && at > 0 && at < 1<<53 {
			a.Time = int64(at)
		}
	}
	return a
}
