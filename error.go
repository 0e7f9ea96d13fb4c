package authcode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/transport"
)

// Reason says why something failed. Test for one with errors.Is.
type Reason string

// The reasons, with their HTTP status.
const (
	Prefetch            Reason = "prefetch"             // 204: the browser only prefetched
	Continued           Reason = "continued"            // 303: the login goes on with another request
	Malformed           Reason = "malformed"            // 400: not an authorization response
	Forged              Reason = "forged"               // 400: not from this app or this provider
	NoLogin             Reason = "no_login"             // 400: this browser has no such login
	Expired             Reason = "expired"              // 400: the login took over ten minutes
	GrantRejected       Reason = "grant_rejected"       // 400: code or refresh token refused
	Denied              Reason = "denied"               // 403: the person or the provider said no
	NotAdmitted         Reason = "not_admitted"         // 403: the app does not accept this account
	InteractionRequired Reason = "interaction_required" // 403: the provider must ask the person
	NotNavigation       Reason = "not_navigation"       // 403: a script asked for a login
	NotFound            Reason = "not_found"            // 404: nobody signs in at this address
	WrongMethod         Reason = "wrong_method"         // 405: see the Allow header
	AlreadyUsed         Reason = "already_used"         // 409: this login was tried before
	Canceled            Reason = "canceled"             // 499: the caller went away
	Configuration       Reason = "configuration"        // 500: fix the app or its registration
	Unsupported         Reason = "unsupported"          // 501: the provider does not offer this
	BadAnswer           Reason = "bad_answer"           // 502: the provider's answer is broken
	Unreachable         Reason = "unreachable"          // 502: no answer from the provider
	IdentityRefused     Reason = "identity_refused"     // 502: it is unknown who signed in
	Overloaded          Reason = "overloaded"           // 503: try again after a while
	Timeout             Reason = "timeout"              // 504: no whole answer in time
)

// Error returns "authcode: " and the reason.
func (r Reason) Error() string { return "authcode: " + string(r) }

// isAnswered reports whether the request of an error with r is answered already.
func (r Reason) isAnswered() bool { return r == Prefetch || r == Continued }

// Status returns the HTTP status of r, or 500 for an unknown reason.
func (r Reason) Status() int {
	switch r {
	case Prefetch:
		return 204
	case Continued:
		return 303
	case Malformed, Forged, NoLogin, Expired, GrantRejected:
		return 400
	case Denied, NotAdmitted, InteractionRequired, NotNavigation:
		return 403
	case NotFound:
		return 404
	case WrongMethod:
		return 405
	case AlreadyUsed:
		return 409
	// 499 is nginx's status for a client that closed its connection. Nobody
	// reads the answer, but logs and metrics can tell this case from a fault.
	case Canceled:
		return 499
	case Unsupported:
		return 501
	// 502, 503 and 504 point at the provider, 500 at the app. So an alert can
	// wake up the right people.
	case BadAnswer, Unreachable, IdentityRefused:
		return 502
	case Overloaded:
		return 503
	case Timeout:
		return 504
	}
	// An app may make reasons of its own. They have no status here, so treat
	// them as a fault of the app.
	return 500
}

// Error is every error of this package. It is safe to log: printed or encoded,
// it shows no secret and nothing that a server or a browser sent.
type Error struct {
	Reason      Reason
	Check       string        // the rule that failed, such as "state.tag"; stable
	Provider    string        // Provider.Name; empty when New failed
	Tenant      string        // the key that package tenants has loaded; empty without one
	Faults      []string      // of a Config or metadata, each with field, fault and cure
	Final       bool          // no later try with this token can succeed: sign in again
	RetryAfter  time.Duration // how long to wait; set for Overloaded
	LoginURL    string        // where to start again, with the path to return to if it is known
	ContinueURL string        // where to go instead, after an earlier success or a denial

	// ServerError and ServerDescription are error and error_description of the
	// provider's answer (RFC 6749 sections 4.1.2.1 and 5.2). UNTRUSTED: anybody
	// may have written them. They are never part of the error's text.
	ServerError, ServerDescription string

	detail string // for operators; our own words and the configuration only
	cause  error  // for errors.Is and As; its text may hold a server's words

	parUnusable bool // the PAR endpoint does not work for this app; see pushOrNot
}

// Error returns a text for operators. That of [New] has one line per fault.
func (e *Error) Error() string {
	// A function that returns a nil *Error as an error is a common mistake.
	// Reading its text must not panic.
	if e == nil {
		return "authcode: a nil *authcode.Error was returned as an error: return nil itself"
	}
	detail := e.detail
	if len(e.Faults) > 0 {
		detail = strings.Join(e.Faults, "; ")
	}
	// The faults of a Config may be many. One line for each is easier to read
	// in a terminal, where New usually fails.
	if e.Check == "config" {
		return "authcode: " + cmp.Or(strings.Join(e.Faults, "\nauthcode: "), detail)
	}
	text := "authcode: "
	if e.Provider != "" {
		text += e.Provider + ": "
	}
	text += string(e.Reason) + " (" + e.Check + ")"
	if detail != "" {
		text += ": " + detail
	}
	return text
}

// Is reports whether target is the reason of e.
func (e *Error) Is(target error) bool { return e != nil && target == e.Reason }

// Unwrap returns the cause if it is a context, network, certificate or store error.
func (e *Error) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.cause
}

// Format prints the text of Error, whatever the verb.
func (e Error) Format(f fmt.State, _ rune) {
	// With %+v, package fmt would otherwise print the fields, and so the
	// server's words.
	f.Write([]byte(e.Error()))
}

// MarshalText returns the text of Error, so that encoders print nothing else.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// NewError returns an error for the functions of a [Config]. Its text has
// detail, which must not hold a secret or words of a server or browser, and
// describes a network or certificate error in cause, which Unwrap returns.
//
//go:noinline
func NewError(reason Reason, check, detail string, cause error) *Error {
	// The text of a network error may repeat what a server sent, such as a bad
	// status line. Explain uses words of its own.
	words, kept := transport.Explain(cause)
	return &Error{Reason: reason, Check: check, detail: detail + words, cause: kept}
}

// errorf makes an Error. The exported methods pass it through completeError. A
// copy of it at each of its calls would add 40 kB to every app.
//
//go:noinline
func errorf(reason Reason, check, format string, args ...any) *Error {
	return &Error{Reason: reason, Check: check, detail: fmt.Sprintf(format, args...)}
}

// loginError is completeError, and keeps the return path in the link that
// starts again.
func (c *Client) loginError(err error, returnTo string) error {
	done := c.completeError(err).(*Error) // it always returns one
	if done.Reason != NotFound {          // there is nothing to start
		done.LoginURL = c.loginLink(returnTo)
	}
	return done
}

// completeError adds to err what only the Client knows: its name and links.
func (c *Client) completeError(err error) error {
	e, ok := errors.AsType[*Error](err)
	if !ok || e == nil {
		// The text of a foreign error may hold a secret: do not print it.
		e = errorf(Configuration, "error", "the app's code returned an error that is not an "+
			"*authcode.Error: make it with authcode.NewError")
	}
	// Copy it. An Identity or Metadata function may return the same error value
	// to several goroutines and Clients.
	done := *e
	done.Provider = c.cfg.Provider.Name
	done.Tenant = cmp.Or(c.tenant().Tenant, done.Tenant)
	done.LoginURL = c.cfg.LoginURL
	switch done.Reason {
	// A person who said no may want to use the site without signing in.
	case Denied:
		done.ContinueURL = c.cfg.HomeURL
	// A link to start again would lead to the same page.
	case NotFound:
		done.LoginURL, done.ContinueURL = "", c.cfg.HomeURL
	}
	return &done
}

// transportError classifies an error that ended a request to the provider.
func transportError(ctx context.Context, err error) error {
	type timeouter interface {
		error
		Timeout() bool
	}
	timeout, ok := errors.AsType[timeouter](err)
	switch {
	// Ask the context first. The layers below report its end in many forms,
	// some of which look like a fault of the network.
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{
			Reason: Canceled, Check: "provider.canceled",
			detail: "the caller gave up before the provider answered: nothing to do",
			cause:  context.Canceled,
		}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), ok && timeout.Timeout():
		return &Error{
			Reason: Timeout, Check: "provider.timeout",
			detail: "no complete answer in time: check the network and the provider's status",
			cause:  context.DeadlineExceeded,
		}
	}
	// A RoundTripper of this package reports a bad client certificate like
	// this. It is not the provider's fault, so keep the reason.
	if own, ok := errors.AsType[*Error](err); ok && own != nil && own.Reason == Configuration {
		return own
	}
	return NewError(Unreachable, "provider.unreachable",
		"no usable answer from the provider (check DNS, firewall, proxy and Config.Transport)", err)
}

// seamError returns the error of an app's or another package's function as an
// Error of this package.
func seamError(ctx context.Context, err error, reason Reason, check, detail string) error {
	if own, ok := errors.AsType[*Error](err); ok {
		// These reasons would make the handlers write nothing, so a function must
		// not end a login with one of them.
		if own != nil && !own.Reason.isAnswered() {
			return own
		}
		// A nil *Error inside an error is a mistake of the function. It must
		// still refuse.
		err = nil
	}
	if ctx.Err() != nil {
		return transportError(ctx, err)
	}
	// Any other text is dropped: it may hold a secret or a server's words.
	e := NewError(reason, check, detail, err)
	if stored, ok := errors.AsType[secret.Printable](err); ok {
		e.cause = stored
	} else if err != nil && e.cause == nil {
		e.detail += "; the function's error is not shown, because it may hold a secret: " +
			"return authcode.NewError to explain the failure"
	}
	if reason == Overloaded {
		e.RetryAfter = headers.DefaultRetry
	}
	return e
}

// registeredCode returns code if it is a registered error code, or one of
// GitHub or Microsoft. Five copies of this table would add 10 kB to every app.
//
//go:noinline
func registeredCode(code string) string {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
		"unsupported_grant_type", "invalid_scope", "access_denied", "unsupported_response_type",
		"server_error", "temporarily_unavailable", "interaction_required", "login_required",
		"account_selection_required", "consent_required", "invalid_request_uri",
		"invalid_request_object", "request_not_supported", "request_uri_not_supported",
		"registration_not_supported", "invalid_target", "unsupported_token_type", "invalid_token",
		"bad_verification_code", "incorrect_client_credentials", "redirect_uri_mismatch",
		"unverified_user_email", "unmet_authentication_requirements", "use_dpop_nonce",
		"invalid_dpop_proof", "invalid_authorization_details", "invalid_redirect_uri",
		"invalid_resource", "application_suspended":
		return code
	case "":
		return "(none)"
	}
	// Anything else may be a forged callback or an echo of a secret. It must
	// not reach the logs, not even as a line break that fakes another log line.
	return "(not a registered code)"
}
