// Package otelauthcode tells OpenTelemetry what package authcode does: how
// logins and renewals of tokens go, how long the provider takes, and what
// happens to sessions.
//
//	err := otelauthcode.Instrument(otelauthcode.Config{}, &cfg, nil, &sessionConfig)
//	client, err := authcode.New(cfg)
//	sessions, err := session.New(sessionConfig)
//
// # Traces
//
// Each [authcode.Operation] is a span: authcode.start, authcode.callback and
// authcode.renewal, and inside them authcode.push, authcode.token_request,
// authcode.discovery and authcode.jwks. A failed one has the status Error,
// error.type with the [authcode.Reason], and authcode.check. Requests to the
// provider have the span in their context. To get a span for each request, too,
// wrap the transport:
//
//	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(rt) }
//
// # Metrics
//
//   - authcode.logins, a counter of {login}: logins that have ended
//   - authcode.operation.duration, a histogram in s
//   - authcode.grant.renewal.outcomes, a counter of {outcome}
//   - authcode.session.events, a counter of {event}
//
// Attributes are authcode.provider.name and, after a failure only, error.type,
// which is a Reason or _OTHER; and for one metric each authcode.operation.name,
// authcode.grant.renewal.outcome, authcode.session.event and
// authcode.session.end.reason. Their values are those of [authcode.Kind],
// [grant.Outcome], [session.Kind] and [session.Why]. docs/metrics.md has queries
// for alerts.
//
// # Security
//
// Nothing that this package records has a secret, or words of a provider or a
// browser. That a person signed in is recorded, and not who.
package otelauthcode
