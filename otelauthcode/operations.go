package otelauthcode

import (
	"context"
	"strings"
	"time"

	"example.com/authcode"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// hook is the type of authcode.Config.Observe.
type hook = func(context.Context, authcode.Operation) (context.Context, func(*authcode.Error))

// operations returns a hook that records, inside former, which may be nil.
func (in *instruments) operations(former hook) hook {
	return func(ctx context.Context, op authcode.Operation) (context.Context, func(*authcode.Error)) {
		var formerEnd func(*authcode.Error)
		if former != nil {
			var outer context.Context
			if outer, formerEnd = former(ctx, op); outer != nil {
				ctx = outer
			}
		}
		attrs := provider(op.Provider)
		ctx, span := in.tracer.Start(ctx, "authcode."+string(op.Kind),
			trace.WithSpanKind(spanKind(op.Kind)), trace.WithAttributes(attrs...))
		// Not in metrics: an app may have thousands of tenants.
		if op.Tenant != "" {
			span.SetAttributes(attribute.String("authcode.tenant.key", strings.ToValidUTF8(op.Tenant, "?")))
		}
		began := time.Now()
		return ctx, func(e *authcode.Error) {
			in.ended(ctx, op, time.Since(began), e)
			endSpan(span, e)
			if formerEnd != nil {
				formerEnd(e)
			}
		}
	}
}

// spanKind says whether an operation is a request to the provider.
func spanKind(kind authcode.Kind) trace.SpanKind {
	switch kind {
	case authcode.KindPush, authcode.KindTokenRequest, authcode.KindDiscovery, authcode.KindJWKS:
		return trace.SpanKindClient
	}
	return trace.SpanKindInternal
}

// isFailure reports whether an operation that ended with e has failed.
func isFailure(e *authcode.Error) bool {
	return e != nil && e.Reason != authcode.Prefetch && e.Reason != authcode.Continued
}

// ended records the metrics of an operation.
func (in *instruments) ended(
	ctx context.Context, op authcode.Operation, took time.Duration, e *authcode.Error,
) {
	attrs := provider(op.Provider)
	if isFailure(e) {
		attrs = append(attrs, errorType(e))
	}
	// A login ends at its callback. One that cannot start has ended, too. A
	// prefetch is not a login, and the first request of form_post not the end.
	isEnd := op.Kind == authcode.KindCallback && (e == nil || isFailure(e)) ||
		op.Kind == authcode.KindStart && isFailure(e)
	if isEnd {
		count(ctx, in.logins, attrs)
	}
	attrs = append(attrs, attribute.String("authcode.operation.name", string(op.Kind)))
	in.duration.Record(ctx, took.Seconds(), metric.WithAttributes(attrs...))
}

// endSpan ends a span.
func endSpan(span trace.Span, e *authcode.Error) {
	if e != nil {
		span.SetAttributes(attribute.String("authcode.check", e.Check))
	}
	if isFailure(e) {
		// The text of an authcode.Error is safe to show. The words of the
		// provider, in other fields, are not: anybody can write them.
		span.SetAttributes(errorType(e))
		span.SetStatus(codes.Error, e.Error())
	}
	span.End()
}
