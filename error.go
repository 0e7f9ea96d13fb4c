package authcode

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/transport"
)

// Reason says why something failed. It is an error, so that a caller can write
// errors.Is(err, authcode.Denied). Each reason has one HTTP status.
type Reason string

// The reasons, with their HTTP status.
const (
	Prefetch            Reason = "prefetch"             // 204: the browser only looked ahead; nothing was touched
	Malformed           Reason = "malformed"            // 400: the callback is not an authorization response
	Forged              Reason = "forged"               // 400: not from this app or, by iss (RFC 9207), not from this provider
	NoLogin             Reason = "no_login"             // 400: this browser has no such login pending
	Expired             Reason = "expired"              // 400: the login took more than ten minutes
	GrantRejected       Reason = "grant_rejected"       // 400: the provider refused the code or refresh token: sign in again
	Denied              Reason = "denied"               // 403: the person or the provider said no
	NotAdmitted         Reason = "not_admitted"         // 403: the app's rules do not admit this account
	InteractionRequired Reason = "interaction_required" // 403: prompt=none, but the provider has to ask
	NotNavigation       Reason = "not_navigation"       // 403: a script asked for a login
	WrongMethod         Reason = "wrong_method"         // 405: see the Allow header
	AlreadyUsed         Reason = "already_used"         // 409: this login was finished or tried before
	Canceled            Reason = "canceled"             // 499: the caller went away; nobody reads the answer
	Configuration       Reason = "configuration"        // 500: the app or its registration is at fault
	BadAnswer           Reason = "bad_answer"           // 502: the provider's answer is broken, or a redirect, which is not followed
	Unreachable         Reason = "unreachable"          // 502: no answer from the provider
	IdentityRefused     Reason = "identity_refused"     // 502: who signed in could not be established
	Overloaded          Reason = "overloaded"           // 503: the provider or the UsedStates asks to wait
	Timeout             Reason = "timeout"              // 504: no whole answer within ten seconds or the caller's deadline
)

// Error returns "authcode: " and the reason.
func (r Reason) Error() string { return "authcode: " + string(r) }

// Status returns the HTTP status of r; 500 for a reason that is not one of this package's.
func (r Reason) Status() int {
	switch r {
	case Prefetch:
		return 204
	case Malformed, Forged, NoLogin, Expired, GrantRejected:
		return 400
	case Denied, NotAdmitted, InteractionRequired, NotNavigation:
		return 403
	case WrongMethod:
		return 405
	case AlreadyUsed:
		return 409
	case Canceled:
		return 499
	case BadAnswer, Unreachable, IdentityRefused:
		return 502
	case Overloaded:
		return 503
	case Timeout:
		return 504
	}
	return 500
}

// Error is every error of this package. Its text and its printed, logged and marshalled
// forms hold no secret and nothing that a server or a browser sent, so it is safe to log.
type Error struct {
	Reason   Reason
	Check    string // the rule that failed, stable, such as "state.tag"
	Provider string // Provider.Name; empty when New refused it

	// Faults lists all that is wrong with a Config, or with a provider's metadata: each with
	// field, fault and cure.
	Faults []string

	// Final reports that no later try with the same token can succeed: the person has to sign in again.
	Final bool

	// RetryAfter is how long to wait before a new try. It is set for Overloaded.
	RetryAfter time.Duration

	// LoginURL is where to start again. ContinueURL is where to go on without signing in: it is set
	// when this login is known to have succeeded before, and when the person said no.
	LoginURL, ContinueURL string

	// ServerError and ServerDescription are error and error_description of the provider's answer
	// (RFC 6749 sections 4.1.2.1 and 5.2). UNTRUSTED: anybody may have written them. They are never
	// part of the error's text.
	ServerError, ServerDescription string

	detail string // for operators; made of our own words and configuration only
	cause  error  // for errors.Is and As; its text is not printed, since it may hold a server's words
}

// Error returns a text for operators: provider, reason, check and what to do. The error of [New] has a
// line for each fault.
func (e *Error) Error() string {
	detail := e.detail
	if len(e.Faults) > 0 {
		detail = strings.Join(e.Faults, "; ")
	}
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
func (e *Error) Is(target error) bool { return target == e.Reason }

// Unwrap returns the cause if it is one that a caller may test: an error of package context,
// or a network or certificate error.
func (e *Error) Unwrap() error { return e.cause }

// Format prints the same text for every verb: the fields with the server's words stay out.
func (e Error) Format(f fmt.State, _ rune) { f.Write([]byte(e.Error())) }

// MarshalText returns the error's text, so that encoders print nothing else.
func (e Error) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// LogValue groups what an operator counts: reason, check, provider, text.
func (e Error) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("reason", string(e.Reason)),
		slog.String("check", e.Check),
		slog.String("provider", e.Provider),
		slog.String("text", e.Error()),
	)
}

// fail makes an Error; failed completes it where an exported method returns it.
func fail(reason Reason, check, format string, args ...any) *Error {
	return &Error{Reason: reason, Check: check, detail: fmt.Sprintf(format, args...)}
}

// failed completes err with what the Client knows: its name, and where to go on.
func (c *Client) failed(err error) error {
	var e *Error
	if !errors.As(err, &e) || e == nil {
		e = fail(Configuration, "error", "an error that is not one of this package's")
	}
	done := *e // an error value of an Identity or a Metadata may be shared
	done.Provider = c.cfg.Provider.Name
	done.LoginURL = c.cfg.LoginURL
	if done.Reason == Denied {
		done.ContinueURL = c.cfg.HomeURL
	}
	return &done
}

// transportFailure classifies an error of the transport.
func transportFailure(ctx context.Context, err error) error {
	// The context is asked first: a deadline shows in many guises below it.
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Reason: Canceled, Check: "provider.canceled", detail: "the caller went away", cause: context.Canceled}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Reason: Timeout, Check: "provider.timeout", detail: "no whole answer in time", cause: context.DeadlineExceeded}
	}
	if own := (*Error)(nil); errors.As(err, &own) && own != nil && own.Reason == Configuration {
		return own // of a transport that shows a certificate
	}
	return NewError(Unreachable, "provider.unreachable", "no usable answer", err)
}

// NewError returns an error for a seam to fail with. detail is printed: it must hold no secret, and nothing
// that a server or a browser sent. A network or certificate error in cause is described and kept for Unwrap.
func NewError(reason Reason, check, detail string, cause error) *Error {
	words, kept := transport.Explain(cause)
	return &Error{Reason: reason, Check: check, detail: detail + words, cause: kept}
}

// asFailure passes an *Error through, knows the context's end, and hides all else: the text of
// a foreign error may hold anything.
func asFailure(ctx context.Context, err error, reason Reason, check, detail string) error {
	var own *Error
	if errors.As(err, &own) {
		if own != nil && own.Reason != Prefetch {
			return own
		}
		err = nil // a nil *Error in an error is a seam's mistake, and no permission
	}
	if ctx.Err() != nil {
		return transportFailure(ctx, err)
	}
	e := NewError(reason, check, detail, err)
	if reason == Overloaded {
		e.RetryAfter = headers.DefaultRetry
	}
	return e
}

// scrub bounds a text of the server's and empties it if it echoes what we sent.
func scrub(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" && (strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s)) ||
			strings.Contains(text, url.PathEscape(s))) {
			return ""
		}
	}
	return strings.ToValidUTF8(text[:min(len(text), maxServer)], "")
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
		"unmet_authentication_requirements", "use_dpop_nonce", "invalid_dpop_proof", "invalid_authorization_details":
		return code
	case "":
		return "(none)"
	}
	return "(not a registered code)"
}
