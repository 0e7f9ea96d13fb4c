package otelauthcode

import (
	"context"
	"errors"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// scope names what this package records (OpenTelemetry's instrumentation scope).
const scope = "example.com/authcode/otelauthcode"

// Config says where [Instrument] records.
type Config struct {
	TracerProvider trace.TracerProvider // if nil, the global one of package otel
	MeterProvider  metric.MeterProvider // if nil, the global one of package otel
}

// Instrument sets the hooks of the Configs that are not nil, before they are
// given to New: Observe of each, and Renewals of sessions. Hooks that are set
// already are called, too. Call it once for each Config. An app with sessions
// passes no grants: its sessions keep them. The error is one of the
// MeterProvider, which refused an instrument; then no Config has changed.
func Instrument(
	cfg Config, login *authcode.Config, grants *grant.Config, sessions *session.Config,
) error {
	in, err := newInstruments(cfg)
	if err != nil {
		return err
	}
	if login != nil {
		login.Observe = in.operations(login.Observe)
	}
	if grants != nil {
		grants.Observe = in.renewals(grants.Observe)
	}
	if sessions != nil {
		sessions.Observe = in.sessions(sessions.Observe)
		sessions.Renewals = in.renewals(sessions.Renewals)
	}
	return nil
}

// instruments are what is recorded with.
type instruments struct {
	tracer   trace.Tracer
	logins   metric.Int64Counter
	duration metric.Float64Histogram
	outcomes metric.Int64Counter
	events   metric.Int64Counter
}

func newInstruments(cfg Config) (*instruments, error) {
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	in := &instruments{tracer: cfg.TracerProvider.Tracer(scope)}
	meter := cfg.MeterProvider.Meter(scope)
	var faults [4]error
	in.logins, faults[0] = meter.Int64Counter("authcode.logins", metric.WithUnit("{login}"),
		metric.WithDescription("Logins that have ended, well or with an error."))
	in.duration, faults[1] = meter.Float64Histogram("authcode.operation.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of the operations of a Client."),
		// A start takes microseconds, a request to a provider up to ten seconds.
		// These are the boundaries of http.client.request.duration.
		metric.WithExplicitBucketBoundaries(
			0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10))
	in.outcomes, faults[2] = meter.Int64Counter("authcode.grant.renewal.outcomes",
		metric.WithUnit("{outcome}"),
		metric.WithDescription("Outcomes of renewals of grants, of which one may have several."))
	in.events, faults[3] = meter.Int64Counter("authcode.session.events", metric.WithUnit("{event}"),
		metric.WithDescription("What happened to sessions."))
	return in, errors.Join(faults[:]...)
}

// count adds one to a counter.
func count(ctx context.Context, counter metric.Int64Counter, attrs []attribute.KeyValue) {
	counter.Add(ctx, 1, metric.WithAttributes(attrs...))
}

// provider returns the attribute for the name of a provider, which may be empty.
func provider(name string) []attribute.KeyValue {
	if name == "" {
		return nil
	}
	return []attribute.KeyValue{attribute.String("authcode.provider.name", name)}
}

// errorType returns error.type. Its values are few: of an error of the app's
// own, neither the type nor the text is known to be.
func errorType(err error) attribute.KeyValue {
	value := "_OTHER" // what OpenTelemetry's semantic conventions have for this
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil && own.Reason != "" {
		value = string(own.Reason)
	}
	return attribute.String("error.type", value)
}
