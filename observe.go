package authcode

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// Kind says what an [Operation] does.
type Kind string

// The kinds. An operation inside another one gets the context of that one.
const (
	KindStart        Kind = "start"         // [Client.AuthCodeURL]
	KindCallback     Kind = "callback"      // [Client.Exchange]
	KindRenewal      Kind = "renewal"       // [Client.Refresh], Renew or that of a [TokenSource]
	KindPush         Kind = "push"          // inside a start: a pushed request (RFC 9126)
	KindTokenRequest Kind = "token_request" // inside a callback or renewal: redeems what it has
	KindDiscovery    Kind = "discovery"     // package oidc loads the metadata
	KindJWKS         Kind = "jwks"          // package oidc loads the provider's keys
)

// Operation is what [Config.Observe] is told about. It has no secret.
type Operation struct {
	Kind     Kind
	Provider string // Provider.Name

	// Tenant is the key that package tenants has loaded. It is empty for the
	// documents of package oidc, which tenants may share.
	Tenant string
}

// observed runs do, and tells Config.Observe about it.
func (c *Client) observed(
	ctx context.Context, kind Kind, do func(context.Context) error,
) (err error) {
	if c.cfg.Observe == nil {
		return do(ctx)
	}
	ctx, end := c.cfg.Observe(ctx, Operation{kind, c.cfg.Provider.Name, c.tenant().Tenant})
	// If a function of the Config panics, the operation has ended, too. A span
	// that never ends would be lost, and the failure with it.
	err = errorf(Configuration, "operation.panic", "a function of the Config panicked: correct it")
	defer func() { end(c.observedError(err)) }()
	err = do(ctx)
	return err
}

// observedError returns what Config.Observe is told about err: nil if err is
// nil, or if it comes from the app's storage. Then the provider has renewed the
// token.
func (c *Client) observedError(err error) *Error {
	if _, ok := errors.AsType[*Error](err); !ok {
		return nil
	}
	return c.completeError(err).(*Error) // a copy, which the hook may keep or change
}

// safeObserve wraps Config.Observe so that a login goes on if the hook panics,
// returns nil, or returns a context that has ended. A hook that blocks holds up
// its login.
func safeObserve(
	hook func(context.Context, Operation) (context.Context, func(*Error)),
) func(context.Context, Operation) (context.Context, func(*Error)) {
	if hook == nil {
		return nil
	}
	return func(ctx context.Context, op Operation) (inner context.Context, end func(*Error)) {
		inner, end = ctx, func(*Error) {}
		defer recoverObserve(ctx)
		values, ended := hook(ctx, op)
		if values != nil {
			inner = valuesContext{ctx, values}
		}
		if ended != nil {
			end = func(e *Error) {
				defer recoverObserve(ctx)
				ended(e)
			}
		}
		return inner, end
	}
}

// recoverObserve logs a panic of Config.Observe.
func recoverObserve(ctx context.Context) {
	// A code is redeemed once. If counting it failed the login, the person would
	// have to start again. The value of the panic may hold a secret.
	if v := recover(); v != nil {
		slog.ErrorContext(ctx, "authcode: Config.Observe panicked: correct it",
			"type", fmt.Sprintf("%T", v))
	}
}

// valuesContext has the values of another context, such as a span. It ends with
// its own: a hook must not be able to cancel a request, or to lift its deadline.
type valuesContext struct {
	context.Context
	values context.Context
}

// Value implements [context.Context].
func (c valuesContext) Value(key any) any { return c.values.Value(key) }
