package authcode

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"example.com/authcode/internal/headers"
)

const maxCallback = 16 << 10 // bytes of query or form

// callbackParams reads the parameters of an authorization response from where the provider was
// asked to put them: the query, or for form_post the body alone.
func (c *Client) callbackParams(ctx context.Context, w http.ResponseWriter, r *http.Request) (url.Values, error) {
	method := http.MethodGet
	if c.cfg.Provider.FormPost {
		method = http.MethodPost
	}
	if r.Method != method { // a pattern "GET /x" of net/http matches HEAD too
		w.Header().Set("Allow", method)
		return nil, fail(WrongMethod, "callback.method", "want %s", method)
	}
	var params url.Values
	var err error
	if c.cfg.Provider.FormPost {
		params, err = formParams(w, r)
	} else {
		params, err = parseParams(r.URL.RawQuery)
	}
	if err != nil {
		return nil, err
	}
	if err = noRepeats(params); err != nil {
		return nil, err
	}
	if c.cfg.MessageSigning.SignedResponses || params.Has("response") {
		if params, err = c.openResponse(ctx, params); err != nil {
			return nil, err
		}
	}
	if params.Get("state") == "" {
		return nil, fail(Malformed, "callback.state", "no state")
	}
	if params.Get("code") == "" && params.Get("error") == "" {
		return nil, fail(Malformed, "callback.code", "neither code nor error")
	}
	return params, nil
}

func noRepeats(params url.Values) error {
	for _, values := range params {
		// RFC 6749 section 3.1: parameters must not be included more than once. Which of two
		// counts is what an attacker and a victim's parser disagree about.
		if len(values) != 1 {
			return fail(Malformed, "callback.repeated", "a parameter came more than once")
		}
	}
	return nil
}

func formParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fail(Malformed, "callback.content_type", "want application/x-www-form-urlencoded")
	}
	if r.PostForm != nil { // a middleware has read the body already, less strictly
		if len(r.PostForm.Encode()) > maxCallback {
			return nil, fail(Malformed, "callback.size", "more than %d bytes of parameters", maxCallback)
		}
		return r.PostForm, nil
	}
	// Whoever posts may take his time otherwise. A ResponseWriter that knows no deadlines leaves that
	// to http.Server.ReadTimeout.
	body := http.NewResponseController(w)
	body.SetReadDeadline(time.Now().Add(budget))
	text, err := io.ReadAll(io.LimitReader(r.Body, maxCallback+1))
	body.SetReadDeadline(time.Time{})
	if err != nil {
		return nil, fail(Malformed, "callback.body", "the body could not be read")
	}
	return parseParams(string(text))
}

func parseParams(text string) (url.Values, error) {
	if len(text) > maxCallback {
		return nil, fail(Malformed, "callback.size", "more than %d bytes of parameters", maxCallback)
	}
	params, err := url.ParseQuery(text)
	if err != nil { // r.URL.Query would drop what it cannot read, and go on
		return nil, fail(Malformed, "callback.encoding", "malformed parameters")
	}
	return params, nil
}

// checkIss compares iss with the issuer of the provider that this login began at (RFC 9207 section
// 2.4), on error responses as well: an attacker's server is not asked for its reasons.
func (c *Client) checkIss(params url.Values, required bool) error {
	isIssuer := c.cfg.Provider.IsIssuer
	iss, present := params["iss"]
	switch {
	case isIssuer == nil, !present && !required:
		return nil
	case !present:
		return fail(Forged, "iss.missing", "the provider promises iss and did not send it")
	case !isIssuer(iss[0]):
		return fail(Forged, "iss", "iss is not Provider.Issuer: another server answered, or Issuer is misspelt")
	}
	return nil
}

// authorizationError turns an error response (RFC 6749 section 4.1.2.1, OpenID Connect Core section
// 3.1.2.6) into an Error.
func authorizationError(params url.Values) error {
	code := params.Get("error")
	if code == "" {
		return nil
	}
	reason := Configuration
	switch code {
	case "access_denied", "user_denied", "user_cancelled", "user_cancelled_login", "user_cancelled_authorize",
		"authorization_denied", "consent_denied":
		reason = Denied
	case "login_required", "consent_required", "interaction_required", "account_selection_required":
		reason = InteractionRequired
	case "server_error":
		reason = BadAnswer
	case "temporarily_unavailable":
		reason = Overloaded
	}
	e := fail(reason, "authorization.error", "the provider answered with the error %s", printable(code))
	if reason == Overloaded {
		e.RetryAfter = headers.DefaultRetry
	}
	secrets := []string{params.Get("state"), params.Get("code")}
	e.ServerError = scrub(code, secrets)
	e.ServerDescription = scrub(params.Get("error_description"), secrets)
	return e
}
