package authcode

import (
	"bytes"
	"cmp"
	"encoding/json"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// parse reads the body as JSON, or as a form where it is called one or looks like one: GitHub's
// and Facebook's older answers are forms, and many a content type is wrong.
func (rep *reply) parse() (wire.Object, error) {
	text := bytes.TrimLeft(rep.body, " \t\r\n")
	if len(text) == 0 {
		return nil, fail(BadAnswer, rep.what.check("empty"), "status %d without a body", rep.status)
	}
	parse := wire.ParseObject
	if text[0] != '{' && (rep.isForm() ||
		bytes.HasPrefix(text, []byte("access_token=")) || bytes.HasPrefix(text, []byte("error="))) {
		parse = wire.ParseForm
	}
	obj, err := parse(rep.body)
	if err != nil { // the texts of package wire quote nothing
		return nil, fail(BadAnswer, rep.what.check("form"), "status %d with a body that is %v", rep.status, err)
	}
	return obj, nil
}

func (rep *reply) isForm() bool {
	kind, _, _ := mime.ParseMediaType(rep.header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

// hasError reports a refusal, whatever the status: GitHub refuses with 200, and Facebook's error
// is an object. Nothing, zero and emptiness are no error.
func hasError(obj wire.Object) bool {
	raw, present := obj["error"]
	return present && !slices.Contains([]wire.Raw{"null", `""`, "false", "0", "[]", "{}"}, raw)
}

// refusal explains an answer that is not a success (RFC 6749 section 5.2). Servers disagree with
// the RFC and each other about the codes, so status and code count together.
func (rep *reply) refusal(obj wire.Object) error {
	what := rep.what
	code, _ := obj.Text("error")
	e := fail(refusalReason(rep.status, code, what), what.check("error"),
		"status %d, error %s", rep.status, printable(code))
	switch {
	case code == "use_dpop_nonce":
		e.Check, e.detail = what.check("dpop_nonce"), "the provider goes on demanding nonces, or names none"
	case rep.status >= 300 && rep.status < 400:
		e.Check, e.detail = what.check("redirect"), "the endpoint answered with a redirect, which is never followed"
	case e.Reason == Configuration:
		e.Check = what.check("configuration")
		if rep.status == http.StatusUnauthorized || strings.HasSuffix(code, "_client") || code == "incorrect_client_credentials" {
			e.detail += "; " + rep.sent.howAuthenticated()
		}
	case code == "invalid_request" && what == codeGrant:
		e.detail += "; the request may lack what the provider demands: a Config.Binding, or a parameter"
	case rep.status == http.StatusNotFound, rep.status == http.StatusMethodNotAllowed:
		e.detail += "; is the endpoint's URL right?"
	case e.Reason == Overloaded:
		e.RetryAfter = headers.RetryAfter(rep.header.Get("Retry-After"))
	case what == refreshGrant && e.Reason == GrantRejected:
		// A firewall's 403 page says nothing about the grant.
		e.Final = code != "" || rep.status == http.StatusBadRequest
	}
	description, _ := obj.Text("error_description")
	secrets := rep.sent.secrets()
	e.ServerError = scrub(code, secrets)
	e.ServerDescription = scrub(description, secrets)
	return e
}

// refusalReason maps status and code to a reason. A code that speaks of the server itself counts
// where the status says nothing (2xx), and at a refresh, which must not be given up because of it.
func refusalReason(status int, code string, what grant) Reason {
	success := status >= 200 && status < 300
	aboutServer := success || what != codeGrant
	switch {
	case status >= 300 && status < 400:
		return BadAnswer
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable,
		aboutServer && code == "temporarily_unavailable":
		return Overloaded
	case status >= 500, aboutServer && code == "server_error", code == "use_dpop_nonce":
		return BadAnswer
	case status == http.StatusUnauthorized, isConfigurationCode(code, what):
		return Configuration
	case status == http.StatusBadRequest, status == http.StatusForbidden, success:
		return rejected(what)
	}
	return BadAnswer
}

// rejected is the reason for a request that the provider understood and refused.
func rejected(what grant) Reason {
	switch what {
	case pushed:
		return Configuration
	case revocation:
		return BadAnswer
	}
	return GrantRejected
}

func isConfigurationCode(code string, what grant) bool {
	switch code {
	case "invalid_client", "invalid_dpop_proof", "invalid_scope", "unsupported_grant_type",
		"incorrect_client_credentials", "redirect_uri_mismatch": // the last two are GitHub's
		return true
	case "unauthorized_client":
		return what != refreshGrant // some servers call a dead refresh token so
	}
	return false
}

// readToken makes a token of a successful answer (RFC 6749 section 5.1), and the list of the
// scopes that were granted.
func (c *Client) readToken(obj wire.Object, requested []string) (*oauth2.Token, []string, error) {
	t := new(oauth2.Token)
	var ok bool
	if t.AccessToken, ok = obj.Text("access_token"); !ok || t.AccessToken == "" || !headers.IsVisible(t.AccessToken) {
		return nil, nil, fail(BadAnswer, "token.access_token", "no usable access_token in the answer")
	}
	// RFC 6749 section 7.1: a token of an unknown type must not be used.
	want := c.cfg.Binding.TokenType
	if t.TokenType, ok = obj.Text("token_type"); !ok || !strings.EqualFold(cmp.Or(t.TokenType, "Bearer"), want) {
		return nil, nil, fail(BadAnswer, "token.token_type", "token_type is not %s", want)
	}
	if t.RefreshToken, ok = obj.Text("refresh_token"); !ok || !headers.IsVisible(t.RefreshToken) {
		return nil, nil, fail(BadAnswer, "token.refresh_token", "refresh_token is not a text")
	}
	if t.Expiry, ok = expiry(obj, c.cfg.Clock.Now()); !ok {
		return nil, nil, fail(BadAnswer, "token.expires_in", "expires_in is not a number of seconds")
	}
	scopes, ok := c.grantedScopes(obj, requested)
	if !ok {
		return nil, nil, fail(BadAnswer, "token.scope", "scope is neither a text nor a list of texts")
	}
	return withMembers(t, obj), scopes, nil
}

// expiry reads expires_in. Missing, null, "" and 0 mean unknown, which is the zero time.
func expiry(obj wire.Object, now time.Time) (time.Time, bool) {
	raw, present := obj["expires_in"]
	if !present || raw == "null" || raw == `""` {
		return time.Time{}, true
	}
	seconds, ok := wire.Number(raw)
	if !ok || seconds < 0 {
		return time.Time{}, false
	}
	if seconds == 0 {
		return time.Time{}, true
	}
	const century = 100 * 365 * 24 * 3600 // beyond 292 years a time.Duration wraps
	return now.Add(time.Duration(min(seconds, century) * float64(time.Second))), true
}

// grantedScopes: a missing scope means as requested (RFC 6749 section 5.1), an empty one means none.
func (c *Client) grantedScopes(obj wire.Object, requested []string) ([]string, bool) {
	raw, present := obj["scope"]
	if !present || raw == "null" {
		return slices.Clone(requested), true
	}
	if list, ok := wire.Strings(raw); ok { // Twitch
		return list, true
	}
	separators := " " + c.cfg.Provider.ScopeSep
	if !slices.ContainsFunc(requested, func(s string) bool { return strings.Contains(s, ",") }) {
		separators += "," // GitHub is asked with spaces and answers with commas
	}
	text, ok := wire.Text(raw)
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) }), ok
}

// membersKey is where Token.Extra keeps the answer as it was, which x/oauth2 has no place for.
const membersKey = "authcode.members"

func withMembers(t *oauth2.Token, obj wire.Object) *oauth2.Token {
	extra := make(map[string]any, len(obj)+1)
	for name, raw := range obj {
		if v, ok := wire.Any(raw); ok {
			extra[name] = v
		}
	}
	extra[membersKey] = obj
	return t.WithExtra(extra)
}

func membersOf(t *oauth2.Token) wire.Object {
	obj, _ := t.Extra(membersKey).(wire.Object)
	return obj
}

// keepMembers adds to a refresh's answer what it lacks and t has. The refresh token is t's field, which
// the app may have set, not the member that it once came in.
func keepMembers(answer wire.Object, t *oauth2.Token) {
	for name, raw := range membersOf(t) {
		switch _, sent := answer[name]; {
		case sent, name == "access_token", name == "token_type", name == "expires_in", name == "refresh_token":
		default:
			answer[name] = raw
		}
	}
	if next, ok := answer.Text("refresh_token"); ok && next == "" {
		answer["refresh_token"] = quote(t.RefreshToken)
	}
}

func quote(s string) wire.Raw {
	b, _ := json.Marshal(s) // of a string it cannot fail
	return wire.Raw(b)
}
