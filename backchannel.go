package authcode

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

const (
	maxAnswer    = 256 << 10 // bytes of a provider's answer, after decompression
	maxServer    = 1 << 10   // bytes kept of each of the server's own error fields
	defaultRetry = 5 * time.Second
	maxRetry     = time.Hour
)

// reply is a provider's answer to one POST.
type reply struct {
	status int
	header http.Header
	body   []byte
	sent   *BackChannelRequest
}

// send posts form to one of the provider's endpoints, authenticated, once. The caller closes
// the response's body.
func (c *Client) send(ctx context.Context, ends *endpoints, endpoint string, form url.Values) (*http.Response, *BackChannelRequest, *Error) {
	p := &c.cfg.Provider
	sent := &BackChannelRequest{
		Endpoint: endpoint, TokenURL: ends.TokenURL, Issuer: p.Issuer, ClientID: c.cfg.ClientID,
		AuthStyle: p.AuthStyle, RawBasic: p.RawBasic, ClientIDParam: p.ClientIDParam,
		Form: form, Header: make(http.Header, 4),
	}
	if err := c.cfg.ClientAuth.Authenticate(ctx, sent); err != nil {
		return nil, nil, asFailure(ctx, err, Configuration, "client_auth", "Config.ClientAuth failed")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, fail(Configuration, "endpoint", "the endpoint is not a URL")
	}
	req.Header = sent.Header
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// The transport itself, not an http.Client: a redirect would carry code, verifier and secret to
	// wherever the server points (307), and here nothing can follow one.
	resp, err := c.http.Transport.RoundTrip(req)
	if err != nil || resp == nil || resp.Body == nil {
		return nil, nil, transportFailure(ctx, err)
	}
	return resp, sent, nil
}

// readReply reads the whole answer, up to a limit.
func readReply(ctx context.Context, resp *http.Response, sent *BackChannelRequest) (*reply, *Error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), maxAnswer)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, transportFailure(ctx, err)
	}
	if body.Len() > maxAnswer {
		return nil, fail(BadAnswer, "answer.size", "the answer has more than %d bytes", maxAnswer)
	}
	return &reply{resp.StatusCode, resp.Header, body.Bytes(), sent}, nil
}

// requestToken posts to the token endpoint and returns the members of a successful answer. A
// grant that the provider refuses has the reason rejected.
func (c *Client) requestToken(ctx context.Context, ends *endpoints, rejected Reason, form url.Values) (wire.Object, *Error) {
	resp, sent, err := c.send(ctx, ends, ends.TokenURL, form)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	rep, err := readReply(ctx, resp, sent)
	if err != nil {
		return nil, err
	}
	obj, bad := rep.parse()
	ok := rep.status >= 200 && rep.status < 300
	if !ok || bad == nil && hasError(obj) {
		return nil, rep.refusal(obj, rejected)
	}
	return obj, bad
}

// parse reads the body as JSON, or as a form where it is called one or looks like one: GitHub's
// and Facebook's older answers are forms, and many a content type is wrong.
func (rep *reply) parse() (wire.Object, *Error) {
	text := bytes.TrimLeft(rep.body, " \t\r\n")
	if len(text) == 0 {
		return nil, fail(BadAnswer, "answer.empty", "status %d without a body", rep.status)
	}
	parse := wire.ParseObject
	if text[0] != '{' && (rep.isForm() ||
		bytes.HasPrefix(text, []byte("access_token=")) || bytes.HasPrefix(text, []byte("error="))) {
		parse = wire.ParseForm
	}
	obj, err := parse(rep.body)
	if err != nil { // the texts of package wire quote nothing
		return nil, fail(BadAnswer, "answer.form", "status %d with a body that is %v", rep.status, err)
	}
	return obj, nil
}

func (rep *reply) isForm() bool {
	kind, _, _ := mime.ParseMediaType(rep.header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

// hasError reports a refusal, whatever the status: GitHub refuses with 200, and Facebook's error
// is an object.
func hasError(obj wire.Object) bool {
	raw, present := obj["error"]
	return present && raw != "null" && raw != `""` && raw != "false"
}

// refusal explains an answer that is not a success (RFC 6749 section 5.2). Servers disagree with
// the RFC and each other about the codes, so status and code count together.
func (rep *reply) refusal(obj wire.Object, rejected Reason) *Error {
	code, _ := obj.Text("error")
	e := fail(refusalReason(rep.status, code, rejected), "answer.error",
		"status %d, error %s", rep.status, printable(code))
	switch {
	case e.Reason == Redirected:
		e.Check, e.detail = "answer.redirect", "the endpoint answered with a redirect, which is never followed"
	case e.Reason == Configuration:
		e.Check = "answer.configuration"
		e.detail += "; " + rep.sent.howAuthenticated()
	case e.Reason == Overloaded:
		e.RetryAfter = retryAfter(rep.header.Get("Retry-After"))
	}
	description, _ := obj.Text("error_description")
	uri, _ := obj.Text("error_uri")
	secrets := rep.sent.secrets()
	e.ServerError = scrub(code, secrets)
	e.ServerDescription = scrub(description, secrets)
	e.ServerURI = scrub(uri, secrets)
	return e
}

// secrets lists what the request carried and no answer may bring back out.
func (req *BackChannelRequest) secrets() []string {
	_, basic, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	list := []string{basic}
	if _, password, ok := (&http.Request{Header: req.Header}).BasicAuth(); ok {
		plain, _ := url.QueryUnescape(password)
		list = append(list, password, plain)
	}
	for _, name := range []string{"code", "code_verifier", "refresh_token", "token", "client_secret", "client_assertion"} {
		list = append(list, req.Form.Get(name))
	}
	return list
}

func refusalReason(status int, code string, rejected Reason) Reason {
	switch code {
	case "unauthorized_client":
		if rejected == RefreshRejected && status == http.StatusBadRequest {
			return rejected // so some servers call a dead refresh token
		}
		return Configuration
	case "invalid_client", "invalid_scope", "unsupported_grant_type",
		"incorrect_client_credentials", "redirect_uri_mismatch": // GitHub's
		return Configuration
	case "temporarily_unavailable":
		return Overloaded
	case "server_error":
		return BadAnswer
	}
	switch {
	case status >= 300 && status < 400:
		return Redirected
	case status == http.StatusUnauthorized:
		return Configuration
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return Overloaded
	case status == http.StatusBadRequest, status == http.StatusForbidden, status < 300:
		return rejected
	}
	return BadAnswer
}

// howAuthenticated tells an operator what was sent and which field changes it.
func (req *BackChannelRequest) howAuthenticated() string {
	switch {
	case req.Header.Get("Authorization") != "" && req.RawBasic:
		return "credentials were sent by HTTP Basic as they are; Provider.AuthStyle and Provider.RawBasic change that"
	case req.Header.Get("Authorization") != "":
		return "credentials were sent by HTTP Basic, form-encoded; Provider.AuthStyle and Provider.RawBasic change that"
	case req.Form.Has("client_secret"):
		return "credentials were sent in the body; Provider.AuthStyle changes that"
	}
	return "no client secret was sent; Config.ClientAuth changes that"
}

func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(max(time.Duration(seconds)*time.Second, time.Second), maxRetry)
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(time.Until(at), time.Second), maxRetry)
	}
	return defaultRetry
}

// readToken makes a token of a successful answer (RFC 6749 section 5.1), and the list of the
// scopes that were granted.
func (c *Client) readToken(obj wire.Object, requested []string) (*oauth2.Token, []string, *Error) {
	t := new(oauth2.Token)
	var ok bool
	if t.AccessToken, ok = obj.Text("access_token"); !ok || t.AccessToken == "" || !isVisible(t.AccessToken) {
		return nil, nil, fail(BadAnswer, "token.access_token", "no usable access_token in the answer")
	}
	// RFC 6749 section 7.1: a token of an unknown type must not be used.
	if t.TokenType, ok = obj.Text("token_type"); !ok || t.TokenType != "" && !strings.EqualFold(t.TokenType, "bearer") {
		return nil, nil, fail(BadAnswer, "token.token_type", "token_type is not Bearer")
	}
	if t.RefreshToken, ok = obj.Text("refresh_token"); !ok || !isVisible(t.RefreshToken) {
		return nil, nil, fail(BadAnswer, "token.refresh_token", "refresh_token is not a text")
	}
	if t.Expiry, ok = expiry(obj, time.Now()); !ok {
		return nil, nil, fail(BadAnswer, "token.expires_in", "expires_in is not a number of seconds")
	}
	scopes, ok := c.grantedScopes(obj, requested)
	if !ok {
		return nil, nil, fail(BadAnswer, "token.scope", "scope is neither a text nor a list of texts")
	}
	return withMembers(t, obj), scopes, nil
}

// isVisible holds for VSCHAR (RFC 6749 appendix A): anything else in a token is an attack on headers.
func isVisible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r >= 0x7f })
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
	text, ok := wire.Text(raw)
	return strings.FieldsFunc(text, func(r rune) bool {
		return r == ' ' || strings.ContainsRune(c.cfg.Provider.ScopeSep, r)
	}), ok
}

// asFailure passes an *Error through, knows the context's end, and hides all else: the text of
// a foreign error may hold anything.
func asFailure(ctx context.Context, err error, reason Reason, check, detail string) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	if ctx.Err() != nil {
		return transportFailure(ctx, err)
	}
	e := fail(reason, check, "%s", detail)
	e.cause = safeCause(err)
	if reason == Overloaded {
		e.RetryAfter = defaultRetry
	}
	return e
}

// scrub bounds a text of the server's and empties it if it echoes what we sent.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" && (strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s))) {
			return ""
		}
	}
	return text[:min(len(text), maxServer)]
}

// printable returns code if it is one of the registered error codes. Anything else is a
// text of somebody's, which may echo a secret, and has no place in logs.
func printable(code string) string {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
		"invalid_scope", "access_denied", "unsupported_response_type", "server_error", "temporarily_unavailable",
		"interaction_required", "login_required", "account_selection_required", "consent_required",
		"invalid_request_uri", "invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported", "invalid_target", "unsupported_token_type", "invalid_token",
		"bad_verification_code", "incorrect_client_credentials", "redirect_uri_mismatch", "unverified_user_email",
		"unmet_authentication_requirements":
		return code
	case "":
		return "(none)"
	}
	return "(not a registered code)"
}
