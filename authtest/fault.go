package authtest

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"example.com/authcode/internal/authserver"
)

// Fault is one way in which the server misbehaves. [Down], [Slow], [Busy] and
// [ErrorPage] concern every request of the app: for metadata, keys, tokens,
// userinfo and so on. People can still open the server's pages.
type Fault struct {
	places  []authserver.Place
	effects []authserver.Fault
}

// appEndpoints are the endpoints that the app calls, as opposed to the browser.
var appEndpoints = []authserver.Place{
	authserver.Discovery, authserver.JWKS, authserver.PAR, authserver.Token, authserver.Refresh,
	authserver.UserInfo, authserver.Introspection, authserver.Revocation, authserver.Resource,
}

// SetFaults makes the server misbehave from now on in all of the given ways, in
// place of those set before. Without faults it behaves again.
func (s *Server) SetFaults(faults ...Fault) {
	at := make(map[authserver.Place][]authserver.Fault)
	for _, f := range faults {
		for _, place := range f.places {
			at[place] = append(at[place], f.effects...)
		}
	}
	s.server.ClearFaults()
	for place, effects := range at {
		s.server.SetFaults(place, effects...)
	}
}

// Down resets every connection of the app, as if the provider were down. The
// app sees [authcode.Unreachable]: when a login begins, if the Client has not
// loaded the provider's metadata before, and otherwise at the callback.
func Down() Fault { return everywhere(authserver.Reset()) }

// Slow delays every answer by d. The app sees [authcode.Timeout] if that is
// longer than the ten seconds that it has for a callback, or longer than the
// deadline of the context of its request.
func Slow(d time.Duration) Fault { return everywhere(authserver.Delay(d)) }

// Busy answers with status 503 and Retry-After, in whole seconds. The app sees
// [authcode.Overloaded], and RetryAfter in its *authcode.Error.
func Busy(retryAfter time.Duration) Fault {
	seconds := strconv.Itoa(int(retryAfter / time.Second))
	return everywhere(authserver.Busy(http.StatusServiceUnavailable, seconds))
}

// ErrorPage answers with status 500 and a web server's error page in HTML. The
// app sees [authcode.BadAnswer].
func ErrorPage() Fault { return everywhere(authserver.HTMLError()) }

func everywhere(effect authserver.Fault) Fault {
	return Fault{appEndpoints, []authserver.Fault{effect}}
}

// LoginError sends people back to the app with this error instead of a code
// (RFC 6749 section 4.1.2.1, OpenID Connect Core section 3.1.2.6). What the app
// sees depends on the error:
//
//   - "access_denied": [authcode.Denied]
//   - "login_required", "consent_required", "interaction_required" and
//     "account_selection_required": [authcode.InteractionRequired]
//   - "temporarily_unavailable": [authcode.Overloaded]
//   - "server_error": [authcode.BadAnswer]
//   - any other: [authcode.Configuration]
func LoginError(code string) Fault {
	return one(authserver.Authorization, authserver.Error(0, code, ""))
}

// StolenCode sends people back with the code of another person, as an attacker
// does who injects a code. The server refuses the code, because it belongs to a
// login with another PKCE verifier (RFC 7636). The app sees
// [authcode.GrantRejected].
func StolenCode() Fault { return one(authserver.Authorization, authserver.OtherUsersCode()) }

// CodeRefused refuses every code with invalid_grant. The app sees
// [authcode.GrantRejected].
func CodeRefused() Fault { return one(authserver.Token, refused("invalid_grant")) }

// ClientRefused refuses the app itself with invalid_client, as if its secret
// were wrong. The app sees [authcode.Configuration].
func ClientRefused() Fault {
	return Fault{[]authserver.Place{
		authserver.PAR, authserver.Token, authserver.Refresh,
		authserver.Introspection, authserver.Revocation,
	}, []authserver.Fault{refused("invalid_client")}}
}

// WrongNonce puts the nonce of another login into ID tokens, as if an attacker
// had replayed one. The app sees [authcode.IdentityRefused].
func WrongNonce() Fault {
	return one(authserver.IDToken, authserver.Set("nonce", `"of another login"`))
}

// ExpiredIDToken sends ID tokens that were issued two hours ago and expired an
// hour ago. The app sees [authcode.IdentityRefused].
func ExpiredIDToken() Fault {
	at := time.Now().Add(-2 * time.Hour).Unix()
	return one(authserver.IDToken,
		authserver.Set("iat", fmt.Sprint(at)), authserver.Set("exp", fmt.Sprint(at+3600)))
}

// BadSignature signs ID tokens with a key that is not the server's. The app
// sees [authcode.IdentityRefused].
func BadSignature() Fault { return one(authserver.IDToken, authserver.OtherKey()) }

// AnotherPerson puts the subject of another person into the ID tokens of
// refreshes and into the answers of /userinfo. The app sees
// [authcode.IdentityRefused] when it refreshes a token, and at a login if it
// uses oidc.UserInfo.
func AnotherPerson() Fault {
	// The ID token of a login has a nonce, the one of a refresh has none
	// (OpenID Connect Core section 12.2).
	another := authserver.Set("sub", `"another person"`).Without("nonce")
	places := []authserver.Place{authserver.IDToken, authserver.UserInfo}
	return Fault{places, []authserver.Fault{another}}
}

// NoRefreshToken leaves the refresh token out of the answer to a login. The
// login succeeds, and fails to be renewed when its access token has expired.
func NoRefreshToken() Fault { return one(authserver.Token, authserver.Drop("refresh_token")) }

// RefreshRefused refuses every refresh token with invalid_grant, as when the
// person has withdrawn the app's access. The app sees [authcode.GrantRejected],
// and its *authcode.Error is Final.
func RefreshRefused() Fault { return one(authserver.Refresh, refused("invalid_grant")) }

func one(at authserver.Place, effects ...authserver.Fault) Fault {
	return Fault{[]authserver.Place{at}, effects}
}

func refused(code string) authserver.Fault {
	status := http.StatusBadRequest
	if code == "invalid_client" {
		status = http.StatusUnauthorized // RFC 6749 section 5.2
	}
	return authserver.Error(status, code, "")
}
