package otelauthcode

import (
	"context"

	"example.com/authcode/grant"
	"example.com/authcode/session"
	"go.opentelemetry.io/otel/attribute"
)

// renewals returns a hook that counts, and then calls former, which may be nil.
func (in *instruments) renewals(
	former func(context.Context, grant.Event),
) func(context.Context, grant.Event) {
	return func(ctx context.Context, e grant.Event) {
		attrs := append(provider(e.Provider),
			attribute.String("authcode.grant.renewal.outcome", string(e.Outcome)))
		if e.Err != nil {
			attrs = append(attrs, errorType(e.Err))
		}
		count(ctx, in.outcomes, attrs)
		if former != nil {
			former(ctx, e)
		}
	}
}

// sessions returns a hook that counts, and then calls former, which may be nil.
func (in *instruments) sessions(
	former func(context.Context, session.Event),
) func(context.Context, session.Event) {
	return func(ctx context.Context, e session.Event) {
		attrs := append(provider(e.Provider),
			attribute.String("authcode.session.event", string(e.Kind)))
		if e.Why != "" {
			attrs = append(attrs, attribute.String("authcode.session.end.reason", string(e.Why)))
		}
		if e.Err != nil {
			attrs = append(attrs, errorType(e.Err))
		}
		count(ctx, in.events, attrs)
		if former != nil {
			former(ctx, e)
		}
	}
}
