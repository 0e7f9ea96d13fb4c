package authcode

import (
	"context"
	"net/http"
	"net/url"

	"example.com/authcode/internal/form"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

// maxCallback bounds the query or form of a callback, in bytes. A signed
// response with its claims is the longest.
const maxCallback = 16 << 10

// answeredLogin returns the login that r belongs to and the provider's answer.
func (c *Client) answeredLogin(
	ctx context.Context, w http.ResponseWriter, r *http.Request,
) (*attempt, url.Values, error) {
	if c.cfg.Provider.FormPost && r.Method == http.MethodGet {
		switch query, err := form.Parse(r.URL.RawQuery, maxCallback); {
		case r.URL.RawQuery == "":
			return nil, nil, emptyCallbackError()
		case err != nil && r.URL.Query().Has(answerParam):
			return nil, nil, formError(err)
		case query.Has(answerParam):
			return c.openAnswer(r, query)
		}
	}
	params, err := c.callbackParams(ctx, w, r)
	if err != nil {
		return nil, nil, err
	}
	if name, ok := c.isAnswered(r, params.Get("state")); ok {
		return nil, nil, c.toAnswer(w, name)
	}
	a, err := c.pendingLogin(r, params.Get("state"))
	return a, params, err
}

// callbackParams reads and checks the parameters of an authorization response
// (RFC 6749 section 4.1.2).
func (c *Client) callbackParams(
	ctx context.Context, w http.ResponseWriter, r *http.Request,
) (url.Values, error) {
	params, err := c.readCallback(w, r)
	if err != nil {
		return nil, err
	}
	if err = checkRepeats(params); err != nil {
		return nil, err
	}
	if c.isEmptyCallback(params) {
		return nil, emptyCallbackError()
	}
	if c.cfg.MessageSigning.SignedResponses || params.Has("response") {
		if params, err = c.openResponse(ctx, params); err != nil {
			return nil, err
		}
	}
	// RFC 6749 section 4.1.2: the response must have the state of the request,
	// and every request of this package has one.
	if params.Get("state") == "" {
		return nil, errorf(Malformed, "callback.state",
			"the callback has no state, so it is forged or incomplete: ignore it, unless every login fails")
	}
	if params.Get("code") == "" && !isRefusal(params) {
		return nil, errorf(Malformed, "callback.code",
			"the callback has neither code nor error, so it is forged or incomplete: ignore it, unless "+
				"every login fails")
	}
	return params, nil
}

// isEmptyCallback reports whether params have nothing of an answer. Then the
// cause is usually a handler or a link in the wrong place.
func (c *Client) isEmptyCallback(params url.Values) bool {
	if c.cfg.MessageSigning.SignedResponses {
		return len(params) == 0
	}
	return !params.Has("code") && !params.Has("error") && !params.Has("state") &&
		!params.Has("response") && !isRefusal(params)
}

func emptyCallbackError() error {
	return errorf(Malformed, "callback.empty", "the callback has neither code, error nor "+
		"state: a link leads here instead of to Config.LoginURL, CallbackHandler is mounted "+
		"at LoginURL's path, or a guard in front of it lost the query (see Client.Mount)")
}

// readCallback reads the parameters from the query, or for form_post from the
// body.
func (c *Client) readCallback(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	method := http.MethodGet
	if c.cfg.Provider.FormPost {
		method = http.MethodPost
	}
	// A pattern "GET /callback" of net/http matches HEAD, too. A HEAD must not
	// redeem the code. And a response that comes by a method other than the
	// requested one does not answer this app's request.
	if r.Method != method {
		w.Header().Set("Allow", method)
		return nil, errorf(WrongMethod, "callback.method", "the callback must be a %s request: if the "+
			"provider sends another one, correct Provider.FormPost", method)
	}
	// With form_post the query is ignored. Anybody can add a query to a form's
	// target.
	var params url.Values
	var err error
	if c.cfg.Provider.FormPost {
		params, err = form.Read(w, r, maxCallback, requestTimeout)
		// Keep the parameters, as ParseForm does: answerPage needs them, and
		// the body can be read only once.
		r.PostForm = params
	} else {
		params, err = c.callbackQuery(r)
	}
	if err != nil {
		return nil, formError(err)
	}
	return params, nil
}

// checkRepeats refuses repeated parameters.
func checkRepeats(params url.Values) error {
	for _, values := range params {
		// RFC 6749 section 3.1: parameters must not be included more than once.
		// An attacker could add a second code or state, and hope that the
		// checks and the exchange use different ones.
		if len(values) != 1 {
			return errorf(Malformed, "callback.repeated",
				"the callback has a parameter more than once: ignore it, unless every login fails")
		}
	}
	return nil
}

// formError explains what is wrong with the parameters of a callback.
func formError(err error) error {
	switch err {
	case form.ErrType:
		return errorf(Malformed, "callback.content_type",
			"the callback is not a form: the provider must send application/x-www-form-urlencoded")
	case form.ErrSize:
		return errorf(Malformed, "callback.size",
			"the callback has more than %d bytes of parameters: report it to the provider if the "+
				"provider sent them", maxCallback)
	case form.ErrBody:
		return errorf(Malformed, "callback.body",
			"the body could not be read, as the browser disconnected or was too slow: start again")
	}
	return errorf(Malformed, "callback.encoding",
		"the callback has malformed parameters: ignore it, unless every login fails")
}

// checkIss compares iss with the issuer of the provider that this login began
// with.
func (c *Client) checkIss(params url.Values, ep *resolvedEndpoints) error {
	isIssuer := c.cfg.Provider.IsIssuer
	iss, present := params["iss"]
	switch {
	// Many providers send no iss. The digest in the login cookie protects
	// against mix-ups between the app's own Clients.
	case !present && !ep.RequireIss:
		return nil
	// This rule is not in RFC 9207. Without an issuer to compare with, the
	// origin still tells most other servers apart.
	case isIssuer == nil && !isSameOrigin(iss[0], ep.AuthURL):
		return errorf(Forged, "iss.origin", "iss and AuthURL have different origins, as another server "+
			"answered or Issuer is missing: set Provider.Issuer to the provider's issuer identifier")
	case isIssuer == nil:
		return nil
	// RFC 9207 section 2.4: if the server promises iss, a response without it
	// must be rejected. An attacker would simply leave it out.
	case !present:
		return errorf(Forged, "iss.missing", "the provider promises iss but did not send it: "+
			"check whether Provider.RequireIss is right")
	// RFC 9207 section 2.4: with another iss, another server has sent this
	// response. In a mix-up attack the app would now send the code of an honest
	// server to the attacker's. Error responses are checked, too.
	case !isIssuer(iss[0]):
		return errorf(Forged, "iss",
			"iss is not Provider.Issuer, as another server answered or Issuer is misspelt: check Issuer")
	}
	return nil
}

// isSameOrigin compares the origins (RFC 6454) of two URLs.
func isSameOrigin(a, b string) bool {
	first, err := url.Parse(a)
	second, bad := url.Parse(b)
	return err == nil && bad == nil && urls.Origin(first) == urls.Origin(second)
}

// isRefusal reports whether params say no, also in another shape than that of
// RFC 6749 section 4.1.2.1. Facebook's dialog sends error_code and error_message
// in place of error.
func isRefusal(params url.Values) bool {
	return params.Get("error") != "" || params.Get("code") == "" &&
		firstParam(params, "error_code", "error_message", "error_reason") != ""
}

// firstParam returns the first of the parameters that is not empty.
func firstParam(params url.Values, names ...string) string {
	for _, name := range names {
		if value := params.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// authorizationError returns an error response (RFC 6749 section 4.1.2.1,
// OpenID Connect Core section 3.1.2.6) as an Error.
func authorizationError(params url.Values) error {
	if !isRefusal(params) {
		return nil
	}
	code := firstParam(params, "error", "error_code", "error_reason")
	e := errorf(authorizationReason(code), "authorization.error",
		"the provider answered with the error %s", registeredCode(code))
	switch {
	case e.Reason == Denied && code != "access_denied":
		e.detail += ": its own words are in Error.ServerError and Error.ServerDescription"
	case e.Reason == Configuration:
		e.detail += ": check the app's registration, its scopes and its parameters"
	case e.Reason == InteractionRequired:
		e.detail += ": it has to show a page first, so start a login without prompt=none"
	case e.Reason == Overloaded:
		e.detail += ": try again later"
		e.RetryAfter = headers.DefaultRetry
	case e.Reason == BadAnswer:
		e.detail += ": try again later, and report it to the provider if it happens again"
	}
	// Anybody can write error_description, and an app may log it. It must not
	// carry a state or a code into the logs.
	secrets := []string{params.Get("state"), params.Get("code")}
	e.ServerError = secret.Scrub(code, secrets)
	e.ServerDescription = secret.Scrub(
		firstParam(params, "error_description", "error_message", "error_reason"), secrets)
	return e
}

// authorizationReason maps the error code of an authorization response.
func authorizationReason(code string) Reason {
	switch code {
	case "access_denied":
		return Denied
	// OpenID Connect Core section 3.1.2.6: the app has sent prompt=none, but
	// the provider must show something. A login without prompt=none can
	// succeed.
	case "login_required", "consent_required", "interaction_required", "account_selection_required":
		return InteractionRequired
	// RFC 6749 section 4.1.2.1: these two stand for the status codes 500 and
	// 503, which a redirect cannot have.
	case "server_error":
		return BadAnswer
	case "temporarily_unavailable":
		return Overloaded
	}
	// The other registered codes say that the request was wrong: a registration,
	// a scope, a parameter.
	if registeredCode(code) == code {
		return Configuration
	}
	// Providers have codes of their own for a person who pressed "cancel", such
	// as user_cancelled_login, and for accounts that they keep out. An operator
	// must not be alarmed by them.
	return Denied
}
