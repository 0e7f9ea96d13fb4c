package session

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
)

const stepUpCode = "insufficient_user_authentication"

// ChallengeError is an API's refusal of a token that is valid and not enough.
// Hand its Freshness to [Sessions.StepUp].
type ChallengeError struct{ Freshness }

// Error says what the API asks for, without its words.
func (e *ChallengeError) Error() string {
	if len(e.Scopes) > 0 {
		return "session: the API asks for further scopes: send the person to sign in again (see StepUp)"
	}
	return "session: the API asks for another sign-in: send the person to sign in again (see StepUp)"
}

// Challenge reads what an API asks for: a stronger or more recent sign-in (RFC
// 9470 section 3, status 401) or further scopes (insufficient_scope, RFC 6750
// section 3.1, status 403). It returns nil if resp asks for neither.
func Challenge(resp *http.Response) *ChallengeError {
	if resp == nil ||
		resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusForbidden {
		return nil
	}
	for _, field := range resp.Header.Values("WWW-Authenticate") {
		for _, c := range headers.ParseChallenges(field) {
			if !strings.EqualFold(c.Scheme, "Bearer") && !strings.EqualFold(c.Scheme, "DPoP") {
				continue
			}
			switch c.Params["error"] {
			case stepUpCode:
				return &ChallengeError{asked(c.Params)}
			case "insufficient_scope":
				if f := asked(c.Params); len(f.Scopes) > 0 {
					return &ChallengeError{Freshness{Scopes: f.Scopes}}
				}
			}
		}
	}
	return nil
}

// asked reads the parameters. They come from an API and go into a URL, so a
// value that no login can use is left out.
func asked(params map[string]string) (f Freshness) {
	if v := params["acr_values"]; headers.IsVisible(v) {
		f.ACR = strings.Fields(v)
	}
	if v := params["scope"]; headers.IsVisible(v) {
		f.Scopes = strings.Fields(v)
	}
	if n, err := strconv.ParseUint(params["max_age"], 10, 31); err == nil {
		f.MaxAge = time.Duration(max(n, 1)) * time.Second
	}
	return f
}
