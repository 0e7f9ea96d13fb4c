package authcode

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/wire"
)

// hasError reports whether an answer refuses the request, whatever its status.
func (rep *reply) hasError(obj wire.Object) bool {
	// RFC 6749 section 5.2 demands status 400, but GitHub refuses with 200, and
	// Facebook's error is an object. Ignore a null, zero or empty error.
	if isSet(obj, "error") {
		return true
	}
	// Others have names of their own, such as WeChat's errcode. Beside a token
	// they are no refusal.
	return rep.kind != parRequest && !isSet(obj, "access_token") && !isSet(obj, "id_token") &&
		(isSet(obj, "error_code") || isSet(obj, "errcode") || isSet(obj, "error_message") ||
			isSet(obj, "error_reason"))
}

// isSet reports whether a member says something.
//
//go:noinline
func isSet(obj wire.Object, name string) bool {
	raw, present := obj[name]
	return present && !slices.Contains([]wire.Raw{"null", `""`, `"0"`, "false", "0", "[]", "{}"}, raw)
}

// refusalTexts returns the code and the description of a refusal.
func refusalTexts(obj wire.Object) (code, description string) {
	// Facebook and Google put them into an object.
	if inner, err := wire.ParseObject([]byte(obj["error"])); err == nil {
		return firstText(inner, "status", "type", "code"), firstText(inner, "message")
	}
	return firstText(obj, "error", "error_code", "errcode", "error_reason"),
		firstText(obj, "error_description", "error_message", "error_msg", "errmsg", "error_reason")
}

// firstText returns the first of the members that is a string or a number.
func firstText(obj wire.Object, names ...string) string {
	for _, name := range names {
		if !isSet(obj, name) {
			continue
		}
		if text, ok := obj.Text(name); ok {
			return text
		}
		if _, ok := wire.Number(obj[name]); ok {
			return string(obj[name])
		}
	}
	return ""
}

// refusal explains an answer that is not a success (RFC 6749 section 5.2).
func (rep *reply) refusal(obj wire.Object) error {
	code, description := refusalTexts(obj)
	e := errorf(rep.reason(code), rep.kind.check("error"),
		"the provider answered with status %d and error %s", rep.status, registeredCode(code))
	rep.explain(e, code)
	if rep.kind == parRequest && isUnusablePAR(rep.status, code) {
		e.parUnusable = true
		e.detail += "; " + parCure(rep.sent.Endpoints.RequirePAR)
	}
	secrets := rep.sent.secrets()
	e.ServerError = secret.Scrub(code, secrets)
	e.ServerDescription = secret.Scrub(description, secrets)
	return e
}

// explain adds to e what an operator can do about it, and when a caller may try
// again.
func (rep *reply) explain(e *Error, code string) {
	switch {
	case code == useNonce:
		e.Check = rep.kind.check("dpop_nonce")
		e.detail = "the provider demands a DPoP nonce, but sends none or refuses its own: " +
			"report it to the provider"
	case rep.status >= 300 && rep.status < 400:
		e.Check = rep.kind.check("redirect")
		e.detail = "the endpoint answered with a redirect, which is never followed: " +
			"set the URL that it redirects to, if that is the provider's"
	case e.Reason == Configuration:
		e.Check = rep.kind.check("configuration")
		e.detail += rep.configurationCure(code)
	// Servers that demand DPoP or a parameter of their own often name neither.
	case code == "invalid_request" && rep.kind == codeRequest:
		e.detail += "; check whether the provider demands a Config.Binding, or a parameter of its own"
	// A web server without such a path answers like this, not an OAuth
	// endpoint.
	case rep.status == http.StatusNotFound, rep.status == http.StatusMethodNotAllowed:
		e.detail += "; check the endpoint's URL"
	case e.Reason == Overloaded:
		e.detail += ": try again later"
		e.RetryAfter = headers.RetryAfter(rep.header.Get("Retry-After"))
	case e.Reason == BadAnswer && rep.status >= 500:
		e.detail += ": try again later, and report it to the provider if it happens again"
	case rep.kind == refreshRequest && e.Reason == GrantRejected:
		if e.Final = rep.isDeadGrant(code); e.Final {
			e.detail += ": the grant has ended, so the person has to sign in again"
		}
	case e.Reason == GrantRejected:
		e.detail += ": the person has to start again; if every login fails, check that " +
			"Config.RedirectURL and the endpoints belong to this registration"
	}
}

// configurationCure says what to look at if the app or its registration is at
// fault.
func (rep *reply) configurationCure(code string) string {
	switch {
	case rep.isBareForbidden() && rep.kind == parRequest:
		return "; " + rep.sent.authenticationHint() +
			"; then check that exactly Config.RedirectURL is registered"
	case rep.status == http.StatusUnauthorized, rep.isBareForbidden(),
		strings.HasSuffix(code, "_client"), code == "incorrect_client_credentials":
		return "; " + rep.sent.authenticationHint()
	case code == "invalid_scope":
		return ": check Config.Scopes, and which scopes the app is registered for"
	case code == "redirect_uri_mismatch", code == "invalid_redirect_uri":
		return ": register exactly the URL in Config.RedirectURL"
	case code == "invalid_dpop_proof":
		return ": check the key of Config.Binding, and this host's clock"
	case code == "unsupported_grant_type":
		return ": register the app for this grant type"
	case rep.kind == parRequest && isRequestCode(code):
		return ": check that exactly Config.RedirectURL is registered, and whether the " +
			"provider wants signed requests (Config.MessageSigning) or refuses them; " +
			parCure(rep.sent.Endpoints.RequirePAR)
	}
	return ": compare the request's parameters with the app's registration; " +
		"Error.ServerDescription may say more"
}

// withScopes adds to an error about the scopes which ones were requested.
func withScopes(err error, scopes []string) error {
	own, _ := errors.AsType[*Error](err)
	if own == nil || own.ServerError != "invalid_scope" {
		return err
	}
	// Not the whole list if it is very long: the text goes into logs.
	const most = 500
	list := strings.Join(scopes, " ")
	if len(list) > most {
		list = list[:most] + "…"
	}
	e := *own // a function of the app may have returned it, and keep it
	e.detail += fmt.Sprintf("; the login requested the scopes %q", list)
	return &e
}

// isDeadGrant reports whether a refusal says that the refresh token is gone.
func (rep *reply) isDeadGrant(code string) bool {
	// A proxy's page or a code such as slow_down or invalid_target says nothing
	// about the grant. A person must not have to sign in again because of it.
	switch code {
	// RFC 6749 section 5.2, and how servers spell it that do not follow it:
	// GitHub has bad_refresh_token, others a code of another meaning.
	case "invalid_grant", "bad_refresh_token", "invalid_refresh_token", "invalid_token",
		"expired_token", "invalid_request", "unauthorized_client", "access_denied":
		return true
	}
	return rep.status == http.StatusBadRequest && len(bytes.TrimSpace(rep.body)) == 0
}

// isBareForbidden reports whether the token or PAR endpoint refused with 403
// and said nothing else. Gateways in front of one answer like this if the
// credentials are wrong. Glewlwyd's PAR endpoint does, too, and also if the
// redirect URI is.
func (rep *reply) isBareForbidden() bool {
	return rep.status == http.StatusForbidden && len(bytes.TrimSpace(rep.body)) == 0 &&
		(rep.kind == codeRequest || rep.kind == refreshRequest || rep.kind == parRequest)
}

// reason maps status and code to a Reason. Servers disagree about both, so it
// needs both.
func (rep *reply) reason(code string) Reason {
	status, kind := rep.status, rep.kind
	success := rep.isSuccess()
	// A code such as server_error means the server, not the request. Use it if
	// the status says nothing, or if the kind is not codeRequest: a refresh
	// token must not be given up because a server is down.
	aboutServer := success || kind != codeRequest
	switch {
	// send follows no redirect, and a code in its body would not change that.
	case status >= 300 && status < 400:
		return BadAnswer
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable,
		aboutServer && code == "temporarily_unavailable":
		return Overloaded
	case status >= 500, aboutServer && code == "server_error", code == useNonce:
		return BadAnswer
	// Doorkeeper answered 401 until version 5.1. The code says more than the
	// status.
	case code == "invalid_grant":
		return rejectionReason(kind)
	// RFC 6749 section 5.2: 401 is for failed client authentication.
	case status == http.StatusUnauthorized, isConfigurationCode(code, kind), rep.isBareForbidden():
		return Configuration
	case status == http.StatusBadRequest, status == http.StatusForbidden, success:
		return rejectionReason(kind)
	}
	return BadAnswer
}

// rejectionReason is for a request that the provider understood and refused.
func rejectionReason(kind requestKind) Reason {
	switch kind {
	// The app alone has made these parameters, so it or its registration is at
	// fault.
	case parRequest:
		return Configuration
	// RFC 7009 section 2.2: an invalid token gets status 200, too. So a refusal
	// says nothing about the token.
	case revocationRequest:
		return BadAnswer
	}
	return GrantRejected
}

// isConfigurationCode reports whether the app or its registration is at fault.
func isConfigurationCode(code string, kind requestKind) bool {
	switch code {
	// RFC 6749 section 5.2, RFC 9449 section 5: a wrong secret, a wrong key or
	// clock, a scope or a grant that the client is not registered for.
	case "invalid_client", "invalid_dpop_proof", "invalid_scope", "unsupported_grant_type",
		"incorrect_client_credentials", "redirect_uri_mismatch": // the last two are GitHub's
		return true
	// Some servers answer like this if a refresh token has expired or was
	// revoked.
	case "unauthorized_client":
		return kind != refreshRequest
	}
	return false
}

// secrets lists what the request contained and an error must not repeat.
func (req *TokenRequest) secrets() []string {
	_, basic, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	list := []string{basic}
	// A server may decode Basic before it echoes it, in one step or in two.
	if _, password, ok := (&http.Request{Header: req.Header}).BasicAuth(); ok {
		plain, _ := url.QueryUnescape(password)
		list = append(list, password, plain)
	}
	// A pushed authorization request has a state, and perhaps an ID token. Its
	// request object holds all parameters.
	for _, name := range []string{
		"code", "code_verifier", "refresh_token", "token", "client_secret", "client_assertion",
		"state", "request", "id_token_hint",
	} {
		list = append(list, req.Form.Get(name))
	}
	return list
}
