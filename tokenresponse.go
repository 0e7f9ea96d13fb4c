package authcode

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// parse reads the body as JSON or, if it is called a form or looks like one, as
// a form.
func (rep *reply) parse() (wire.Object, error) {
	text := bytes.TrimLeft(rep.body, " \t\r\n")
	if len(text) == 0 {
		return nil, rep.noObject("empty", "no body")
	}
	// RFC 6749 section 5.1 demands JSON. GitHub and older versions of Facebook
	// answer with forms, and the content type is often wrong. A body that
	// begins with "{" is JSON in any case.
	parse := wire.ParseObject
	if text[0] != '{' && (rep.isForm() ||
		bytes.HasPrefix(text, []byte("access_token=")) || bytes.HasPrefix(text, []byte("error="))) {
		parse = wire.ParseForm
	}
	obj, err := parse(rep.body)
	// The errors of package wire quote nothing of the body, so %v is safe here.
	if err != nil {
		return nil, rep.noObject("form", fmt.Sprintf("a malformed body (%v)", err))
	}
	return obj, nil
}

// noObject is for an answer that cannot be read.
func (rep *reply) noObject(rule, what string) error {
	e := errorf(BadAnswer, rep.kind.check(rule),
		"the answer has status %d and %s: check the endpoint's URL", rep.status, what)
	if rep.kind == parRequest {
		e.parUnusable = true
		e.detail += "; if it is right, " + parCure(rep.sent.Endpoints.RequirePAR)
	}
	return e
}

// translate has Provider.TokenBody replace the body of rep.
func (c *Client) translate(ctx context.Context, rep *reply) error {
	f := c.cfg.Provider.TokenBody
	if f == nil || rep.kind == parRequest || !rep.isSuccess() {
		return nil
	}
	body, err := f(rep.body)
	if err != nil {
		return seamError(ctx, err, BadAnswer, "token_body", "Provider.TokenBody refused the answer")
	}
	rep.body = body
	return nil
}

// isForm reports whether the server calls its answer a form.
func (rep *reply) isForm() bool {
	kind, _, _ := mime.ParseMediaType(rep.header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

// isIDTokenOnly reports whether an answer has an ID token and no access token.
// Azure AD B2C answers like this if no scope of an API was requested.
func isIDTokenOnly(obj wire.Object) bool {
	id, _ := obj.Text("id_token")
	return id != "" && !isSet(obj, "access_token")
}

// noAccessToken is the error where an API needs the token of such an answer.
// Signing in again would not help.
func noAccessToken() error {
	return errorf(Configuration, "token.none", "the provider issued no access token, only an ID "+
		"token: request a scope of the API that the app calls")
}

// readToken reads a successful answer (RFC 6749 section 5.1). It returns the
// token and the scopes that were granted. If needsAccess is false, an ID token
// alone is enough.
func (c *Client) readToken(
	obj wire.Object, requested []string, needsAccess bool,
) (*oauth2.Token, []string, error) {
	t := new(oauth2.Token)
	var ok bool
	// A token goes into a header of later requests. A line break in it would
	// let the provider add headers to requests to APIs.
	t.AccessToken, _ = obj.Text("access_token")
	if hasNone := isBlank(t.AccessToken) || !headers.IsVisible(t.AccessToken); hasNone &&
		(needsAccess || !isIDTokenOnly(obj)) {
		return nil, nil, errorf(BadAnswer, "token.access_token", "the answer has no usable "+
			"access_token: check whether TokenURL is the provider's token endpoint")
	}
	// RFC 6749 section 7.1: a client must not use a token of a type that it
	// does not understand. Here it also shows that the server has ignored the
	// Binding.
	want := c.cfg.Binding.TokenType
	t.TokenType, ok = obj.Text("token_type")
	if !ok || !strings.EqualFold(cmp.Or(t.TokenType, "Bearer"), want) {
		return nil, nil, errorf(BadAnswer, "token.token_type",
			"token_type is not %s: check whether the provider supports Config.Binding", want)
	}
	// A missing refresh token is fine: not every login gets one.
	if t.RefreshToken, ok = refreshTokenOf(obj); !ok {
		return nil, nil, errorf(BadAnswer, "token.refresh_token",
			"refresh_token is not a string of visible characters: report it to the provider")
	}
	if t.Expiry, ok = expiry(obj, c.cfg.Clock.Now()); !ok {
		return nil, nil, errorf(BadAnswer, "token.expires_in",
			"expires_in is not a number of seconds: report it to the provider")
	}
	// The person may have granted less. The app has to look at Login.Scopes
	// before it relies on one.
	scopes, ok := c.grantedScopes(obj, requested)
	if !ok {
		return nil, nil, errorf(BadAnswer, "token.scope",
			"scope is neither a string nor a list of strings: report it to the provider")
	}
	return withMembers(t, obj), scopes, nil
}

// refreshTokenOf reads the refresh token, "" without one. The app must not take
// blanks for a grant that it can renew.
func refreshTokenOf(obj wire.Object) (string, bool) {
	text, ok := obj.Text("refresh_token")
	if !ok || !headers.IsVisible(text) {
		return "", false
	}
	if isBlank(text) {
		return "", true
	}
	return text, true
}

// isBlank reports whether token is empty or consists of blanks. RFC 6750
// section 2.1 demands at least one other character, and net/http cuts blanks
// off the end of a header, so that a request would carry no token at all.
func isBlank(token string) bool { return strings.Trim(token, " ") == "" }

// expiry reads expires_in. The zero time means that it is not known.
func expiry(obj wire.Object, now time.Time) (time.Time, bool) {
	// RFC 6749 section 5.1 recommends expires_in and does not demand it.
	// Servers also leave it empty, or send 0 for tokens that do not expire.
	raw, present := obj["expires_in"]
	if !present || raw == "null" || raw == `""` {
		return time.Time{}, true
	}
	// Some servers send a string, or a number such as 3600.0. A negative one
	// cannot be right, and x/oauth2 would make it a token that is valid for
	// decades.
	seconds, ok := wire.Number(raw)
	if !ok || seconds < 0 {
		return time.Time{}, false
	}
	if seconds == 0 {
		return time.Time{}, true
	}
	// Beyond 292 years a time.Duration overflows, and the token would seem to
	// have expired long ago.
	const century = 100 * 365 * 24 * 3600
	return now.Add(time.Duration(min(seconds, century) * float64(time.Second))), true
}

// grantedScopes reads scope.
func (c *Client) grantedScopes(obj wire.Object, requested []string) ([]string, bool) {
	// RFC 6749 section 5.1: a missing scope means that all requested scopes
	// were granted. An empty one means that none was.
	raw, present := obj["scope"]
	if !present || raw == "null" {
		return slices.Clone(requested), true
	}
	// Twitch answers with a JSON array.
	if list, ok := wire.Strings(raw); ok {
		return list, true
	}
	own := rune(c.cfg.Provider.ScopeSep[0]) // New has checked that it has one byte
	// GitHub is asked with spaces and answers with commas. Do not split there
	// if a requested scope itself contains a comma.
	keep := slices.ContainsFunc(requested, func(s string) bool { return strings.Contains(s, ",") })
	text, ok := wire.Text(raw)
	return strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || r == own || r == ',' && !keep
	}), ok
}
